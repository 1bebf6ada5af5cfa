<?php
// The common script of tests/interop, carried out by PHP's SoapClient, with
// its SoapServer behind the listener.
//
// Usage: client.php BASE FACE SOAP EXAMPLES

declare(strict_types=1);

const W = 'http://www.globus.org/2008/06/workspace';
const T = W . '/types';
const XPATH = 'http://www.w3.org/TR/1999/REC-xpath-19991116';

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

    public function __construct(string $wsdl, string $soap)
    {
        $this->socket = stream_socket_server('tcp://127.0.0.1:0');
        $this->url = 'http://' . stream_socket_get_name($this->socket, false) . '/consumer';
        $this->consumer = new Consumer();
        $this->server = new SoapServer($wsdl, ['cache_wsdl' => WSDL_CACHE_NONE,
            'soap_version' => $soap === '1.2' ? SOAP_1_2 : SOAP_1_1]);
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
            $connection = @stream_socket_accept($this->socket, 300);
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

// Face is what is the same on both faces.
abstract class Face
{
    public SoapClient $factory;
    public SoapClient $workspace;
    public string $key;
    public string $consumer; // where the WSDL of a listener is
    protected const RP = '';

    protected function load(string $url, string $soap): SoapClient
    {
        $version = $soap === '1.2' ? SOAP_1_2 : SOAP_1_1;
        return new SoapClient($url, ['trace' => true, 'cache_wsdl' => WSDL_CACHE_NONE,
            'soap_version' => $version]);
    }

    // bind aims calls at a workspace.
    protected function bind(string $address, string $key): void
    {
        $this->key = $key;
        $this->workspace->__setLocation($address);
        $this->workspace->__setSoapHeaders([new SoapHeader(W, 'WorkspaceKey', $key)]);
    }

    public function query(SoapClient $client): object
    {
        $answer = $client->QueryResourceProperties(
            ['QueryExpression' => ['any' => '/', 'Dialect' => XPATH]]
        );
        return current($answer->any);
    }

    // state reads one property. The prefix of a name in content has to be
    // declared, which SoapClient does in XML given by hand alone.
    public function state(): string
    {
        $name = '<p:GetResourceProperty xmlns:p="' . static::RP . '" xmlns:t="' . T . '">' .
            't:currentState</p:GetResourceProperty>';
        $answer = $this->workspace->GetResourceProperty(new SoapVar($name, XSD_ANYXML));
        return current($answer->any)->state;
    }

    public function until(string $state): string
    {
        for ($i = 0; $i < 6000; $i++) {
            if ($this->state() === $state) {
                return $state;
            }
            usleep(50000);
        }
        give_up("the workspace is {$this->state()}, not $state");
    }
}

// One is the first face: the drafts, SOAP 1.1.
class One extends Face
{
    protected const RP = 'http://docs.oasis-open.org/wsrf/2004/06/' .
        'wsrf-WS-ResourceProperties-1.2-draft-01.xsd';
    private const NT = 'http://docs.oasis-open.org/wsn/2004/06/' .
        'wsn-WS-BaseNotification-1.2-draft-01.xsd';
    private const WSA = 'http://schemas.xmlsoap.org/ws/2004/03/addressing';
    private const SIMPLE = 'http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple';

    public function __construct(string $base, string $soap)
    {
        $at = "$base/wsrf/services/";
        $this->factory = $this->load($at . 'WorkspaceFactoryService?wsdl', $soap);
        $this->workspace = $this->load($at . 'WorkspaceService?wsdl', $soap);
        $this->consumer = "$base/wsrf/services/NotificationConsumerService?wsdl";
    }

    public function create(array $metadata, array $request): object
    {
        $answer = $this->factory->create(
            ['metadata' => $metadata, 'resourceRequest' => $request]
        );
        return $answer->CreatedWorkspace;
    }

    public function bind_to(object $made): void
    {
        $this->bind($made->epr->Address->_, $made->epr->ReferenceProperties->any['WorkspaceKey']);
    }

    public function shutdown(string $how): void
    {
        $this->workspace->shutdown(['shutdownType' => $how]);
    }

    public function start(): void
    {
        $this->workspace->start();
    }

    public function subscribe(string $url): string
    {
        $xml = '<n:Subscribe xmlns:n="' . self::NT . '" xmlns:a="' . self::WSA . '" xmlns:t="' .
            T . "\"><n:ConsumerReference><a:Address>$url</a:Address></n:ConsumerReference>" .
            '<n:TopicExpression Dialect="' . self::SIMPLE . '">t:currentState' .
            '</n:TopicExpression></n:Subscribe>';
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

// Two is the second face: the standards, SOAP 1.1 and 1.2.
class Two extends Face
{
    protected const RP = 'http://docs.oasis-open.org/wsrf/rp-2';
    private const NT = 'http://docs.oasis-open.org/wsn/b-2';
    private const WSA = 'http://www.w3.org/2005/08/addressing';
    private const CONCRETE = 'http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete';

    public function __construct(string $base, string $soap)
    {
        $this->factory = $this->load("$base/ws/WorkspaceFactory?wsdl", $soap);
        $this->workspace = $this->load("$base/ws/Workspace?wsdl", $soap);
        $this->consumer = "$base/ws/NotificationConsumer?wsdl";
    }

    public function create(array $metadata, array $request): object
    {
        $answer = $this->factory->Create(
            ['VirtualWorkspace' => $metadata, 'WorkspaceDeployment' => $request]
        );
        return $answer->Workspace;
    }

    public function bind_to(object $made): void
    {
        $this->bind($made->Reference->Address->_, $made->Key);
    }

    public function shutdown(string $how): void
    {
        $this->workspace->Shutdown(['Type' => $how]);
    }

    public function start(): void
    {
        $this->workspace->Start();
    }

    public function subscribe(string $url): string
    {
        $xml = '<n:Subscribe xmlns:n="' . self::NT . '" xmlns:a="' . self::WSA . '" xmlns:t="' .
            T . "\"><n:ConsumerReference><a:Address>$url</a:Address></n:ConsumerReference>" .
            '<n:Filter><n:TopicExpression Dialect="' . self::CONCRETE . '">t:currentState' .
            '</n:TopicExpression></n:Filter></n:Subscribe>';
        $answer = $this->workspace->Subscribe(new SoapVar($xml, XSD_ANYXML));
        return child($answer->SubscriptionReference->ReferenceParameters->any, 'SubscriptionKey');
    }

    public function notified(object $message, string $state): ?array
    {
        $told = current(current($message->Message->any)->NewValues->any);
        if ($told->state !== $state) {
            return null;
        }
        return ['state' => $told->state,
            'key' => child($message->ProducerReference->ReferenceParameters->any, 'WorkspaceKey')];
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
$f = $face === 'one' ? new One($base, $soap) : new Two($base, $soap);
$offer = $f->query($f->factory);
$networks = $offer->Associations->association;
sort($networks);
step('factory', ['default' => seconds($offer->DefaultRunningTime),
    'maximum' => seconds($offer->MaximumRunningTime), 'networks' => implode(',', $networks)]);
$metadata = document("$examples/metadata.xml");
$request = document("$examples/request.xml");
$made = $f->create($metadata, $request);
$f->bind_to($made);
step('create', ['key' => $f->key, 'ip' => $made->networking->nic->ipConfig->ipAddress]);
step('state', ['state' => $f->until('Running')]);
$whole = $f->query($f->workspace);
step('document', ['state' => $whole->currentState->state,
    'memory' => (int) $whole->ResourceAllocation->IndividualPhysicalMemory->Exact->_,
    'duration' => seconds($whole->schedule->Duration),
    'ip' => $whole->logistics->networking->nic->ipConfig->ipAddress]);
$listener = new Listener($f->consumer, $soap);
step('subscribe', ['key' => $f->subscribe($listener->url)]);
$f->shutdown('Pause');
step('pause', ['state' => $f->until('Paused')]);
step('notification', $listener->until(fn (object $message) => $f->notified($message, 'Paused')));
$f->start();
step('start', ['state' => $f->until('Running')]);
$request['DeploymentTime']['minDuration'] = 'P1000D';
step('denied', refused($f->factory, fn () => $f->create($metadata, $request)));
$f->workspace->Destroy();
step('destroy');
step('gone', refused($f->workspace, fn () => $f->state()));
