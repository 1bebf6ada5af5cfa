package interop;

import java.util.Set;
import javax.xml.namespace.QName;
import javax.xml.soap.SOAPException;
import javax.xml.ws.WebServiceException;
import javax.xml.ws.handler.MessageContext;
import javax.xml.ws.handler.soap.SOAPHandler;
import javax.xml.ws.handler.soap.SOAPMessageContext;

/** Prefix declares the prefix of topics' names, which are mixed content: text to JAXB. */
class Prefix implements SOAPHandler<SOAPMessageContext> {
    private final String prefix;
    private final String space;

    Prefix(String prefix, String space) {
        this.prefix = prefix;
        this.space = space;
    }

    @Override
    public boolean handleMessage(SOAPMessageContext context) {
        try {
            if ((Boolean) context.get(MessageContext.MESSAGE_OUTBOUND_PROPERTY)) {
                context.getMessage().getSOAPPart().getEnvelope()
                    .addNamespaceDeclaration(prefix, space);
            }
            return true;
        } catch (SOAPException e) {
            throw new WebServiceException(e);
        }
    }

    @Override
    public boolean handleFault(SOAPMessageContext context) {
        return true;
    }

    @Override
    public void close(MessageContext context) {
        // nothing is held
    }

    @Override
    public Set<QName> getHeaders() {
        return Set.of();
    }
}
