package interop;

import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import javax.jws.WebService;
import org.oasis_open.docs.wsn._2004._06.wsn_ws_basenotification_1_2_draft_01.NotificationMessageHolderType;
import org.oasis_open.docs.wsn._2004._06.wsn_ws_basenotification_1_2_draft_01_wsdl.service.NotificationConsumer;

/** Consumer is what JAX-WS calls for each Notify. */
@WebService(endpointInterface = "org.oasis_open.docs.wsn._2004._06"
    + ".wsn_ws_basenotification_1_2_draft_01_wsdl.service.NotificationConsumer")
public class Consumer implements NotificationConsumer {
    final BlockingQueue<NotificationMessageHolderType> heard = new LinkedBlockingQueue<>();

    @Override
    public void notify(List<NotificationMessageHolderType> messages) {
        heard.addAll(messages);
    }
}
