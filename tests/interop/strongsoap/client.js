// The common script of tests/interop, carried out by strong-soap, with its
// server behind the listener.
//
// Usage: client.js BASE FACE SOAP EXAMPLES
'use strict';

const fs = require('fs');
const http = require('http');
const {soap} = require('strong-soap');
const {done, fail, seconds, sleep, step} = require('../node/steps');

const W = 'http://www.globus.org/2008/06/workspace';
const T = W + '/types';
const XPATH = 'http://www.w3.org/TR/1999/REC-xpath-19991116';
const NT2 = 'http://docs.oasis-open.org/wsn/b-2';
const CONCRETE = 'http://docs.oasis-open.org/wsn/t-1/TopicExpression/Concrete';
const SIMPLE = 'http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple';

// connect makes a client that declares the prefix of names in content, which
// strong-soap takes for plain text, and the namespace of the elements that an
// xs:any of it has, which strong-soap leaves out.
function connect(url, version) {
  const options = {forceSoapVersion: version};
  return new Promise((resolve, reject) => soap.createClient(url, options, (err, client) => {
    if (err) return reject(err);
    client.setSecurity({postProcess: (header, body) => {
      body.attribute('xmlns:t', T);
      qualify(body);
    }});
    resolve(client);
  }));
}

// qualify declares the namespace of a topic expression that has none.
function qualify(element) {
  if (element.name === 'TopicExpression') element.attribute('xmlns', NT2);
  (element.children || []).forEach(qualify);
}

// call calls an operation; a fault rejects.
function call(client, operation, request) {
  return new Promise((resolve, reject) => client[operation](request, (err, result) => {
    if (err) return reject(err);
    resolve(result);
  }));
}

// documentOf reads a file as the object that strong-soap writes by the schema.
function documentOf(path) {
  const text = fs.readFileSync(path, 'utf8').replace(/<!--[^]*?-->/g, '');
  return Object.values(new soap.XMLHandler({}, {}).xmlToJson(null, text, null))[0];
}

// refused returns the type and the words of the fault that a call must end in.
// strong-soap reads the detail by the schema; of its name it keeps the local part.
async function refused(client, call) {
  try {
    await call();
  } catch (err) {
    const [[name, value]] = Object.entries(detail(err.root.Envelope.Body.Fault));
    const prefix = new RegExp(`<(\\w+):${name}[ >]`).exec(client.lastResponse)[1];
    const space = new RegExp(`xmlns:${prefix}="([^"]*)"`).exec(client.lastResponse)[1];
    return {type: `{${space}}${name}`, description: [].concat(value.Description).join(' ')};
  }
  throw new Error('a fault was expected');
}

// detail returns the detail of a fault of SOAP 1.1 or 1.2.
const detail = fault => fault.detail || fault.Detail;

// Listener takes notifications with strong-soap's server.
class Listener {
  async open(wsdl, ports) {
    this.heard = [];
    this.wake = () => {};
    const description = await new Promise((resolve, reject) => soap.WSDL.open(wsdl, {},
      (err, wsdl) => err ? reject(err) : resolve(wsdl)));
    const server = http.createServer((request, response) => response.end());
    const services = ports({Notify: notify => this.hear(notify)});
    new soap.Server(server, '/consumer', services, description, {});
    await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${server.address().port}/consumer`;
    return this;
  }

  hear(notify) {
    this.heard.push(...[].concat(notify.NotificationMessage));
    this.wake();
  }

  // until waits for a message of which wanted makes something.
  async until(wanted) {
    const limit = Date.now() + 300000;
    while (Date.now() < limit) {
      const found = this.heard.map(wanted).find(Boolean);
      if (found) return found;
      await Promise.race([new Promise(resolve => { this.wake = resolve; }), sleep(1000)]);
    }
    throw new Error('no notification came');
  }
}

// Face is what is the same on both faces.
class Face {
  // bind aims calls at a workspace.
  bind(address, key) {
    this.key = key;
    this.workspace.setEndpoint(address);
    this.workspace.addSoapHeader(`<w:WorkspaceKey xmlns:w="${W}">${key}</w:WorkspaceKey>`);
  }

  async query(client) {
    const expression = {$attributes: {Dialect: XPATH}, $value: '/'};
    const answer = await call(client, 'QueryResourceProperties', {QueryExpression: expression});
    return Object.values(answer)[0];
  }

  async state() {
    const answer = await call(this.workspace, 'GetResourceProperty', 't:currentState');
    return answer.currentState.state;
  }

  async until(state) {
    for (let i = 0; i < 6000; i++) {
      if (await this.state() === state) return state;
      await sleep(50);
    }
    throw new Error(`the workspace is ${await this.state()}, not ${state}`);
  }

  destroy() {
    return call(this.workspace, 'Destroy', {});
  }

  notified(message, state) {
    const change = message.Message.ResourcePropertyValueChangeNotification;
    const told = (change.NewValue || change.NewValues).currentState.state;
    if (told !== state) return null;
    return {state, key: this.parameters(message.ProducerReference).WorkspaceKey};
  }
}

// One is the first face: the drafts, SOAP 1.1.
class One extends Face {
  async open(base, version) {
    const at = base + '/wsrf/services/';
    this.consumer = base + '/wsrf/services/NotificationConsumerService?wsdl';
    this.factory = await connect(at + 'WorkspaceFactoryService?wsdl', version);
    this.workspace = await connect(at + 'WorkspaceService?wsdl', version);
    return this;
  }

  // ports are what a listener's WSDL calls its service and its ports.
  ports(object) {
    return {NotificationConsumerService: {NotificationConsumerPort: object}};
  }

  parameters(epr) {
    return epr.ReferenceProperties;
  }

  async create(metadata, request) {
    const answer = await call(this.factory, 'create', {metadata, resourceRequest: request});
    const made = answer.CreatedWorkspace[0];
    return {...made, address: made.epr.Address, key: made.epr.ReferenceProperties.WorkspaceKey};
  }

  // An operation whose message has another name takes the message with its name.
  shutdown(how) {
    return call(this.workspace, 'shutdown', {shutdownWorkspace: {shutdownType: how}});
  }

  start() {
    return call(this.workspace, 'start', {startWorkspace: {}});
  }

  async subscribe(url) {
    const answer = await call(this.workspace, 'Subscribe', {
      ConsumerReference: {Address: url},
      TopicExpression: {$attributes: {Dialect: SIMPLE}, $value: 't:currentState'},
    });
    return this.parameters(answer.SubscriptionReference).SubscriptionKey;
  }
}

// Two is the second face: the standards, SOAP 1.1 and 1.2.
class Two extends Face {
  async open(base, version) {
    this.consumer = base + '/ws/NotificationConsumer?wsdl';
    this.factory = await connect(base + '/ws/WorkspaceFactory?wsdl', version);
    this.workspace = await connect(base + '/ws/Workspace?wsdl', version);
    return this;
  }

  ports(object) {
    return {NotificationConsumer: {
      NotificationConsumerSOAP11: object, NotificationConsumerSOAP12: object,
    }};
  }

  parameters(epr) {
    return epr.ReferenceParameters;
  }

  async create(metadata, request) {
    const answer = await call(this.factory, 'Create',
      {VirtualWorkspace: metadata, WorkspaceDeployment: request});
    const made = answer.Workspace[0];
    return {...made, address: made.Reference.Address, key: made.Key};
  }

  shutdown(how) {
    return call(this.workspace, 'Shutdown', {Type: how});
  }

  start() {
    return call(this.workspace, 'Start', {});
  }

  async subscribe(url) {
    const topic = {$attributes: {Dialect: CONCRETE}, $value: 't:currentState'};
    const answer = await call(this.workspace, 'Subscribe', {
      ConsumerReference: {Address: url},
      Filter: {TopicExpression: topic},
    });
    return this.parameters(answer.SubscriptionReference).SubscriptionKey;
  }
}

async function main(base, face, version, examples) {
  const f = await (face === 'one' ? new One() : new Two()).open(base, version);
  const offer = await f.query(f.factory);
  await step('factory', {default: seconds(offer.DefaultRunningTime),
    maximum: seconds(offer.MaximumRunningTime),
    networks: offer.Associations.association.sort().join()});
  const metadata = documentOf(examples + '/metadata.xml');
  const request = documentOf(examples + '/request.xml');
  const made = await f.create(metadata, request);
  f.bind(made.address, made.key);
  await step('create', {key: f.key, ip: made.networking.nic[0].ipConfig.ipAddress});
  await step('state', {state: await f.until('Running')});
  const whole = await f.query(f.workspace);
  await step('document', {state: whole.currentState.state,
    memory: Number(whole.ResourceAllocation.IndividualPhysicalMemory.Exact),
    duration: seconds(whole.schedule.Duration),
    ip: whole.logistics.networking.nic.ipConfig.ipAddress});
  const listener = await new Listener().open(f.consumer, f.ports);
  await step('subscribe', {key: await f.subscribe(listener.url)});
  await f.shutdown('Pause');
  await step('pause', {state: await f.until('Paused')});
  await step('notification', await listener.until(message => f.notified(message, 'Paused')));
  await f.start();
  await step('start', {state: await f.until('Running')});
  request.DeploymentTime.minDuration = 'P1000D';
  await step('denied', await refused(f.factory, () => f.create(metadata, request)));
  await f.destroy();
  await step('destroy');
  await step('gone', await refused(f.workspace, () => f.state()));
}

main(...process.argv.slice(2)).then(done, fail);
