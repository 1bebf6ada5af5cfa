package interop;

import static interop.Script.seconds;
import static interop.Script.step;

import com.sun.net.httpserver.HttpServer;
import com.sun.xml.ws.api.message.Headers;
import com.sun.xml.ws.developer.WSBindingProvider;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URL;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import javax.xml.bind.JAXBContext;
import javax.xml.bind.JAXBElement;
import javax.xml.datatype.DatatypeFactory;
import javax.xml.namespace.QName;
import javax.xml.transform.stream.StreamSource;
import javax.xml.ws.Endpoint;
import javax.xml.ws.Holder;
import javax.xml.ws.handler.Handler;
import org.globus._2008._06.workspace.FactoryRPSet;
import org.globus._2008._06.workspace.ServiceRPSet;
import org.globus._2008._06.workspace.WorkspaceFactoryPortType;
import org.globus._2008._06.workspace.WorkspaceFactoryService;
import org.globus._2008._06.workspace.WorkspacePortType;
import org.globus._2008._06.workspace.WorkspaceService;
import org.globus._2008._06.workspace.metadata.VirtualWorkspaceType;
import org.globus._2008._06.workspace.negotiable.WorkspaceDeploymentType;
import org.globus._2008._06.workspace.types.CreatedWorkspaceType;
import org.globus._2008._06.workspace.types.CurrentStateType;
import org.globus._2008._06.workspace.types.ShutdownEnumeration;
import org.globus._2008._06.workspace.types.VoidType;
import org.globus._2008._06.workspace.types.WorkspaceShutdownRequestType;
import org.globus.wsrf.core.notification.ResourcePropertyValueChangeNotificationElementType;
import org.oasis_open.docs.wsn._2004._06.wsn_ws_basenotification_1_2_draft_01.NotificationMessageHolderType;
import org.oasis_open.docs.wsn._2004._06.wsn_ws_basenotification_1_2_draft_01.TopicExpressionType;
import org.oasis_open.docs.wsrf._2004._06.wsrf_ws_resourceproperties_1_2_draft_01.QueryExpressionType;
import org.oasis_open.docs.wsrf._2004._06.wsrf_ws_resourceproperties_1_2_draft_01.QueryResourceProperties;
import org.oasis_open.docs.wsrf._2004._06.wsrf_ws_resourceproperties_1_2_draft_01.QueryResourcePropertiesResponse;
import org.xmlsoap.schemas.ws._2004._03.addressing.AttributedURI;
import org.xmlsoap.schemas.ws._2004._03.addressing.EndpointReferenceType;
import org.w3c.dom.Element;

/**
 * The common script of tests/interop on the first face, carried out by the reference
 * implementation of JAX-WS, whose server is behind the listener.
 *
 * <p>Usage: Client BASE FACE SOAP EXAMPLES
 */
public final class Client {
    private static final String W = "http://www.globus.org/2008/06/workspace";
    private static final String T = W + "/types";
    private static final String XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116";
    private static final String SIMPLE =
        "http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple";

    private final WorkspaceFactoryPortType factory;
    private final WorkspacePortType workspace;
    private final Consumer consumer = new Consumer();
    private String key;

    private Client(String base) throws Exception {
        String at = base + "/wsrf/services/";
        factory = new WorkspaceFactoryService(new URL(at + "WorkspaceFactoryService?wsdl"))
            .getWorkspaceFactoryPortTypePort();
        workspace = new WorkspaceService(new URL(at + "WorkspaceService?wsdl"))
            .getWorkspacePortTypePort();
    }

    private static <T> T document(Path path, Class<T> as) throws Exception {
        return JAXBContext.newInstance(VirtualWorkspaceType.class, WorkspaceDeploymentType.class)
            .createUnmarshaller().unmarshal(new StreamSource(path.toFile()), as).getValue();
    }

    private static QueryResourceProperties everything() {
        QueryExpressionType expression = new QueryExpressionType();
        expression.setDialect(XPATH);
        expression.getContent().add("/");
        QueryResourceProperties message = new QueryResourceProperties();
        message.setQueryExpression(expression);
        return message;
    }

    /** The element among mixed content, where white space may stand beside it. */
    private static <T> T only(QueryResourcePropertiesResponse answer, Class<T> as) {
        return answer.getContent().stream().filter(as::isInstance).map(as::cast).findFirst().get();
    }

    /** The text of an element of an xs:any: typed where a schema declares it, else DOM. */
    private static String text(Object any) {
        return any instanceof JAXBElement ? ((JAXBElement<?>) any).getValue().toString()
            : ((Element) any).getTextContent();
    }

    /** Aims calls at the resource that an endpoint reference names. */
    private void bind(EndpointReferenceType epr) {
        key = text(epr.getReferenceProperties().getAny().get(0));
        WSBindingProvider provider = (WSBindingProvider) workspace;
        provider.setAddress(epr.getAddress().getValue());
        provider.setOutboundHeaders(Headers.create(new QName(W, "WorkspaceKey"), key));
    }

    private CreatedWorkspaceType create(
            VirtualWorkspaceType metadata, WorkspaceDeploymentType request) throws Exception {
        Holder<List<CreatedWorkspaceType>> made = new Holder<>();
        factory.create(metadata, request, null, null, null, null, null, null,
            made, new Holder<>(), new Holder<>(), new Holder<>());
        return made.value.get(0);
    }

    private String state() throws Exception {
        Object property = workspace.getResourceProperty(new QName(T, "currentState")).getAny().get(0);
        return ((CurrentStateType) ((JAXBElement<?>) property).getValue()).getState().value();
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

    /** Publishes the consumer on a free port and returns where it is. */
    private String listen() throws Exception {
        HttpServer server = HttpServer.create(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 50);
        Endpoint.create(consumer).publish(server.createContext("/consumer"));
        server.start();
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/consumer";
    }

    @SuppressWarnings("rawtypes")
    private String subscribe(String url) throws Exception {
        EndpointReferenceType to = new EndpointReferenceType();
        AttributedURI address = new AttributedURI();
        address.setValue(url);
        to.setAddress(address);
        TopicExpressionType topic = new TopicExpressionType();
        topic.setDialect(SIMPLE);
        topic.getContent().add("t:currentState");
        WSBindingProvider provider = (WSBindingProvider) workspace;
        List<Handler> handlers = provider.getBinding().getHandlerChain();
        handlers.add(new Prefix("t", T));
        provider.getBinding().setHandlerChain(handlers);
        EndpointReferenceType epr = workspace.subscribe(to, topic, null, null, null, null, null);
        return text(epr.getReferenceProperties().getAny().get(0));
    }

    /** Waits for a message that tells of a state. */
    private String[] notified(String state) throws Exception {
        while (true) {
            NotificationMessageHolderType message = consumer.heard.poll(300, TimeUnit.SECONDS);
            if (message == null) {
                throw new IllegalStateException("no notification came");
            }
            Object told = ((ResourcePropertyValueChangeNotificationElementType) message.getMessage())
                .getResourcePropertyValueChangeNotification().getNewValue().getAny().get(0);
            CurrentStateType now = (CurrentStateType) ((JAXBElement<?>) told).getValue();
            if (now.getState().value().equals(state)) {
                return new String[] {"state=" + state, "key="
                    + text(message.getProducerReference().getReferenceProperties().getAny().get(0))};
            }
        }
    }

    private void run(Path examples) throws Exception {
        FactoryRPSet offer = only(factory.queryResourceProperties(everything()), FactoryRPSet.class);
        step("factory", "default=" + seconds(offer.getDefaultRunningTime()),
            "maximum=" + seconds(offer.getMaximumRunningTime()),
            "networks=" + offer.getAssociations().getAssociation().stream().sorted()
                .collect(Collectors.joining(",")));
        VirtualWorkspaceType metadata =
            document(examples.resolve("metadata.xml"), VirtualWorkspaceType.class);
        WorkspaceDeploymentType request =
            document(examples.resolve("request.xml"), WorkspaceDeploymentType.class);
        CreatedWorkspaceType made = create(metadata, request);
        bind(made.getEpr());
        step("create", "key=" + key,
            "ip=" + made.getNetworking().getNic().get(0).getIpConfig().getIpAddress());
        step("state", until("Running"));
        ServiceRPSet whole = only(workspace.queryResourceProperties(everything()), ServiceRPSet.class);
        step("document", "state=" + whole.getCurrentState().getState().value(),
            "memory=" + (long) whole.getResourceAllocation().getIndividualPhysicalMemory()
                .getExact().get(0).getValue(),
            "duration=" + seconds(whole.getSchedule().getDuration()),
            "ip=" + whole.getLogistics().getNetworking().getNic().get(0).getIpConfig().getIpAddress());
        step("subscribe", "key=" + subscribe(listen()));
        WorkspaceShutdownRequestType pause = new WorkspaceShutdownRequestType();
        pause.setShutdownType(ShutdownEnumeration.PAUSE);
        workspace.shutdown(pause);
        step("pause", until("Paused"));
        step("notification", notified("Paused"));
        workspace.start(new VoidType());
        step("start", until("Running"));
        request.getDeploymentTime().setMinDuration(
            DatatypeFactory.newInstance().newDuration("P1000D"));
        step("denied", Script.refused(() -> create(metadata, request)));
        workspace.destroy();
        step("destroy");
        step("gone", Script.refused(this::state));
    }

    public static void main(String[] args) throws Exception {
        new Client(args[0]).run(Path.of(args[3]));
        System.exit(0); // the listener has threads of its own
    }
}
