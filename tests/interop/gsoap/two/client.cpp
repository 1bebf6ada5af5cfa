// The common script of tests/interop on the second face, carried out by gSOAP,
// whose server is behind the listener. wsdl2h makes one service of all that it
// reads, named for the first.
//
// Usage: client BASE FACE SOAP EXAMPLES

#include "soapWorkspaceFactoryPortSOAP11BindingProxy.h"
#include "soapWorkspaceFactoryPortSOAP11BindingService.h"
#include "WorkspaceFactoryPortSOAP11Binding.nsmap"
#include "../script.h"

namespace {

const char *const xpath = "http://www.w3.org/TR/1999/REC-xpath-19991116";
const char *const concrete = "http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete";

using Proxy = WorkspaceFactoryPortSOAP11BindingProxy;

// Consumer is gSOAP's server for Notify, one connection after the other.
class Consumer : public WorkspaceFactoryPortSOAP11BindingService {
  public:
    Consumer() : url(open(soap)) {}

    WorkspaceFactoryPortSOAP11BindingService *copy() override { return nullptr; }

    int Notify(_nt__Notify *notify) override {
        for (auto *m : notify->NotificationMessage) {
            heard.push_back({{"state", m->Message->__any},
                {"key", content(m->ProducerReference->ReferenceParameters->__any[0])}});
        }
        return send_Notify_empty_response(SOAP_OK);
    }

    // until waits for a message that tells of a state.
    Values until(struct soap *context, const std::string &state) {
        while (true) {
            for (auto &message : heard) {
                rp__ResourcePropertyValueChangeNotificationType change;
                typed(context, message[0].second.c_str(), &change,
                    soap_read_rp__ResourcePropertyValueChangeNotificationType);
                t__CurrentState_USCOREType now;
                typed(context, change.NewValues->__any[0], &now, soap_read_t__CurrentState_USCOREType);
                if (soap_t__currentState_USCOREEnumeration2s(context, now.state) == state) {
                    return {{"state", state}, message[1]};
                }
            }
            heard.clear();
            if (!soap_valid_socket(accept())) give_up("no notification came");
            serve();
            destroy();
        }
    }

    const std::string url;

  private:
    std::vector<Values> heard;
};

// soap11 is the generated table of namespaces with SOAP 1.1 for 1.2, whose
// bindings are in the WSDL too.
Namespace *soap11() {
    static std::vector<Namespace> table;
    for (Namespace *n = namespaces; table.empty() || table.back().id; n++) table.push_back(*n);
    table[0].ns = "http://schemas.xmlsoap.org/soap/envelope/";
    table[1].ns = "http://schemas.xmlsoap.org/soap/encoding/";
    table[0].in = table[1].in = nullptr;
    return table.data();
}

// Two is the second face.
class Two {
  public:
    Two(const std::string &base, bool soap12) : factory(base + "/ws/WorkspaceFactory") {
        if (!soap12) soap_set_namespaces(proxy.soap, soap11());
    }

    // aim sends the next call to the factory. What is left of the last reply's
    // header goes, or it would be sent back.
    void aim() {
        proxy.soap_endpoint = factory.c_str();
        proxy.soap->header = nullptr;
    }

    // aim_at_workspace sends the next call to the workspace, with its key.
    void aim_at_workspace() {
        proxy.soap_endpoint = at.c_str();
        proxy.soap->header = soap_new_SOAP_ENV__Header(proxy.soap);
        proxy.soap->header->w__WorkspaceKey = copy(proxy.soap, key);
    }

    // done ends the script unless a call went well.
    void done(int result) {
        if (result == SOAP_OK) return;
        std::ostringstream why;
        soap_stream_fault(proxy.soap, why);
        give_up(why.str());
    }

    // bind keeps the resource that a reply names.
    void bind(p__CreatedType *made) {
        at = made->Reference->Address->__item;
        key = made->Key;
    }

    // query asks what the last aim was at for its whole document.
    const char *query() {
        _rp__QueryResourceProperties message;
        message.QueryExpression = soap_new__rp__QueryExpression(proxy.soap);
        message.QueryExpression->Dialect = copy(proxy.soap, xpath);
        message.QueryExpression->__mixed = copy(proxy.soap, "/");
        auto *answer = soap_new__rp__QueryResourcePropertiesResponse(proxy.soap);
        done(proxy.QueryResourceProperties(&message, *answer));
        return answer->__any[0];
    }

    int create(_p__Create *request, _p__CreateResponse &answer) {
        aim();
        return proxy.Create(request, answer);
    }

    int property(_rp__GetResourcePropertyResponse &answer) {
        aim_at_workspace();
        return proxy.GetResourceProperty(copy(proxy.soap, "t:currentState"), answer);
    }

    std::string state() {
        _rp__GetResourcePropertyResponse answer;
        done(property(answer));
        t__CurrentState_USCOREType now;
        typed(proxy.soap, answer.__any[0], &now, soap_read_t__CurrentState_USCOREType);
        return soap_t__currentState_USCOREEnumeration2s(proxy.soap, now.state);
    }

    std::string until(const std::string &state) {
        for (int i = 0; i < 6000; i++) {
            if (this->state() == state) return state;
            usleep(50000);
        }
        give_up("the workspace is " + this->state() + ", not " + state);
    }

    std::string subscribe(const std::string &url) {
        auto *consumer = soap_new_wsa5__EndpointReferenceType(proxy.soap);
        consumer->Address = soap_new__wsa5__Address(proxy.soap);
        consumer->Address->__item = copy(proxy.soap, url);
        // For the elements of an xs:any gSOAP takes XML.
        std::string topic = std::string("<nt:TopicExpression Dialect=\"") + concrete +
            "\">t:currentState</nt:TopicExpression>";
        _nt__Subscribe message;
        message.ConsumerReference = consumer;
        message.Filter = soap_new_nt__FilterType(proxy.soap);
        message.Filter->__any.push_back(copy(proxy.soap, topic));
        _nt__SubscribeResponse answer;
        aim_at_workspace();
        done(proxy.Subscribe(&message, answer));
        return content(answer.SubscriptionReference->ReferenceParameters->__any[0]);
    }

    // refused returns the type and the words of the fault that a call must end in.
    Values refused(int result) {
        auto *whole = proxy.soap->fault;
        auto *detail = whole ? (whole->detail ? whole->detail : whole->SOAP_ENV__Detail) : nullptr;
        if (!detail) {
            done(result);
            give_up("a fault was expected");
        }
        bf__BaseFaultType *fault = nullptr;
        std::string type;
        if ((fault = detail->p__RequestDeniedFault)) {
            type = "{urn:philoxenia:2026:workspace}RequestDeniedFault";
        } else if ((fault = detail->r__ResourceUnknownFault)) {
            type = "{http://docs.oasis-open.org/wsrf/r-2}ResourceUnknownFault";
        } else {
            give_up("the fault has none of the types that were expected");
        }
        return {{"type", type}, {"description", fault->Description.at(0)->__item}};
    }

    Proxy proxy;
    std::string key;

  private:
    const std::string factory;
    std::string at;
};

void run(const std::string &base, bool soap12, const std::string &examples) {
    Two f(base, soap12);
    // What gSOAP leaves as XML has lost the declarations outside of it.
    soap reader(SOAP_XML_IGNORENS);
    reader.namespaces = namespaces;
    _p__FactoryProperties offer;
    f.aim();
    typed(&reader, f.query(), &offer, soap_read__p__FactoryProperties);
    step("factory", {{"default", std::to_string(seconds(offer.t__DefaultRunningTime))},
        {"maximum", std::to_string(seconds(offer.t__MaximumRunningTime))},
        {"networks", sorted(offer.t__Associations->association)}});

    m__VirtualWorkspace_USCOREType metadata;
    n__WorkspaceDeployment_USCOREType request;
    document(&reader, examples + "/metadata.xml", &metadata, soap_read_m__VirtualWorkspace_USCOREType);
    document(&reader, examples + "/request.xml", &request, soap_read_n__WorkspaceDeployment_USCOREType);
    _p__Create create;
    create.m__VirtualWorkspace = &metadata;
    create.n__WorkspaceDeployment = &request;
    _p__CreateResponse answer;
    f.done(f.create(&create, answer));
    auto *made = answer.Workspace.at(0);
    f.bind(made);
    step("create", {{"key", f.key}, {"ip", *made->l__networking->nic.at(0)->ipConfig->ipAddress}});
    step("state", {{"state", f.until("Running")}});

    _p__WorkspaceProperties whole;
    f.aim_at_workspace();
    typed(&reader, f.query(), &whole, soap_read__p__WorkspaceProperties);
    auto *memory = whole.n__ResourceAllocation->jsdl__IndividualPhysicalMemory;
    step("document", {
        {"state", soap_t__currentState_USCOREEnumeration2s(&reader, whole.t__currentState->state)},
        {"memory", std::to_string(static_cast<long>(memory->Exact.at(0)->__item))},
        {"duration", std::to_string(seconds(whole.t__schedule->Duration))},
        {"ip", *whole.l__logistics->networking->nic.at(0)->ipConfig->ipAddress}});

    Consumer consumer;
    step("subscribe", {{"key", f.subscribe(consumer.url)}});
    _p__Shutdown pause;
    pause.Type = p__ShutdownEnumeration__Pause;
    _p__ShutdownResponse paused;
    f.aim_at_workspace();
    f.done(f.proxy.Shutdown(&pause, paused));
    step("pause", {{"state", f.until("Paused")}});
    step("notification", consumer.until(&reader, "Paused"));
    _p__Start start;
    _p__StartResponse started;
    f.aim_at_workspace();
    f.done(f.proxy.Start(&start, started));
    step("start", {{"state", f.until("Running")}});

    request.DeploymentTime->minDuration = copy(&reader, "P1000D");
    step("denied", f.refused(f.create(&create, answer)));
    _rl__Destroy destroy;
    _rl__DestroyResponse destroyed;
    f.aim_at_workspace();
    f.done(f.proxy.Destroy(&destroy, destroyed));
    step("destroy");
    _rp__GetResourcePropertyResponse gone;
    step("gone", f.refused(f.property(gone)));
}

}  // namespace

int main(int count, char **arguments) {
    if (count < 5) give_up("usage: client BASE FACE SOAP EXAMPLES");
    run(arguments[1], arguments[3] == std::string("1.2"), arguments[4]);
}
