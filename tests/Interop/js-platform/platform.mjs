// JavaScript's gRPC, with the published contracts alone, as client of the whole platform: runs every case and prints one JSON line each,
// which ForeignClientTests of tests/Flow reads.  node platform.mjs ADDRESS PROTO_FOLDER CPR < tokens as JSON
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../js/package.json', import.meta.url));
const grpc = require('@grpc/grpc-js');
const protoLoader = require('@grpc/proto-loader');
const protobuf = require('protobufjs');

const [address, protos, cpr] = process.argv.slice(2);
const tokens = JSON.parse(readFileSync(0, 'utf8')); // not as arguments: those stand in the process list
const files = ['registration', 'effectuation', 'approval'].map((name) => `sloring/${name}/v1/${name}.proto`);
const definition = protoLoader.loadSync(files, { includeDirs: [protos], keepCase: true, longs: String, enums: String, defaults: true, oneofs: true });
const { sloring } = grpc.loadPackageDefinition(definition);
const insecure = grpc.credentials.createInsecure();
const registration = new sloring.registration.v1.RegistrationService(address, insecure);
const effectuation = new sloring.effectuation.v1.EffectuationService(address, insecure);
const approval = new sloring.approval.v1.ApprovalService(address, insecure);

const as = (client) => {
  const metadata = new grpc.Metadata();
  if (client) metadata.set('authorization', `Bearer ${tokens[client]}`);
  return metadata;
};
const within = () => ({ deadline: Date.now() + 20000 });
const call = (service, method, request, client) =>
  new Promise((resolve, reject) => service[method](request, as(client), within(), (error, reply) => (error ? reject(error) : resolve(reply))));
const activation = (key) => ({
  idempotency_key: key,
  patient_cpr: cpr,
  trigger: 'TRIGGER_THREATS',
  behaviour_on: '2025-01-15',
  reason: 'Truede personalet.',
  activator: { person_id: 'hw-1001', role: 'health-worker', unit_sor_id: '1000111000016001' },
});
const entries = () => ({
  patient_cpr: cpr,
  entries: ['29190623', '29190925'].map((cvr) => ({ id: cvr, source: 'EPJ', cvr, staff: [{ role: 'user', name: 'Bo Eksempel', profession_code: '5166' }] })),
});

// Details of an error as google.rpc.Status holds them.
function details(error) {
  const root = new protobuf.Root();
  root.resolvePath = (_, target) => (target.startsWith('google/protobuf/') ? target : `${protos}/${target.replace(`${protos}/`, '')}`);
  root.loadSync('google/rpc/status.proto');
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const status = root.lookupType('google.rpc.Status').decode(bytes);
  return status.details.map((any) => root.lookupType(any.type_url.split('/').pop()).decode(any.value));
}
async function refused(promise, code, number) {
  const error = await promise.then(() => assert.fail('it was accepted'), (e) => e);
  assert.equal(error.code, code);
  const [info, da, en] = details(error);
  assert.equal(info.reason, number);
  assert.deepEqual([da.locale, en.locale], ['da', 'en']);
  assert.equal(error.details, `${number} ${en.message}`);
  assert.ok(!JSON.stringify([info, da, en]).includes(cpr));
  return info;
}

// A watch that a case asks for its next message.
function watch(client) {
  const stream = registration.WatchMaskings({}, as(client), within());
  const messages = stream[Symbol.asyncIterator]();
  return {
    next: async () => (await messages.next()).value,
    end: () => (stream.on('error', () => {}), stream.cancel()),
  };
}

const cases = {
  async activatesMasksAndWatches() {
    const watching = watch('kilde-hovedstaden');
    const welcome = await watching.next();
    assert.equal(welcome.message, 'welcome');
    assert.equal(welcome.welcome.resumed, false);
    assert.ok(welcome.welcome.patient_key_secret.length >= 16);
    let message = await watching.next();
    assert.equal(message.message, 'snapshot');
    const reply = await call(registration, 'Activate', activation('js-activation-1'), 'epj-hovedstaden');
    assert.match(reply.masking_id, /^[0-9a-f-]{36}$/);
    while (message.message !== 'changes' || message.changes.maskings.length === 0) message = await watching.next();
    assert.equal(message.changes.maskings[0].cvr, 29190623);
    assert.equal(Number(message.changes.maskings[0].ends_at_ms), Number(reply.ends_at.seconds) * 1000 + Math.floor(reply.ends_at.nanos / 1e6));
    while (message.message !== 'heartbeat') message = await watching.next();
    watching.end();

    let masked;
    for (const until = Date.now() + 20000; Date.now() < until && !masked?.entries[0].staff[0].masked; )
      masked = await call(effectuation, 'MaskEntries', entries(), 'borgervisning');
    const [nurse] = masked.entries[0].staff;
    assert.equal(nurse.name, '');
    assert.equal(nurse.profession, 'Sygeplejerske');
    assert.match(nurse.pseudonym, /^[0-9a-f-]{36}$/);
    assert.equal(masked.entries[1].staff[0].name, 'Bo Eksempel');
    assert.ok(masked.explanation.da.length > 0);
    assert.deepEqual(await call(registration, 'Activate', activation('js-activation-1'), 'epj-hovedstaden'), reply);
  },

  async masksAStream() {
    const stream = effectuation.MaskEntryStream(as('borgervisning'), within());
    const answers = [];
    const ended = new Promise((resolve, reject) => stream.on('data', (a) => answers.push(a)).on('error', reject).on('end', resolve));
    for (let i = 0; i < 5; i++) stream.write(entries());
    stream.end();
    await ended;
    assert.equal(answers.length, 5);
    for (const answer of answers) assert.deepEqual(answer.entries.map((e) => e.staff[0].masked), [true, false]);
  },

  async isRefusedWithDetails() {
    const { INVALID_ARGUMENT, UNAUTHENTICATED, PERMISSION_DENIED, ALREADY_EXISTS, NOT_FOUND } = grpc.status;
    const info = await refused(call(registration, 'Activate', { ...activation('js-activation-2'), patient_cpr: '3002901234' }, 'epj-hovedstaden'), INVALID_ARGUMENT, 'SLR-910');
    assert.equal(info.metadata.field, 'patient_cpr');
    await refused(call(registration, 'Activate', { ...activation('js-activation-1'), reason: 'Noget andet.' }, 'epj-hovedstaden'), ALREADY_EXISTS, 'SLR-107');
    await refused(call(registration, 'Activate', activation('js-activation-3')), UNAUTHENTICATED, 'SLR-901');
    await refused(call(registration, 'Activate', activation('js-activation-3'), 'borgervisning'), PERMISSION_DENIED, 'SLR-902');
    await refused(call(approval, 'GetCase', { case_id: '0190c1b2-7cbe-7d0c-9e3f-1f2a3b4c5d6e' }, 'leder'), NOT_FOUND, 'SLR-201');
    await refused(watch('leder').next(), PERMISSION_DENIED, 'SLR-902');
  },
};

for (const [name, run] of Object.entries(cases)) {
  const error = await run().then(() => null, (e) => e.stack ?? String(e));
  console.log(JSON.stringify({ name, error }));
}
process.exit(0);
