// grpc-js as client of the C# server: runs every case and prints one JSON line each, which ForeignClientTests reads.
import assert from 'node:assert/strict';
import grpc from '@grpc/grpc-js';
import { Trial, Guarded, allBytes, failureText } from './trial.mjs';

const address = process.argv[2];
const insecure = grpc.credentials.createInsecure();
const trial = new Trial(address, insecure);
const gzipping = new Trial(address, insecure, { 'grpc.default_compression_algorithm': 2 });
const guarded = new Guarded(address, insecure);
const { status } = grpc;

const within = (milliseconds) => ({ deadline: Date.now() + milliseconds });
const metadata = (...pairs) => {
  const made = new grpc.Metadata();
  for (const [key, value] of pairs) made.add(key, value);
  return made;
};

// A unary call as a promise: the reply with headers and trailers, or the error.
function call(client, method, request, sent = new grpc.Metadata(), options = within(10000)) {
  return new Promise((resolve) => {
    let headers, ended, answer;
    const done = () => answer && ended && resolve({ ...answer, headers, trailers: ended.metadata });
    const made = client[method](request, sent, options, (error, reply) => {
      answer = { error, reply };
      done();
    });
    made.on('metadata', (m) => (headers = m));
    made.on('status', (s) => {
      ended = s;
      done();
    });
  });
}

// What a stream gives: all its messages and the error it ends with, if any.
function drain(stream) {
  return new Promise((resolve) => {
    const messages = [];
    let error;
    stream.on('data', (message) => messages.push(message));
    stream.on('error', (e) => (error = e));
    stream.on('status', (s) => resolve({ messages, error: s.code === status.OK ? undefined : (error ?? s) }));
  });
}

function assertFailure(error, code) {
  assert.equal(error.code, code);
  assert.equal(error.details, failureText);
  assert.equal(error.metadata.get('reason').join(', '), 'first, second'); // Node joins repeated text headers
  assert.deepEqual(error.metadata.get('reason-bin')[0], allBytes);
  assert.deepEqual(error.metadata.get('grpc-status-details-bin')[0], Buffer.from([8, 5]));
}

const cases = {
  async unary() {
    const { reply } = await call(trial, 'Echo', { text: 'hej', number: 42, count: 3, data: allBytes });
    assert.deepEqual({ ...reply }, { text: 'hej', number: 42, count: 3, data: allBytes });
  },
  async serverStream() {
    const { messages, error } = await drain(trial.Down({ count: 500 }, within(10000)));
    assert.equal(error, undefined);
    assert.deepEqual(messages.map((m) => m.number), [...Array(500).keys()]);
  },
  async clientStream() {
    const reply = await new Promise((resolve, reject) => {
      const stream = trial.Up(within(10000), (error, answer) => (error ? reject(error) : resolve(answer)));
      for (let i = 1; i <= 500; i++) stream.write({ number: i });
      stream.end();
    });
    assert.equal(reply.count, 500);
    assert.equal(reply.number, 125250);
  },
  async duplexStream() {
    const stream = trial.Both(within(10000));
    let next = 0;
    stream.on('data', (message) => {
      assert.equal(message.number, next++);
      if (next < 200) stream.write({ number: next });
      else stream.end();
    });
    stream.write({ number: 0 });
    const { error } = await drain(stream);
    assert.equal(error, undefined);
    assert.equal(next, 200);
  },
  async headersBeforeMessages() {
    const stream = trial.Both(within(10000));
    await new Promise((resolve) => stream.once('metadata', resolve));
    stream.end();
    assert.equal((await drain(stream)).error, undefined);
  },
  async largeMessages() {
    const data = Buffer.alloc(3_000_000, 7);
    const { reply } = await call(trial, 'Echo', { data });
    assert.ok(reply.data.equals(data));
  },
  async gzipRequest() {
    const { reply } = await call(gzipping, 'Echo', { text: 'zip '.repeat(1000) });
    assert.equal(reply.text, 'zip '.repeat(1000));
  },
  async gzipClientStream() {
    const reply = await new Promise((resolve, reject) => {
      const stream = gzipping.Up(within(10000), (error, answer) => (error ? reject(error) : resolve(answer)));
      for (let i = 1; i <= 100; i++) stream.write({ number: i, text: 'x'.repeat(200) });
      stream.end();
    });
    assert.equal(reply.number, 5050);
  },
  async gzipBomb() {
    const { error } = await call(gzipping, 'Echo', { data: Buffer.alloc(8_000_000) });
    assert.equal(error.code, status.RESOURCE_EXHAUSTED);
  },
  async failure() {
    for (const code of [status.NOT_FOUND, status.UNAUTHENTICATED]) {
      const { error } = await call(trial, 'Echo', { fail: code });
      assertFailure(error, code);
    }
  },
  async failureAfterMessages() {
    const { messages, error } = await drain(trial.Down({ count: 5, fail: status.ABORTED }, within(10000)));
    assert.equal(messages.length, 5);
    assertFailure(error, status.ABORTED);
  },
  async refusedClientStream() {
    const error = await new Promise((resolve) => {
      const stream = trial.Up(within(10000), resolve);
      stream.write({ fail: status.FAILED_PRECONDITION });
    });
    assertFailure(error, status.FAILED_PRECONDITION);
  },
  async handlerThrows() {
    const { error } = await call(trial, 'Echo', { act: 'throw' });
    assert.equal(error.code, status.UNKNOWN);
    assert.ok(!error.details.includes('inside story'), error.details);
  },
  async deadline() {
    const ending = call(trial, 'Echo', { delay: 20000, text: 'js-deadline' }, undefined, within(1500));
    await call(trial, 'Echo', { act: 'entered', text: 'js-deadline' });
    const { error } = await ending;
    assert.equal(error.code, status.DEADLINE_EXCEEDED);
    await call(trial, 'Echo', { act: 'seen', text: 'js-deadline' });
  },
  async deadlineOfStubbornHandler() {
    const started = Date.now();
    const { error } = await call(trial, 'Echo', { act: 'stubborn', delay: 3000 }, undefined, within(100));
    assert.equal(error.code, status.DEADLINE_EXCEEDED);
    assert.ok(Date.now() - started < 2500);
  },
  async deadlineIsSent() {
    const { reply } = await call(trial, 'Echo', { act: 'deadline' }, undefined, within(60000));
    assert.ok(reply.number > 40000 && reply.number < 61000, `${reply.number}`);
    const none = await call(trial, 'Echo', { act: 'deadline' }, undefined, {});
    assert.equal(none.reply.number, -1);
  },
  async cancelledCall() {
    const error = await new Promise((resolve) => {
      const made = trial.Echo({ delay: 20000, text: 'js-cancel' }, (e) => resolve(e));
      call(trial, 'Echo', { act: 'entered', text: 'js-cancel' }).then(() => made.cancel());
    });
    assert.equal(error.code, status.CANCELLED);
    await call(trial, 'Echo', { act: 'seen', text: 'js-cancel' });
  },
  async cancelledStream() {
    const stream = trial.Down({ act: 'flood', text: 'js-flood', data: Buffer.alloc(16384) });
    stream.once('data', () => stream.cancel());
    const { error } = await drain(stream);
    assert.equal(error.code, status.CANCELLED);
    await call(trial, 'Echo', { act: 'seen', text: 'js-flood' });
  },
  async metadataBothWays() {
    const sent = metadata(['x-text', 'one'], ['x-text', 'two'], ['x-data-bin', allBytes], ['x-data-bin', Buffer.from('a')]);
    const { error, headers, trailers } = await call(trial, 'Echo', { act: 'metadata' }, sent);
    assert.equal(error, null);
    assert.equal(headers.get('x-text').join(', '), 'one, two');
    assert.deepEqual(trailers.get('x-data-bin'), [allBytes, Buffer.from('a')]);
  },
  async unknownMethodAndService() {
    const serialize = (value) => value;
    for (const path of ['/sloring.interop.v1.Trial/Nothing', '/sloring.interop.v1.Nobody/Nothing']) {
      const error = await new Promise((resolve) =>
        trial.makeUnaryRequest(path, serialize, serialize, Buffer.alloc(0), new grpc.Metadata(), within(10000), resolve));
      assert.equal(error.code, status.UNIMPLEMENTED);
    }
  },
  async tooLargeRequest() {
    const { error } = await call(trial, 'Echo', { data: Buffer.alloc(5_000_000) });
    assert.equal(error.code, status.RESOURCE_EXHAUSTED);
  },
  async authorization() {
    const as = (name) => metadata(['authorization', name]);
    assert.equal((await call(guarded, 'Enter', {})).error.code, status.UNAUTHENTICATED);
    assert.equal((await call(guarded, 'Enter', {}, as('guest'))).error.code, status.PERMISSION_DENIED);
    assert.equal((await call(guarded, 'Enter', {}, as('staff'))).reply.text, 'staff');
    assert.equal((await call(guarded, 'Knock', {})).error, null);
  },
  async manyAtOnce() {
    const replies = await Promise.all([...Array(300).keys()].map((number) => call(trial, 'Echo', { number, delay: 20 })));
    replies.forEach(({ reply }, number) => assert.equal(reply.number, number));
  },
};

for (const [name, run] of Object.entries(cases)) {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error('took longer than 20 s')), 20000)));
  let error = null;
  try {
    await Promise.race([run(), late]);
  } catch (e) {
    error = `${e.stack ?? e}`;
  }
  clearTimeout(timer);
  console.log(JSON.stringify({ name, error }));
}
for (const client of [trial, gzipping, guarded]) client.close();
