package interop;

import static interop.Script.seconds;
import static interop.Script.step;

import com.sun.net.httpserver.HttpServer;
import consumer.NotificationMessageHolderType;
import consumer.ResourcePropertyValueChangeNotificationType;
import factory.CreatedType;
import factory.FactoryProperties;
import factory.VirtualWorkspaceType;
import factory.WorkspaceDeploymentType;
import factory.WorkspaceFactory;
import factory.WorkspaceFactoryPort;
import workspace.CurrentStateType;
import workspace.FilterType;
import workspace.ShutdownEnumeration;
import workspace.Subscribe;
import workspace.TopicExpression;
import workspace.Workspace;
import workspace.WorkspacePort;
import workspace.WorkspaceProperties;
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
import javax.xml.transform.dom.DOMResult;
import javax.xml.transform.stream.StreamSource;
import javax.xml.ws.BindingProvider;
import javax.xml.ws.Endpoint;
import javax.xml.ws.EndpointReference;
import javax.xml.ws.Holder;
import javax.xml.ws.handler.Handler;
import javax.xml.ws.soap.AddressingFeature;
import javax.xml.ws.soap.SOAPBinding;
import javax.xml.ws.wsaddressing.W3CEndpointReferenceBuilder;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

/**
 * The common script of tests/interop on the second face, carried out by the reference
 * implementation of JAX-WS with its WS-Addressing, and its server behind the listener.
 *
 * <p>Usage: Client BASE FACE SOAP EXAMPLES
 */
public final class Client {
    private static final String W = "http://www.globus.org/2008/06/workspace";
    private static final String T = W + "/types";
    private static final String P = "urn:philoxenia:2026:workspace";
    private static final String WSA = "http://www.w3.org/2005/08/addressing";
    private static final String XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116";
    private static final String CONCRETE =
        "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete";

    private final boolean soap12;
    private final WorkspaceFactoryPort factories;
    private final Workspace service;
    private final Consumer listener = new Consumer();
    private WorkspacePort port;
    private String key;

    private Client(String base, boolean soap12) throws Exception {
        this.soap12 = soap12;
        WorkspaceFactory made = new WorkspaceFactory(new URL(base + "/ws/WorkspaceFactory?wsdl"));
        factories = soap12 ? made.getWorkspaceFactorySOAP12(new AddressingFeature(true, true))
            : made.getWorkspaceFactorySOAP11(new AddressingFeature(true, true));
        service = new Workspace(new URL(base + "/ws/Workspace?wsdl"));
    }

    private static <T> T document(Path path, Class<T> as) throws Exception {
        return JAXBContext.newInstance(VirtualWorkspaceType.class, WorkspaceDeploymentType.class)
            .createUnmarshaller().unmarshal(new StreamSource(path.toFile()), as).getValue();
    }

    /** The element among mixed content, where white space may stand beside it. */
    private static <T> T only(List<Object> content, Class<T> as) {
        return content.stream().filter(as::isInstance).map(as::cast).findFirst().get();
    }

    private FactoryProperties offer() throws Exception {
        factory.QueryExpression expression = new factory.QueryExpression();
        expression.setDialect(XPATH);
        expression.getContent().add("/");
        factory.QueryResourceProperties message = new factory.QueryResourceProperties();
        message.setQueryExpression(expression);
        return only(factories.queryResourceProperties(message).getContent(),
            FactoryProperties.class);
    }

    private WorkspaceProperties whole() throws Exception {
        workspace.QueryExpression expression = new workspace.QueryExpression();
        expression.setDialect(XPATH);
        expression.getContent().add("/");
        workspace.QueryResourceProperties message = new workspace.QueryResourceProperties();
        message.setQueryExpression(expression);
        return only(port.queryResourceProperties(message).getContent(),
            WorkspaceProperties.class);
    }

    /** A reference parameter. */
    private static Element parameter(EndpointReference epr, String space, String name) {
        DOMResult whole = new DOMResult();
        epr.writeTo(whole);
        return (Element) ((Document) whole.getNode()).getElementsByTagNameNS(space, name).item(0);
    }

    /**
     * Makes a port of the reference: JAX-WS itself puts the parameters into the header. The
     * reference says nothing of the version of SOAP, so it is built anew with the port's name.
     */
    private void bind(EndpointReference epr) {
        Element parameter = parameter(epr, W, "WorkspaceKey");
        key = parameter.getTextContent();
        EndpointReference named = new W3CEndpointReferenceBuilder()
            .address(parameter(epr, WSA, "Address").getTextContent()).referenceParameter(parameter)
            .serviceName(new QName(P, "Workspace"))
            .endpointName(new QName(P, soap12 ? "WorkspaceSOAP12" : "WorkspaceSOAP11")).build();
        port = service.getPort(named, WorkspacePort.class, new AddressingFeature(true, true));
    }

    private CreatedType create(
            VirtualWorkspaceType metadata, WorkspaceDeploymentType request) throws Exception {
        Holder<List<CreatedType>> made = new Holder<>();
        factories.create(metadata, request, null, made, new Holder<>());
        return made.value.get(0);
    }

    private String state() throws Exception {
        Object property = port.getResourceProperty(new QName(T, "currentState")).getAny().get(0);
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
        Endpoint endpoint = Endpoint.create(
            soap12 ? SOAPBinding.SOAP12HTTP_BINDING : SOAPBinding.SOAP11HTTP_BINDING, listener);
        endpoint.publish(server.createContext("/consumer"));
        server.start();
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/consumer";
    }

    @SuppressWarnings("rawtypes")
    private String subscribe(String url) throws Exception {
        TopicExpression topic = new TopicExpression();
        topic.setDialect(CONCRETE);
        topic.getContent().add("t:currentState");
        FilterType filter = new FilterType();
        filter.getAny().add(topic);
        Subscribe message = new Subscribe();
        message.setConsumerReference(new W3CEndpointReferenceBuilder().address(url).build());
        message.setFilter(filter);
        BindingProvider provider = (BindingProvider) port;
        List<Handler> handlers = provider.getBinding().getHandlerChain();
        handlers.add(new Prefix("t", T));
        provider.getBinding().setHandlerChain(handlers);
        return parameter(port.subscribe(message).getSubscriptionReference(),
            "http://www.globus.org/namespaces/2004/06/core", "SubscriptionKey").getTextContent();
    }

    /** Waits for a message that tells of a state. */
    private String[] notified(String state) throws Exception {
        while (true) {
            NotificationMessageHolderType message = listener.heard.poll(300, TimeUnit.SECONDS);
            if (message == null) {
                throw new IllegalStateException("no notification came");
            }
            Object change = ((JAXBElement<?>) message.getMessage().getAny()).getValue();
            Object told = ((ResourcePropertyValueChangeNotificationType) change)
                .getNewValues().getAny().get(0);
            consumer.CurrentStateType now =
                (consumer.CurrentStateType) ((JAXBElement<?>) told).getValue();
            if (now.getState().value().equals(state)) {
                Object key = message.getProducerReference().getReferenceParameters().getAny().get(0);
                return new String[] {"state=" + state, "key=" + ((JAXBElement<?>) key).getValue()};
            }
        }
    }

    private void run(Path examples) throws Exception {
        FactoryProperties offer = offer();
        step("factory", "default=" + seconds(offer.getDefaultRunningTime()),
            "maximum=" + seconds(offer.getMaximumRunningTime()),
            "networks=" + offer.getAssociations().getAssociation().stream().sorted()
                .collect(Collectors.joining(",")));
        VirtualWorkspaceType metadata =
            document(examples.resolve("metadata.xml"), VirtualWorkspaceType.class);
        WorkspaceDeploymentType request =
            document(examples.resolve("request.xml"), WorkspaceDeploymentType.class);
        CreatedType made = create(metadata, request);
        bind(made.getReference());
        step("create", "key=" + key,
            "ip=" + made.getNetworking().getNic().get(0).getIpConfig().getIpAddress());
        step("state", until("Running"));
        WorkspaceProperties whole = whole();
        step("document", "state=" + whole.getCurrentState().getState().value(),
            "memory=" + (long) whole.getResourceAllocation().getIndividualPhysicalMemory()
                .getExact().get(0).getValue(),
            "duration=" + seconds(whole.getSchedule().getDuration()),
            "ip=" + whole.getLogistics().getNetworking().getNic().get(0).getIpConfig().getIpAddress());
        step("subscribe", "key=" + subscribe(listen()));
        port.shutdown(ShutdownEnumeration.PAUSE, null);
        step("pause", until("Paused"));
        step("notification", notified("Paused"));
        port.start();
        step("start", until("Running"));
        request.getDeploymentTime().setMinDuration(
            DatatypeFactory.newInstance().newDuration("P1000D"));
        step("denied", Script.refused(() -> create(metadata, request)));
        port.destroy();
        step("destroy");
        step("gone", Script.refused(this::state));
    }

    public static void main(String[] args) throws Exception {
        new Client(args[0], args[2].equals("1.2")).run(Path.of(args[3]));
        System.exit(0); // the listener has threads of its own
    }
}
