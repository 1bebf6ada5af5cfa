package interop;

import gen.addressing.AttributedURI;
import gen.addressing.EndpointReferenceType;
import gen.corenotification.ResourcePropertyValueChangeNotificationElementType;
import gen.lifetime.Destroy;
import gen.metadata.VirtualWorkspace_Type;
import gen.negotiable.WorkspaceDeployment_Type;
import gen.notification.NotificationMessageHolderType;
import gen.notification.Subscribe;
import gen.notification.TopicExpressionType;
import gen.properties.QueryExpressionType;
import gen.properties.QueryResourceProperties;
import gen.properties.QueryResourcePropertiesResponse;
import gen.types.CreatedWorkspace_Type;
import gen.types.CurrentState_Type;
import gen.types.ShutdownEnumeration;
import gen.types.VoidType;
import gen.types.WorkspaceCreateRequest_Type;
import gen.types.WorkspaceShutdownRequest_Type;
import gen.workspace.FactoryRPSet;
import gen.workspace.ServiceRPSet;
import gen.workspace.WorkspaceFactoryPortType;
import gen.workspace.WorkspaceFactoryServiceLocator;
import gen.workspace.WorkspacePortType;
import gen.workspace.WorkspaceServiceLocator;
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
 * The common script of tests/interop, carried out by Apache Axis 1.4, whose server is behind the
 * listener.
 *
 * <p>Usage: Client BASE FACE SOAP EXAMPLES DEPLOYMENT
 */
public final class Client {
    private static final String W = "http://www.globus.org/2008/06/workspace";
    private static final QName STATE = new QName(Script.T, "currentState");
    private static final String XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116";
    private static final String SIMPLE =
        "http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple";

    private final WorkspaceFactoryPortType factory;
    private WorkspacePortType workspace;
    private String key;

    private Client(String base) throws Exception {
        factory = new WorkspaceFactoryServiceLocator().getWorkspaceFactoryPortTypePort(
            new URL(base + "/wsrf/services/WorkspaceFactoryService"));
    }

    private static QueryResourceProperties everything() throws Exception {
        MessageElement[] text = {new MessageElement(new Text("/"))};
        return new QueryResourceProperties(new QueryExpressionType(text, new URI(XPATH)));
    }

    private static <T> T only(QueryResourcePropertiesResponse answer, QName type, Class<T> as)
            throws Exception {
        return as.cast(answer.get_any()[0].getValueAsType(type, as));
    }

    /** Aims calls at the resource that an endpoint reference names. */
    private void bind(EndpointReferenceType epr) throws Exception {
        MessageElement name = epr.getReferenceProperties().get_any()[0];
        key = name.getValue();
        WorkspaceServiceLocator service = new WorkspaceServiceLocator();
        service.getHandlerRegistry().getHandlerChain(new QName("WorkspacePortTypePort"))
            .add(new HandlerInfo(Prefix.class, null, null));
        workspace = service.getWorkspacePortTypePort(
            new URL(epr.getAddress().get_value().toString()));
        ((Stub) workspace).setHeader(name.getNamespaceURI(), name.getLocalName(), key);
    }

    private CreatedWorkspace_Type create(
            VirtualWorkspace_Type metadata, WorkspaceDeployment_Type request) throws Exception {
        WorkspaceCreateRequest_Type message = new WorkspaceCreateRequest_Type();
        message.setMetadata(metadata);
        message.setResourceRequest(request);
        return factory.create(message).getCreatedWorkspace(0);
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
        consumer.setAddress(new AttributedURI(new URI(url)));
        Text text = new Text("t:" + STATE.getLocalPart());
        TopicExpressionType topic = new TopicExpressionType();
        topic.set_any(new MessageElement[] {new MessageElement(text)});
        topic.setDialect(new URI(SIMPLE));
        Subscribe message = new Subscribe();
        message.setConsumerReference(consumer);
        message.setTopicExpression(topic);
        EndpointReferenceType epr = workspace.subscribe(message).getSubscriptionReference();
        return epr.getReferenceProperties().get_any()[0].getValue();
    }

    /** Waits for a message that tells of a state. */
    private static String[] notified(String state) throws Exception {
        while (true) {
            NotificationMessageHolderType message = Consumer.heard.poll(300, TimeUnit.SECONDS);
            if (message == null) {
                throw new IllegalStateException("no notification came");
            }
            MessageElement told = ((ResourcePropertyValueChangeNotificationElementType)
                message.getMessage()).getResourcePropertyValueChangeNotification()
                .getNewValue().get_any()[0];
            CurrentState_Type now = (CurrentState_Type) told.getValueAsType(
                CurrentState_Type.getTypeDesc().getXmlType(), CurrentState_Type.class);
            if (now.getState().getValue().equals(state)) {
                return new String[] {"state=" + state, "key="
                    + message.getProducerReference().getReferenceProperties().get_any()[0].getValue()};
            }
        }
    }

    private void run(Path examples, Path deployment) throws Exception {
        FactoryRPSet offer = only(factory.queryResourceProperties(everything()),
            FactoryRPSet.getTypeDesc().getXmlType(), FactoryRPSet.class);
        String[] networks = offer.getAssociations();
        Arrays.sort(networks);
        Script.step("factory", "default=" + Script.seconds(offer.getDefaultRunningTime()),
            "maximum=" + Script.seconds(offer.getMaximumRunningTime()),
            "networks=" + String.join(",", networks));
        VirtualWorkspace_Type metadata = Script.document(factory, examples.resolve("metadata.xml"),
            VirtualWorkspace_Type.getTypeDesc().getXmlType(), VirtualWorkspace_Type.class);
        WorkspaceDeployment_Type request = Script.document(factory, examples.resolve("request.xml"),
            WorkspaceDeployment_Type.getTypeDesc().getXmlType(), WorkspaceDeployment_Type.class);
        CreatedWorkspace_Type made = create(metadata, request);
        bind(made.getEpr());
        Script.step("create", "key=" + key, "ip=" + made.getNetworking()[0].getIpConfig().getIpAddress());
        Script.step("state", until("Running"));
        ServiceRPSet whole = only(workspace.queryResourceProperties(everything()),
            ServiceRPSet.getTypeDesc().getXmlType(), ServiceRPSet.class);
        Script.step("document", "state=" + whole.getCurrentState().getState(),
            "memory=" + (long) whole.getResourceAllocation().getIndividualPhysicalMemory()
                .getExact(0).get_value(),
            "duration=" + Script.seconds(whole.getSchedule().getDuration()),
            "ip=" + whole.getLogistics().getNetworking()[0].getIpConfig().getIpAddress());
        Script.step("subscribe", "key=" + subscribe(Script.listen(deployment, "NotificationConsumerPort")));
        WorkspaceShutdownRequest_Type pause = new WorkspaceShutdownRequest_Type();
        pause.setShutdownType(ShutdownEnumeration.Pause);
        workspace.shutdown(pause);
        Script.step("pause", until("Paused"));
        Script.step("notification", notified("Paused"));
        workspace.start(new VoidType());
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
