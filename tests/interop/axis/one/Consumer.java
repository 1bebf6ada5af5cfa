package interop;

import gen.consumer.NotificationConsumer;
import gen.notification.NotificationMessageHolderType;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;

/** Consumer is what Axis calls for each Notify. Axis makes the instances, so what it hears is static. */
public class Consumer implements NotificationConsumer {
    static final BlockingQueue<NotificationMessageHolderType> heard = new LinkedBlockingQueue<>();

    @Override
    public void notify(NotificationMessageHolderType[] messages) {
        heard.addAll(java.util.Arrays.asList(messages));
    }
}
