package interop;

import gen.lease.NotificationConsumerPort;
import gen.notification.NotificationMessageHolderType;
import gen.notification.Notify;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** Consumer is what Axis calls for each Notify. Axis makes the instances, so what it hears is static. */
public class Consumer implements NotificationConsumerPort {
    static final BlockingQueue<NotificationMessageHolderType> heard = new LinkedBlockingQueue<>();

    @Override
    public void notify(Notify message) {
        heard.addAll(java.util.Arrays.asList(message.getNotificationMessage()));
    }
}
