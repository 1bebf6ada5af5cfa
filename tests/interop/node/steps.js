// What the clients in JavaScript share: telling the judge.
'use strict';

const readline = require('readline');

const answers = readline.createInterface({input: process.stdin})[Symbol.asyncIterator]();

// step tells the judge what a step gave and waits until it has looked. It returns
// what the judge says: nothing, mostly.
exports.step = async function(name, values = {}) {
  const told = Object.entries(values).map(([key, value]) => `\t${key}=${value}`);
  process.stdout.write(`step\t${name}${told.join('')}\n`);
  const answer = await answers.next();
  if (answer.done || !answer.value.startsWith('go')) process.exit(1);
  return answer.value.slice(3);
};

exports.done = () => process.exit(0);

exports.fail = function(err) {
  console.error(err.stack);
  process.exit(1);
};

// seconds returns the length of an xs:duration without years and months.
exports.seconds = function(duration) {
  const part = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.\d+)?S)?)?$/.exec(duration);
  const [days, hours, minutes, rest] = part.slice(1).map(p => Number(p || 0));
  return ((days * 24 + hours) * 60 + minutes) * 60 + rest;
};

// sleep waits a number of milliseconds.
exports.sleep = ms => new Promise(resolve => setTimeout(resolve, ms));
