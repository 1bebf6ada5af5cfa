<?php
// The common script of tests/interop, carried out by PHP's SoapClient, with
// its SoapServer behind the listener.
//
// Usage: client.php BASE FACE SOAP EXAMPLES

declare(strict_types=1);

const W = 'http://www.globus.org/2008/06/workspace';
const T = W . '/types';
const RP = 'http://docs.oasis-open.org/wsrf/2004/06/wsrf-WS-ResourceProperties-1.2-draft-01.xsd';
const WSA = 'http://schemas.xmlsoap.org/ws/2004/03/addressing';
const NT = 'http://docs.oasis-open.org/wsn/2004/06/wsn-WS-BaseNotification-1.2-draft-01.xsd';
const XPATH = 'http://www.w3.org/TR/1999/REC-xpath-19991116';
const SIMPLE = 'http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple';

// step tells the judge what a step gave and waits until it has looked.
function step(string $name, array $values = []): void
{
    foreach ($values as $key => $value) {
        $name .= "\t$key=$value";
    }
    echo "step\t$name\n";
    if (trim((string) fgets(STDIN)) !== 'go') {
        exit(1);
    }
}

// give_up ends the script with a reason.
function give_up(string $why): never
{
    fwrite(STDERR, "$why\n");
    exit(1);
}

// seconds is the length of an xs:duration without years and months.
function seconds(string $duration): int
{
    $d = new DateInterval($duration);
    return (($d->d * 24 + $d->h) * 60 + $d->i) * 60 + $d->s;
}

// values makes of a document's element what SoapClient writes by the schema.
function values(DOMElement $element): mixed
{
    $found = [];
    foreach ($element->childNodes as $child) {
        if ($child instanceof DOMElement) {
            $found[$child->localName][] = values($child);
        }
    }
    if ($found === []) {
        return trim($element->textContent);
    }
    return array_map(fn (array $list) => count($list) === 1 ? $list[0] : $list, $found);
}

function document(string $path): array
{
    $d = new DOMDocument();
    $d->load($path);
    return values($d->documentElement);
}


// refused returns the type and the words of the fault that a call must end in.
// SoapClient reads the detail by the schema; of its name it keeps the local part.
function refused(SoapClient $client, callable $call): array
{
    try {
        $call();
    } catch (SoapFault $fault) {
        [$name, $value] = [array_key_first((array) $fault->detail), current((array) $fault->detail)];
        $reply = new DOMDocument();
        $reply->loadXML($client->__getLastResponse());
        $element = $reply->getElementsByTagNameNS('*', $name)->item(0);
        return ['type' => "{{$element->namespaceURI}}$name", 'description' => words($value)];
    }
    give_up('a fault was expected');
}

// words returns the descriptions in a base fault.
function words(object $fault): string
{
    $all = is_array($fault->Description) ? $fault->Description : [$fault->Description];
    return implode(' ', array_map(fn ($d) => is_object($d) ? $d->_ : $d, $all));
}

// Consumer is what PHP's SoapServer calls for a notification.
class Consumer
{
    public array $heard = [];

    public function Notify(object $notify): void
    {
        $messages = $notify->NotificationMessage;
        array_push($this->heard, ...(is_array($messages) ? $messages : [$messages]));
    }
}

// Listener is the HTTP below PHP's SoapServer: one connection after the other.
class Listener
{
    private $socket;
    private SoapServer $server;
    private Consumer $consumer;
    public readonly string $url;

    public function __construct(string $wsdl)
    {
        $this->socket = stream_socket_server('tcp://127.0.0.1:0');
        $this->url = 'http://' . stream_socket_get_name($this->socket, false) . '/consumer';
        $this->consumer = new Consumer();
        $this->server = new SoapServer($wsdl, ['cache_wsdl' => WSDL_CACHE_NONE]);
        $this->server->setObject($this->consumer);
    }

    // until waits for a message of which $wanted makes something.
    public function until(callable $wanted): array
    {
        while (true) {
            foreach ($this->consumer->heard as $message) {
                if (($found = $wanted($message)) !== null) {
                    return $found;
                }
            }
            $connection = @stream_socket_accept($this->socket, 30);
            if ($connection === false) {
                give_up('no notification came');
            }
            $this->serve($connection);
        }
    }

    private function serve($connection): void
    {
        $length = 0;
        while (trim($line = (string) fgets($connection)) !== '') {
            if (stripos($line, 'content-length:') === 0) {
                $length = (int) trim(substr($line, 15));
            }
        }
        $body = (string) stream_get_contents($connection, $length);
        ob_start();
        @$this->server->handle($body); // it complains that headers were sent: there are none here
        ob_end_clean();
        fwrite($connection, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        fclose($connection);
    }
}

// One is the first face.
class One
{
    public SoapClient $factory;
    public SoapClient $workspace;
    public string $key;

    public function __construct(private string $base)
    {
        $options = ['trace' => true, 'cache_wsdl' => WSDL_CACHE_NONE];
        $at = "$base/wsrf/services/";
        $this->factory = new SoapClient($at . 'WorkspaceFactoryService?wsdl', $options);
        $this->workspace = new SoapClient($at . 'WorkspaceService?wsdl', $options);
    }

    // bind aims calls at the resource that an endpoint reference names.
    public function bind(object $epr): void
    {
        $this->key = $epr->ReferenceProperties->any['WorkspaceKey'];
        $this->workspace->__setLocation($epr->Address->_);
        $this->workspace->__setSoapHeaders([new SoapHeader(W, 'WorkspaceKey', $this->key)]);
    }

    public function query(SoapClient $client): object
    {
        $answer = $client->QueryResourceProperties(
            ['QueryExpression' => ['any' => '/', 'Dialect' => XPATH]]
        );
        return current($answer->any);
    }

    public function create(array $metadata, array $request): object
    {
        $answer = $this->factory->create(
            ['metadata' => $metadata, 'resourceRequest' => $request]
        );
        return $answer->CreatedWorkspace;
    }

    // state reads one property. The prefix of a name in content has to be
    // declared, which SoapClient does in XML given by hand alone.
    public function state(): string
    {
        $name = '<p:GetResourceProperty xmlns:p="' . RP . '" xmlns:t="' . T . '">' .
            't:currentState</p:GetResourceProperty>';
        $answer = $this->workspace->GetResourceProperty(new SoapVar($name, XSD_ANYXML));
        return current($answer->any)->state;
    }

    public function until(string $state): string
    {
        for ($i = 0; $i < 400; $i++) {
            if ($this->state() === $state) {
                return $state;
            }
            usleep(50000);
        }
        give_up("the workspace is {$this->state()}, not $state");
    }

    public function subscribe(string $url): string
    {
        $xml = '<n:Subscribe xmlns:n="' . NT . '" xmlns:a="' . WSA . '" xmlns:t="' . T . '">' .
            "<n:ConsumerReference><a:Address>$url</a:Address></n:ConsumerReference>" .
            '<n:TopicExpression Dialect="' . SIMPLE . '">t:currentState</n:TopicExpression>' .
            '</n:Subscribe>';
        $answer = $this->workspace->Subscribe(new SoapVar($xml, XSD_ANYXML));
        return child($answer->SubscriptionReference->ReferenceProperties->any, 'SubscriptionKey');
    }

    public function notified(object $message, string $state): ?array
    {
        $change = $message->Message->ResourcePropertyValueChangeNotification;
        $told = current($change->NewValue->any);
        if ($told->state !== $state) {
            return null;
        }
        return ['state' => $told->state,
            'key' => child($message->ProducerReference->ReferenceProperties->any, 'WorkspaceKey')];
    }
}

// child returns the text of an element of an xs:any, which SoapClient reads
// where the schema of its WSDL declares the element, and else leaves as XML.
function child(array|string $any, string $name): string
{
    if (is_array($any)) {
        return $any[$name];
    }
    $d = new DOMDocument();
    $d->loadXML($any);
    return $d->documentElement->textContent;
}

[, $base, $face, $soap, $examples] = $argv;
$f = new One($base);
$offer = $f->query($f->factory);
$networks = $offer->Associations->association;
sort($networks);
step('factory', ['default' => seconds($offer->DefaultRunningTime),
    'maximum' => seconds($offer->MaximumRunningTime), 'networks' => implode(',', $networks)]);
$metadata = document("$examples/metadata.xml");
$request = document("$examples/request.xml");
$made = $f->create($metadata, $request);
$f->bind($made->epr);
step('create', ['key' => $f->key, 'ip' => $made->networking->nic->ipConfig->ipAddress]);
step('state', ['state' => $f->until('Running')]);
$whole = $f->query($f->workspace);
step('document', ['state' => $whole->currentState->state,
    'memory' => (int) $whole->ResourceAllocation->IndividualPhysicalMemory->Exact->_,
    'duration' => seconds($whole->schedule->Duration),
    'ip' => $whole->logistics->networking->nic->ipConfig->ipAddress]);
$listener = new Listener("$base/wsrf/schema/notification_consumer_service.wsdl");
step('subscribe', ['key' => $f->subscribe($listener->url)]);
$f->workspace->shutdown(['shutdownType' => 'Pause']);
step('pause', ['state' => $f->until('Paused')]);
step('notification', $listener->until(fn (object $message) => $f->notified($message, 'Paused')));
$f->workspace->start();
step('start', ['state' => $f->until('Running')]);
$request['DeploymentTime']['minDuration'] = 'P1000D';
step('denied', refused($f->factory, fn () => $f->create($metadata, $request)));
$f->workspace->Destroy();
step('destroy');
step('gone', refused($f->workspace, fn () => $f->state()));
