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
const SIMPLE = 'http://docs.oasis-open.org/wsn/2004/06/TopicExpression/Simple';

// connect makes a client that declares the prefix of names in content, which
// strong-soap takes for plain text.
function connect(url) {
  return new Promise((resolve, reject) => soap.createClient(url, {}, (err, client) => {
    if (err) return reject(err);
    client.setSecurity({postProcess: (header, body) => body.attribute('xmlns:t', T)});
    resolve(client);
  }));
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
    const [[name, value]] = Object.entries(err.root.Envelope.Body.Fault.detail);
    const prefix = new RegExp(`<(\\w+):${name}[ >]`).exec(client.lastResponse)[1];
    const space = new RegExp(`xmlns:${prefix}="([^"]*)"`).exec(client.lastResponse)[1];
    return {type: `{${space}}${name}`, description: [].concat(value.Description).join(' ')};
  }
  throw new Error('a fault was expected');
}

// Listener takes notifications with strong-soap's server.
class Listener {
  async open(wsdl) {
    this.heard = [];
    this.wake = () => {};
    const description = await new Promise((resolve, reject) => soap.WSDL.open(wsdl, {},
      (err, wsdl) => err ? reject(err) : resolve(wsdl)));
    const server = http.createServer((request, response) => response.end());
    const services = {NotificationConsumerService: {NotificationConsumerPort: {
      Notify: notify => this.hear(notify),
    }}};
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
    const limit = Date.now() + 30000;
    while (Date.now() < limit) {
      const found = this.heard.map(wanted).find(Boolean);
      if (found) return found;
      await Promise.race([new Promise(resolve => { this.wake = resolve; }), sleep(1000)]);
    }
    throw new Error('no notification came');
  }
}

// One is the first face.
class One {
  async open(base) {
    const at = base + '/wsrf/services/';
    this.consumer = base + '/wsrf/schema/notification_consumer_service.wsdl';
    this.factory = await connect(at + 'WorkspaceFactoryService?wsdl');
    this.workspace = await connect(at + 'WorkspaceService?wsdl');
    return this;
  }

  // bind aims calls at the resource that an endpoint reference names.
  bind(epr) {
    this.key = epr.ReferenceProperties.WorkspaceKey;
    this.workspace.setEndpoint(epr.Address);
    this.workspace.addSoapHeader(
      `<w:WorkspaceKey xmlns:w="${W}">${this.key}</w:WorkspaceKey>`);
  }

  async query(client) {
    const expression = {$attributes: {Dialect: XPATH}, $value: '/'};
    const answer = await call(client, 'QueryResourceProperties', {QueryExpression: expression});
    return Object.values(answer)[0];
  }

  async create(metadata, request) {
    const answer = await call(this.factory, 'create', {metadata, resourceRequest: request});
    return answer.CreatedWorkspace[0];
  }

  async state() {
    return (await call(this.workspace, 'GetResourceProperty', 't:currentState')).currentState.state;
  }

  async until(state) {
    for (let i = 0; i < 400; i++) {
      if (await this.state() === state) return state;
      await sleep(50);
    }
    throw new Error(`the workspace is ${await this.state()}, not ${state}`);
  }

  async subscribe(url) {
    const answer = await call(this.workspace, 'Subscribe', {
      ConsumerReference: {Address: url},
      TopicExpression: {$attributes: {Dialect: SIMPLE}, $value: 't:currentState'},
    });
    return answer.SubscriptionReference.ReferenceProperties.SubscriptionKey;
  }

  notified(message, state) {
    const change = message.Message.ResourcePropertyValueChangeNotification;
    if (change.NewValue.currentState.state !== state) return null;
    return {state, key: message.ProducerReference.ReferenceProperties.WorkspaceKey};
  }
}

async function main(base, face, version, examples) {
  const f = await new One().open(base);
  const offer = await f.query(f.factory);
  await step('factory', {default: seconds(offer.DefaultRunningTime),
    maximum: seconds(offer.MaximumRunningTime),
    networks: offer.Associations.association.sort().join()});
  const metadata = documentOf(examples + '/metadata.xml');
  const request = documentOf(examples + '/request.xml');
  const made = await f.create(metadata, request);
  f.bind(made.epr);
  await step('create', {key: f.key, ip: made.networking.nic[0].ipConfig.ipAddress});
  await step('state', {state: await f.until('Running')});
  const whole = await f.query(f.workspace);
  await step('document', {state: whole.currentState.state,
    memory: Number(whole.ResourceAllocation.IndividualPhysicalMemory.Exact),
    duration: seconds(whole.schedule.Duration),
    ip: whole.logistics.networking.nic.ipConfig.ipAddress});
  const listener = await new Listener().open(f.consumer);
  await step('subscribe', {key: await f.subscribe(listener.url)});
  await call(f.workspace, 'shutdown', {shutdownWorkspace: {shutdownType: 'Pause'}});
  await step('pause', {state: await f.until('Paused')});
  await step('notification', await listener.until(message => f.notified(message, 'Paused')));
  await call(f.workspace, 'start', {startWorkspace: {}});
  await step('start', {state: await f.until('Running')});
  request.DeploymentTime.minDuration = 'P1000D';
  await step('denied', await refused(f.factory, () => f.create(metadata, request)));
  await call(f.workspace, 'Destroy', {});
  await step('destroy');
  await step('gone', await refused(f.workspace, () => f.state()));
}

main(...process.argv.slice(2)).then(done, fail);
