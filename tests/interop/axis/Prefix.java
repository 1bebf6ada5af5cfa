package interop;

import javax.xml.namespace.QName;
import javax.xml.rpc.JAXRPCException;
import javax.xml.rpc.handler.GenericHandler;
import javax.xml.rpc.handler.MessageContext;
import javax.xml.rpc.handler.soap.SOAPMessageContext;
import javax.xml.soap.SOAPException;

/** Prefix declares the prefix of topics' names, which are mixed content: text to Axis. */
public class Prefix extends GenericHandler {
    @Override
    public QName[] getHeaders() {
        return new QName[0];
    }

    @Override
    public boolean handleRequest(MessageContext context) {
        try {
            ((SOAPMessageContext) context).getMessage().getSOAPPart().getEnvelope()
                .addNamespaceDeclaration("t", Script.T);
            return true;
        } catch (SOAPException e) {
            throw new JAXRPCException(e);
        }
    }
}
