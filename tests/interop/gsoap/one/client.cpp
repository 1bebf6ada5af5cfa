// The common script of tests/interop on the first face, carried out by gSOAP,
// whose server is behind the listener.
//
// Usage: client BASE FACE SOAP EXAMPLES

#include "soapNotificationConsumerSOAPBindingService.h"
#include "soapWorkspaceFactoryPortTypeSOAPBindingProxy.h"
#include "WorkspaceFactoryPortTypeSOAPBinding.nsmap"
#include "../script.h"

namespace {

const char *const xpath = "http://www.w3.org/TR/1999/REC-xpath-19991116";
const char *const simple = "http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple";

using Proxy = WorkspaceFactoryPortTypeSOAPBindingProxy;

// Consumer is gSOAP's server for Notify, one connection after the other.
class Consumer : public NotificationConsumerSOAPBindingService {
  public:
    Consumer() : url(open(soap)) {}

    NotificationConsumerSOAPBindingService *copy() override { return nullptr; }

    int Notify(_nt__Notify *notify) override {
        for (auto *m : notify->NotificationMessage) {
            auto *change = dynamic_cast<ns1__ResourcePropertyValueChangeNotificationElementType *>(m->Message);
            if (!change) give_up("the message of a notification has no type");
            auto *told = change->rp__ResourcePropertyValueChangeNotification->NewValue->__any[0];
            heard.push_back({{"state", told}, {"key", content(m->ProducerReference->ReferenceProperties->__any[0])}});
        }
        return send_Notify_empty_response(SOAP_OK);
    }

    // until waits for a message that tells of a state.
    Values until(struct soap *context, const std::string &state) {
        while (true) {
            for (auto &message : heard) {
                t__currentState_USCOREType now;
                typed(context, message[0].second.c_str(), &now, soap_read_t__currentState_USCOREType);
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

// One is the first face.
class One {
  public:
    explicit One(const std::string &base) : factory(base + "/wsrf/services/WorkspaceFactoryService") {}

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

    // bind keeps the resource that an endpoint reference names.
    void bind(wsa4__EndpointReferenceType *epr) {
        at = epr->Address;
        key = content(epr->ReferenceProperties->__any[0]);
    }

    // query asks what the last aim was at for its whole document.
    const char *query() {
        _rp__QueryResourceProperties message;
        message.QueryExpression = soap_new_rp__QueryExpressionType(proxy.soap);
        message.QueryExpression->Dialect = copy(proxy.soap, xpath);
        message.QueryExpression->__mixed = copy(proxy.soap, "/");
        auto *answer = soap_new__rp__QueryResourcePropertiesResponse(proxy.soap);
        done(proxy.QueryResourceProperties(&message, *answer));
        return answer->__any[0];
    }

    int create(t__WorkspaceCreateRequest_USCOREType *request, t__WorkspaceCreateResponse_USCOREType &answer) {
        aim();
        return proxy.create(request, answer);
    }

    int property(rp__AnyContentType &answer) {
        aim_at_workspace();
        return proxy.GetResourceProperty(copy(proxy.soap, "t:currentState"), answer);
    }

    std::string state() {
        rp__AnyContentType answer;
        done(property(answer));
        t__currentState_USCOREType now;
        typed(proxy.soap, answer.__any[0], &now, soap_read_t__currentState_USCOREType);
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
        _nt__Subscribe message;
        message.ConsumerReference = soap_new_wsa4__EndpointReferenceType(proxy.soap);
        message.ConsumerReference->Address = copy(proxy.soap, url);
        message.TopicExpression = soap_new_nt__TopicExpressionType(proxy.soap);
        message.TopicExpression->Dialect = copy(proxy.soap, simple);
        message.TopicExpression->__mixed = copy(proxy.soap, "t:currentState");
        _nt__SubscribeResponse answer;
        aim_at_workspace();
        done(proxy.Subscribe(&message, answer));
        return content(answer.SubscriptionReference->ReferenceProperties->__any[0]);
    }

    // refused returns the type and the words of the fault that a call must end in.
    Values refused(int result) {
        if (!proxy.soap->fault || !proxy.soap->fault->detail) {
            done(result);
            give_up("a fault was expected");
        }
        auto *detail = proxy.soap->fault->detail;
        bf__BaseFaultType *fault = nullptr;
        std::string type;
        if ((fault = detail->t__WorkspaceResourceRequestDeniedFault)) {
            type = "{http://www.globus.org/2008/06/workspace/types}WorkspaceResourceRequestDeniedFault";
        } else if ((fault = detail->rp__ResourceUnknownFault)) {
            type = "{http://docs.oasis-open.org/wsrf/2004/06/wsrf-WS-ResourceProperties-1.2-draft-01.xsd}ResourceUnknownFault";
        } else {
            give_up("the fault has none of the types that were expected");
        }
        return {{"type", type}, {"description", fault->Description.at(0)->__item}};
    }

    Proxy proxy;
    std::string key;

  private:
    std::string factory;
    std::string at;
};

void run(const std::string &base, const std::string &examples) {
    One f(base);
    soap reader;
    reader.namespaces = namespaces;
    _w__FactoryRPSet offer;
    f.aim();
    typed(&reader, f.query(), &offer, soap_read__w__FactoryRPSet);
    step("factory", {{"default", std::to_string(seconds(offer.t__DefaultRunningTime))},
        {"maximum", std::to_string(seconds(offer.t__MaximumRunningTime))}, {"networks", sorted(offer.t__Associations->association)}});

    m__VirtualWorkspace_USCOREType metadata;
    n__WorkspaceDeployment_USCOREType request;
    document(&reader, examples + "/metadata.xml", &metadata, soap_read_m__VirtualWorkspace_USCOREType);
    document(&reader, examples + "/request.xml", &request, soap_read_n__WorkspaceDeployment_USCOREType);
    t__WorkspaceCreateRequest_USCOREType create;
    create.metadata = &metadata;
    create.resourceRequest = &request;
    t__WorkspaceCreateResponse_USCOREType answer;
    f.done(f.create(&create, answer));
    auto *made = answer.CreatedWorkspace.at(0);
    f.bind(made->epr);
    step("create", {{"key", f.key}, {"ip", *made->l__networking->nic.at(0)->ipConfig->ipAddress}});
    step("state", {{"state", f.until("Running")}});

    _w__ServiceRPSet whole;
    f.aim_at_workspace();
    typed(&reader, f.query(), &whole, soap_read__w__ServiceRPSet);
    auto *memory = whole.n__ResourceAllocation->jsdl__IndividualPhysicalMemory;
    step("document", {{"state", soap_t__currentState_USCOREEnumeration2s(&reader, whole.t__currentState->state)},
        {"memory", std::to_string(static_cast<long>(memory->Exact.at(0)->__item))},
        {"duration", std::to_string(seconds(whole.t__schedule->Duration))},
        {"ip", *whole.l__logistics->networking->nic.at(0)->ipConfig->ipAddress}});

    Consumer consumer;
    step("subscribe", {{"key", f.subscribe(consumer.url)}});
    t__WorkspaceShutdownRequest_USCOREType pause;
    pause.shutdownType = t__shutdownEnumeration__Pause;
    t__voidType nothing, empty;
    f.aim_at_workspace();
    f.done(f.proxy.shutdown(&pause, nothing));
    step("pause", {{"state", f.until("Paused")}});
    step("notification", consumer.until(&reader, "Paused"));
    f.aim_at_workspace();
    f.done(f.proxy.start(&empty, nothing));
    step("start", {{"state", f.until("Running")}});

    request.DeploymentTime->minDuration = copy(&reader, "P1000D");
    step("denied", f.refused(f.create(&create, answer)));
    _rl__Destroy destroy;
    _rl__DestroyResponse destroyed;
    f.aim_at_workspace();
    f.done(f.proxy.Destroy(&destroy, destroyed));
    step("destroy");
    rp__AnyContentType gone;
    step("gone", f.refused(f.property(gone)));
}

}  // namespace

int main(int count, char **arguments) {
    if (count < 5) give_up("usage: client BASE FACE SOAP EXAMPLES");
    run(arguments[1], arguments[4]);
}
