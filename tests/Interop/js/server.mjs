// The Trial service on grpc-js, the foreign server of ForeignServerTests. Prints its port; ends when its standard input does.
import grpc from '@grpc/grpc-js';
import { Trial, failure } from './trial.mjs';

const marks = new Map();
function mark(name) {
  if (!marks.has(name)) {
    let resolve;
    const promise = new Promise((r) => (resolve = r));
    marks.set(name, { promise, resolve });
  }
  return marks.get(name);
}
const entered = (text) => mark(`entered ${text}`);
const cancelled = (text) => mark(`cancelled ${text}`);

// Resolves to false when the call was cancelled meanwhile.
function pause(call, request) {
  return new Promise((resolve) => {
    if (!request.delay) return resolve(!call.cancelled);
    entered(request.text).resolve();
    const timer = setTimeout(() => resolve(true), request.delay);
    call.once('cancelled', () => {
      clearTimeout(timer);
      cancelled(request.text).resolve();
      resolve(false);
    });
  });
}

const reply = ({ text, number, count, data }) => ({ text, number, count, data });

async function echo(call, callback) {
  const { request } = call;
  switch (request.act) {
    case 'metadata': {
      const headers = new grpc.Metadata();
      const trailers = new grpc.Metadata();
      for (const value of call.metadata.get('x-text')) headers.add('x-text', value);
      for (const value of call.metadata.get('x-data-bin')) trailers.add('x-data-bin', value);
      call.sendMetadata(headers);
      return callback(null, reply(request), trailers);
    }
    case 'deadline': {
      const deadline = call.getDeadline();
      return callback(null, { number: deadline === Infinity ? -1 : deadline - Date.now() });
    }
    case 'stubborn':
      await new Promise((resolve) => setTimeout(resolve, request.delay));
      return callback(null, reply(request));
    case 'blob':
      return callback(null, { data: Buffer.alloc(request.count) });
    case 'entered':
      await entered(request.text).promise;
      return callback(null, reply(request));
    case 'seen':
      await cancelled(request.text).promise;
      return callback(null, reply(request));
  }
  if (!(await pause(call, request))) return;
  if (request.fail) return callback(failure(request.fail));
  callback(null, reply(request));
}

async function down(call) {
  const { request } = call;
  call.once('cancelled', () => cancelled(request.text).resolve());
  for (let i = 0; i < request.count || request.act === 'flood'; i++) {
    if (!(await pause(call, request)) || call.cancelled) return;
    if (!call.write({ ...reply(request), number: i })) {
      await new Promise((resolve) => {
        call.once('drain', resolve);
        call.once('cancelled', resolve);
      });
    }
  }
  if (request.fail) return call.emit('error', failure(request.fail));
  call.end();
}

function up(call, callback) {
  let count = 0;
  let number = 0;
  let text = '';
  call.once('cancelled', () => cancelled(text).resolve());
  call.on('data', (request) => {
    text = request.text;
    if (request.fail) return callback(failure(request.fail));
    count++;
    number += request.number;
  });
  call.on('end', () => callback(null, { count, number }));
  call.on('error', () => {});
}

function both(call) {
  call.sendMetadata(new grpc.Metadata());
  let text = '';
  call.once('cancelled', () => cancelled(text).resolve());
  call.on('data', (request) => {
    text = request.text;
    if (request.fail) return call.emit('error', failure(request.fail));
    call.write(reply(request));
  });
  call.on('end', () => call.end());
  call.on('error', () => {});
}

const server = new grpc.Server();
server.addService(Trial.service, { echo, down, up, both });
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(`listening ${port}`);
});
process.stdin.on('end', () => process.exit(0)).resume();
