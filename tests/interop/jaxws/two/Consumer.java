package interop;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import javax.jws.WebService;
import consumer.NotificationMessageHolderType;
import consumer.Notify;
import consumer.NotificationConsumerPort;

/** Consumer is what JAX-WS calls for each Notify. */
@WebService(endpointInterface = "consumer.NotificationConsumerPort")
public class Consumer implements NotificationConsumerPort {
    final BlockingQueue<NotificationMessageHolderType> heard = new LinkedBlockingQueue<>();

    @Override
    public void notify(Notify message) {
        heard.addAll(message.getNotificationMessage());
    }
}
