// Events with the module onvif, which is made for cameras: a subscription of
// WS-BaseNotification 1.3 and a pull point. It creates nothing; the judge makes
// a workspace and pauses it while the client listens.
//
// Usage: client.js BASE FACE SOAP EXAMPLES
'use strict';

const http = require('http');
const {Cam} = require('onvif');
const {linerase, parseSOAPString} = require('onvif/lib/utils');
const {done, fail, step} = require('../node/steps');

// device returns a "camera" whose event service is at a path.
function device(base, path) {
  const {hostname, port} = new URL(base);
  const cam = new Cam({hostname, port, autoconnect: false, useWSSecurity: false});
  cam.uri = {events: {path}};
  cam.events = {};
  return cam;
}

// ask makes a promise of a method that takes a callback.
function ask(cam, method, ...args) {
  return new Promise((resolve, reject) => cam[method](...args, (err, answer) =>
    err ? reject(err) : resolve(answer)));
}

// list returns what is there once or many times as an array.
const list = value => value === undefined ? [] : [].concat(value);

// told returns what a message tells of a workspace when that is a state, or null.
function told(message, wanted) {
  const change = message.message.resourcePropertyValueChangeNotification;
  const key = String(message.producerReference.referenceParameters.workspaceKey);
  if (!change || key !== wanted.key) return null;
  const state = change.newValues.currentState.state;
  return state === wanted.state ? {state, key} : null;
}

// listen opens a consumer and returns its URL and a way to wait for a message.
async function listen() {
  const heard = [];
  let wake = () => {};
  const server = http.createServer((request, response) => {
    let text = '';
    request.on('data', part => { text += part; });
    request.on('end', () => parseSOAPString(text, (err, body) => {
      response.end();
      if (err) return fail(err);
      heard.push(...list(linerase(body).notify.notificationMessage));
      wake();
    }));
  });
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  const until = async wanted => {
    for (;;) {
      const found = heard.map(message => told(message, wanted)).find(Boolean);
      if (found) return found;
      await new Promise(resolve => { wake = resolve; });
    }
  };
  return {url: `http://127.0.0.1:${server.address().port}/consumer`, until};
}

// pull asks the pull point until a message tells of a state.
async function pull(cam, wanted) {
  for (;;) {
    const answer = await ask(cam, 'pullMessages', {messageLimit: 5});
    const found = list(answer.notificationMessage).map(m => told(m, wanted)).find(Boolean);
    if (found) return found;
  }
}

async function main(base) {
  const producer = device(base, '/ws/Workspaces');
  const listener = await listen();
  const made = await ask(producer, 'subscribe', {url: listener.url});
  await step('subscribe', {key: made.subscriptionReference.referenceParameters.subscriptionKey});
  const points = device(base, '/ws/PullPoints');
  const point = await ask(points, 'createPullPointSubscription');
  const parameters = point.subscriptionReference.referenceParameters;
  const key = await step('pull point', {key: parameters.pullPointKey});
  const wanted = {key, state: 'Paused'};
  await step('notification', await listener.until(wanted));
  await step('pulled', await pull(points, wanted));
  const renewed = await ask(points, 'renew');
  const left = (renewed.terminationTime - renewed.currentTime) / 1000;
  await step('renewed', {seconds: Math.round(left)});
  const reference = points.events.subscription;
  await ask(points, 'unsubscribe');
  points.events.subscription = reference; // which the module forgets
  await step('unsubscribed', await refused(() => ask(points, 'pullMessages', {})));
}

// refused returns the words of the fault that a call must end in: the module
// makes no more of faults.
async function refused(call) {
  try {
    await call();
  } catch (err) {
    return {description: err.message};
  }
  throw new Error('a fault was expected');
}

main(...process.argv.slice(2)).then(done, fail);
