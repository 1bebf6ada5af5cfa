package interop;

import gen.addressing.Address;
import gen.addressing.EndpointReferenceType;
import gen.lease.Create;
import gen.lease.CreatedType;
import gen.lease.FactoryProperties;
import gen.lease.Shutdown;
import gen.lease.ShutdownEnumeration;
import gen.lease.Start;
import gen.lease.WorkspaceFactoryLocator;
import gen.lease.WorkspaceFactoryPort;
import gen.lease.WorkspaceLocator;
import gen.lease.WorkspacePort;
import gen.lease.WorkspaceProperties;
import gen.lifetime.Destroy;
import gen.metadata.VirtualWorkspace_Type;
import gen.negotiable.WorkspaceDeployment_Type;
import gen.notification.FilterType;
import gen.notification.NotificationMessageHolderType;
import gen.notification.Subscribe;
import gen.properties.QueryExpression;
import gen.properties.QueryResourceProperties;
import gen.properties.QueryResourcePropertiesResponse;
import gen.properties.ResourcePropertyValueChangeNotificationType;
import gen.types.CurrentState_Type;
import java.net.URL;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import javax.xml.namespace.QName;
import javax.xml.rpc.handler.HandlerInfo;
import org.apache.axis.client.Stub;
import org.apache.axis.message.MessageElement;
import org.apache.axis.message.Text;
import org.apache.axis.types.Duration;
import org.apache.axis.types.URI;

/**
 * The common script of tests/interop on the second face, carried out by Apache Axis 1.4, whose server is behind the
 * listener.
 *
 * <p>Usage: Client BASE FACE SOAP EXAMPLES DEPLOYMENT
 */
public final class Client {
    private static final String W = "http://www.globus.org/2008/06/workspace";
    private static final QName STATE = new QName(Script.T, "currentState");
    private static final String XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116";
    private static final QName TOPIC =
        new QName("http://docs.oasis-open.org/wsn/b-2", "TopicExpression");
    private static final String CONCRETE =
        "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete";

    private final WorkspaceFactoryPort factory;
    private WorkspacePort workspace;
    private String key;

    private Client(String base) throws Exception {
        factory = new WorkspaceFactoryLocator().getWorkspaceFactorySOAP11(
            new URL(base + "/ws/WorkspaceFactory"));
    }

    private static QueryResourceProperties everything() throws Exception {
        MessageElement[] text = {new MessageElement(new Text("/"))};
        return new QueryResourceProperties(new QueryExpression(text, new URI(XPATH)));
    }

    private static <T> T only(QueryResourcePropertiesResponse answer, QName type, Class<T> as)
            throws Exception {
        return as.cast(answer.get_any()[0].getValueAsType(type, as));
    }

    /** Aims calls at a workspace that was made. */
    private void bind(CreatedType made) throws Exception {
        key = made.getKey();
        WorkspaceLocator service = new WorkspaceLocator();
        service.getHandlerRegistry().getHandlerChain(new QName("WorkspaceSOAP11"))
            .add(new HandlerInfo(Prefix.class, null, null));
        workspace = service.getWorkspaceSOAP11(
            new URL(made.getReference().getAddress().get_value().toString()));
        ((Stub) workspace).setHeader(W, "WorkspaceKey", key);
    }

    private CreatedType create(
            VirtualWorkspace_Type metadata, WorkspaceDeployment_Type request) throws Exception {
        Create message = new Create();
        message.setVirtualWorkspace(metadata);
        message.setWorkspaceDeployment(request);
        return factory.create(message).getWorkspace(0);
    }

    private String state() throws Exception {
        MessageElement property = workspace.getResourceProperty(STATE).get_any()[0];
        CurrentState_Type state = (CurrentState_Type) property.getValueAsType(
            CurrentState_Type.getTypeDesc().getXmlType(), CurrentState_Type.class);
        return state.getState().getValue();
    }

    private String until(String state) throws Exception {
        for (int i = 0; i < 6000; i++) {
            if (state().equals(state)) {
                return "state=" + state;
            }
            Thread.sleep(50);
        }
        throw new IllegalStateException("the workspace is " + state() + ", not " + state);
    }

    private String subscribe(String url) throws Exception {
        EndpointReferenceType consumer = new EndpointReferenceType();
        consumer.setAddress(new Address(new URI(url)));
        MessageElement topic = new MessageElement(TOPIC);
        topic.addAttribute("", "Dialect", CONCRETE);
        topic.addTextNode("t:" + STATE.getLocalPart());
        Subscribe message = new Subscribe();
        message.setConsumerReference(consumer);
        message.setFilter(new FilterType(new MessageElement[] {topic}));
        EndpointReferenceType epr = workspace.subscribe(message).getSubscriptionReference();
        return epr.getReferenceParameters().get_any()[0].getValue();
    }

    /** Waits for a message that tells of a state. */
    private static String[] notified(String state) throws Exception {
        while (true) {
            NotificationMessageHolderType message = Consumer.heard.poll(300, TimeUnit.SECONDS);
            if (message == null) {
                throw new IllegalStateException("no notification came");
            }
            ResourcePropertyValueChangeNotificationType change =
                (ResourcePropertyValueChangeNotificationType) message.getMessage().get_any()[0]
                    .getValueAsType(
                        ResourcePropertyValueChangeNotificationType.getTypeDesc().getXmlType(),
                        ResourcePropertyValueChangeNotificationType.class);
            CurrentState_Type now = (CurrentState_Type) change.getNewValues().get_any()[0]
                .getValueAsType(CurrentState_Type.getTypeDesc().getXmlType(),
                    CurrentState_Type.class);
            if (now.getState().getValue().equals(state)) {
                return new String[] {"state=" + state, "key="
                    + message.getProducerReference().getReferenceParameters().get_any()[0].getValue()};
            }
        }
    }

    private void run(Path examples, Path deployment) throws Exception {
        FactoryProperties offer = only(factory.queryResourceProperties(everything()),
            FactoryProperties.getTypeDesc().getXmlType(), FactoryProperties.class);
        String[] networks = offer.getAssociations();
        Arrays.sort(networks);
        Script.step("factory", "default=" + Script.seconds(offer.getDefaultRunningTime()),
            "maximum=" + Script.seconds(offer.getMaximumRunningTime()),
            "networks=" + String.join(",", networks));
        VirtualWorkspace_Type metadata = Script.document(factory, examples.resolve("metadata.xml"),
            VirtualWorkspace_Type.getTypeDesc().getXmlType(), VirtualWorkspace_Type.class);
        WorkspaceDeployment_Type request = Script.document(factory, examples.resolve("request.xml"),
            WorkspaceDeployment_Type.getTypeDesc().getXmlType(), WorkspaceDeployment_Type.class);
        CreatedType made = create(metadata, request);
        bind(made);
        Script.step("create", "key=" + key, "ip=" + made.getNetworking()[0].getIpConfig().getIpAddress());
        Script.step("state", until("Running"));
        WorkspaceProperties whole = only(workspace.queryResourceProperties(everything()),
            WorkspaceProperties.getTypeDesc().getXmlType(), WorkspaceProperties.class);
        Script.step("document", "state=" + whole.getCurrentState().getState(),
            "memory=" + (long) whole.getResourceAllocation().getIndividualPhysicalMemory()
                .getExact(0).get_value(),
            "duration=" + Script.seconds(whole.getSchedule().getDuration()),
            "ip=" + whole.getLogistics().getNetworking()[0].getIpConfig().getIpAddress());
        Script.step("subscribe", "key=" + subscribe(Script.listen(deployment, "NotificationConsumerSOAP11")));
        workspace.shutdown(new Shutdown(ShutdownEnumeration.Pause, null));
        Script.step("pause", until("Paused"));
        Script.step("notification", notified("Paused"));
        workspace.start(new Start());
        Script.step("start", until("Running"));
        request.getDeploymentTime().setMinDuration(new Duration("P1000D"));
        Script.step("denied", Script.refused(() -> create(metadata, request)));
        workspace.destroy(new Destroy());
        Script.step("destroy");
        Script.step("gone", Script.refused(this::state));
    }

    public static void main(String[] args) throws Exception {
        new Client(args[0]).run(Path.of(args[3]), Path.of(args[4]));
        System.exit(0); // Axis' server has threads of its own
    }
}
