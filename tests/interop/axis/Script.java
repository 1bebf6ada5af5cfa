package interop;

import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.InputStreamReader;
import java.io.StringReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.xml.namespace.QName;
import org.apache.axis.AxisFault;
import org.apache.axis.Message;
import org.apache.axis.MessageContext;
import org.apache.axis.client.Stub;
import org.apache.axis.configuration.FileProvider;
import org.apache.axis.description.TypeDesc;
import org.apache.axis.encoding.DeserializationContext;
import org.apache.axis.transport.http.SimpleAxisServer;
import org.apache.axis.types.Duration;
import org.xml.sax.InputSource;

/** Script is what the clients of both faces share. */
final class Script {
    static final String T = "http://www.globus.org/2008/06/workspace/types";

    private static final BufferedReader ANSWERS =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    private Script() {}

    /** Tells the judge what a step gave, as key=value, and waits until it has looked. */
    static void step(String name, String... values) throws Exception {
        StringBuilder line = new StringBuilder("step\t").append(name);
        for (String value : values) {
            line.append('\t').append(value);
        }
        System.out.println(line);
        if (!"go".equals(ANSWERS.readLine())) {
            System.exit(1);
        }
    }

    /** The length of a duration without years and months. */
    static long seconds(Duration d) {
        return ((d.getDays() * 24L + d.getHours()) * 60 + d.getMinutes()) * 60
            + (long) d.getSeconds();
    }

    /** Reads a document as the type of its root, with the mappings of a stub that was used. */
    static <V> V document(Object stub, Path path, QName type, Class<V> as) throws Exception {
        String text = Files.readString(path).replaceFirst("<\\?xml.*?\\?>", "");
        String envelope = "<s:Envelope xmlns:s='http://schemas.xmlsoap.org/soap/envelope/'><s:Body>"
            + text + "</s:Body></s:Envelope>";
        MessageContext context = ((Stub) stub)._getCall().getMessageContext();
        DeserializationContext parser = new DeserializationContext(
            new InputSource(new StringReader(envelope)), context, Message.REQUEST);
        parser.parse();
        return as.cast(parser.getEnvelope().getFirstBody().getValueAsType(type, as));
    }

    /** Starts Axis' own server with a generated deployment and returns where a service is. */
    static String listen(Path deployment, String service) throws Exception {
        String config = Files.readString(deployment).replace("</deployment>",
            "<transport name='http'><requestFlow>"
                + "<handler type='java:org.apache.axis.handlers.http.URLMapper'/>"
                + "</requestFlow></transport></deployment>");
        SimpleAxisServer server = new SimpleAxisServer(10);
        server.setMyConfig(new FileProvider(
            new ByteArrayInputStream(config.getBytes(StandardCharsets.UTF_8))));
        ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        server.setServerSocket(socket);
        server.start(true);
        return "http://127.0.0.1:" + socket.getLocalPort() + "/axis/services/" + service;
    }

    /** A call that may fail. */
    interface Call {
        void run() throws Exception;
    }

    /**
     * The type and the words of the fault that a call must end in: a generated exception, of a
     * class that extends the face's BaseFaultType.
     */
    static String[] refused(Call call) throws Exception {
        try {
            call.run();
        } catch (AxisFault fault) {
            TypeDesc type = (TypeDesc) fault.getClass().getMethod("getTypeDesc").invoke(null);
            Object[] all = (Object[]) fault.getClass().getMethod("getDescription").invoke(fault);
            StringBuilder words = new StringBuilder();
            for (Object one : all) {
                words.append(one.getClass().getMethod("get_value").invoke(one));
            }
            return new String[] {"type=" + type.getXmlType(), "description=" + words};
        }
        throw new IllegalStateException("a fault was expected");
    }
}
