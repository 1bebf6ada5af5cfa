/* What the WSDL cannot say: a reference property travels as a header block. */
struct SOAP_ENV__Header
{
    char *w__WorkspaceKey 0;
};
