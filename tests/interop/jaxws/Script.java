package interop;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import javax.xml.datatype.Duration;
import javax.xml.ws.WebFault;

/** Script is what the clients of both faces share: telling the judge, and faults. */
final class Script {
    private static final BufferedReader ANSWERS =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));

    private Script() {}

    /** Tells the judge what a step gave, as key=value, and waits until it has looked. */
    static void step(String name, String... values) throws Exception {
        System.out.println("step\t" + name
            + List.of(values).stream().map(v -> "\t" + v).collect(Collectors.joining()));
        if (!"go".equals(ANSWERS.readLine())) {
            System.exit(1);
        }
    }

    /** The length of a duration without years and months. */
    static long seconds(Duration d) {
        return ((d.getDays() * 24L + d.getHours()) * 60 + d.getMinutes()) * 60 + d.getSeconds();
    }

    /** A call that may fail. */
    interface Call {
        void run() throws Exception;
    }

    /**
     * The type and the words of the fault that a call must end in: a generated exception, whose
     * detail is a generated class that extends the face's BaseFaultType.
     */
    static String[] refused(Call call) throws Exception {
        try {
            call.run();
        } catch (Exception e) {
            WebFault fault = e.getClass().getAnnotation(WebFault.class);
            if (fault == null) {
                throw e;
            }
            Object detail = e.getClass().getMethod("getFaultInfo").invoke(e);
            List<?> words = (List<?>) detail.getClass().getMethod("getDescription").invoke(detail);
            Object first = words.get(0);
            return new String[] {"type={" + fault.targetNamespace() + "}" + fault.name(),
                "description=" + first.getClass().getMethod("getValue").invoke(first)};
        }
        throw new IllegalStateException("a fault was expected");
    }
}
