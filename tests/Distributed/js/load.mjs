// Foreign systems that keep on whatever fails: EPJ adapters (AMQP and gRPC), leaders (HTTP), citizens' views (gRPC) and a data source (AMQP). Takes its
// settings as the first line of its input and commands as the lines after it; writes one JSON line for everything it did, with its own monotonic clock.
import amqp from 'amqplib';
import grpc from '@grpc/grpc-js';
import protoLoader from '@grpc/proto-loader';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const settings = JSON.parse((await lines.next()).value);
const history = createWriteStream(settings.history);
const now = () => Math.round((performance.timeOrigin + performance.now()) * 10) / 10;
const write = (line) => { history.write(JSON.stringify(line) + '\n'); return line; };
const pick = (all) => all[Math.floor(Math.random() * all.length)];
const chance = (share) => Math.random() < share;
let stopping = false;
// How long an answer is waited for: a machine that is busy with tests is slow, and slow is not failed where that is what is looked at.
const patient = (ms) => ms * settings.patience;

// As HistoryChecker's own: patient number n of the run.
const cprOf = (n) => {
  const k = settings.firstPatient + n;
  const two = (x) => String(x).padStart(2, '0');
  return two(61 + (k % 28)) + two(1 + (Math.floor(k / 28) % 12)) + two(Math.floor(k / 336) % 100) + String(Math.floor(k / 33600) % 4000).padStart(4, '0');
};

const organisations = {
  29190623: { epj: 'epj-hovedstaden', leader: 'leder', worker: 'hw-1001', unit: '1000111000016001', boss: 'ld-2001', level: '1000021000016006' },
  29190925: { epj: 'epj-midtjylland', leader: 'leder-vest', worker: 'hw-2001', unit: '2000111000016002', boss: 'ld-2101', level: '2000101000016004' },
};
const source = { user: 'kilde-hovedstaden', cvr: '29190623' };

// What an attempt came to. None: no answer, or one that says try again.
const none = (why) => ({ none: why });
const refused = (code) => ({ refused: code });
const passing = new Set(['SLR-401', 'SLR-501', 'SLR-504', 'SLR-901', 'SLR-908', 'SLR-909', 'SLR-201']);
const judged = (code) => (passing.has(code) ? none(code) : refused(code));

// ── Tokens, renewed at four fifths of their life; a token service that is away leaves the one at hand in use.
const tokens = new Map();
async function token(client) {
  const known = tokens.get(client);
  if (known?.value && now() < known.renewAt) return known.value;
  if (!known?.fetching) {
    const fetching = (async () => {
      const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: client, client_secret: settings.secrets[client] });
      const line = { k: 'token', t0: now(), tries: 1 };
      try {
        const response = await fetch(settings.tokens + '/connect/token', { method: 'POST', body, signal: AbortSignal.timeout(patient(4000)) });
        if (!response.ok) throw new Error(`tokens ${response.status}`);
        const { access_token: value, expires_in: life } = await response.json();
        tokens.set(client, { value, renewAt: now() + life * 800, endsAt: now() + life * 1000 });
        write({ ...line, t1: now(), out: 'accepted' });
        return value;
      } catch (error) {
        write({ ...line, t1: now(), out: 'unanswered', code: error.cause?.code ?? error.message });
        throw error;
      }
    })().finally(() => { const entry = tokens.get(client); if (entry) entry.fetching = undefined; });
    tokens.set(client, { ...known, fetching });
  }
  try {
    return await tokens.get(client).fetching;
  } catch (error) {
    if (known?.value && now() < known.endsAt) return known.value;
    throw error;
  }
}
const forget = (client) => tokens.delete(client);

// ── gRPC
const files = ['registration', 'effectuation'].map((name) => `sloring/${name}/v1/${name}.proto`);
const { sloring } = grpc.loadPackageDefinition(protoLoader.loadSync(files, { includeDirs: [settings.protos], keepCase: true, longs: Number, enums: String, defaults: true, oneofs: true }));
// A connection of its own for each client: no two share what a replica's end takes away.
const patience = { 'grpc.use_local_subchannel_pool': 1, 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1000, 'grpc.keepalive_time_ms': 2000, 'grpc.keepalive_timeout_ms': 2000 };
const client = (Service, address) => new Service(address.replace('http://', ''), grpc.credentials.createInsecure(), patience);
const registrations = settings.registrations.map((address) => client(sloring.registration.v1.RegistrationService, address));
const effectuations = Object.fromEntries(Object.entries(settings.effectuations).map(([name, address]) => [name, client(sloring.effectuation.v1.EffectuationService, address)]));

async function call(service, method, request, as, limit) {
  let bearer;
  try {
    bearer = await token(as);
  } catch {
    return none('no token');
  }
  const metadata = new grpc.Metadata();
  metadata.set('authorization', `Bearer ${bearer}`);
  return await new Promise((resolve) => service[method](request, metadata, { deadline: Date.now() + patient(limit) }, (error, reply) => {
    if (!error) return resolve({ reply });
    if (error.code === grpc.status.UNAUTHENTICATED) forget(as);
    const code = /^SLR-\d{3}/.exec(error.details ?? '')?.[0];
    resolve(code ? judged(code) : none(`${grpc.status[error.code]} ${error.details}`));
  }));
}
const millis = (stamp) => Number(stamp.seconds) * 1000 + Math.ceil(stamp.nanos / 1e6);

// ── AMQP: one connection a system, made anew when it is lost; what waits for an answer then has none.
class Link {
  #user;
  #open;
  #waiting = new Map();
  #next = 0;
  #listen;

  constructor(user, listen) {
    this.#user = user;
    this.#listen = listen;
    this.#keep();
  }

  async #keep() {
    while (true) {
      try {
        const connection = await amqp.connect({ hostname: '127.0.0.1', port: settings.amqp, username: this.#user, password: settings.secrets[this.#user], heartbeat: 5 }, { timeout: 5000 });
        const gone = new Promise((resolve) => connection.on('close', resolve));
        connection.on('error', () => {});
        const channel = await connection.createConfirmChannel();
        channel.on('error', () => {});
        channel.on('close', () => connection.close().catch(() => {}));
        await channel.consume('amq.rabbitmq.reply-to', (message) => {
          this.#waiting.get(message?.properties.correlationId)?.({ answer: JSON.parse(message.content.toString('utf8')) });
        }, { noAck: true });
        if (this.#listen) {
          const queue = `${this.#user}.faults`;
          await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
          for (const exchange of this.#listen.exchanges) await channel.bindQueue(queue, exchange, this.#listen.key);
          await channel.consume(queue, (message) => { if (message) { this.#listen.on(JSON.parse(message.content.toString('utf8'))); channel.ack(message); } });
        }
        this.#open = channel;
        await gone;
      } catch {
        // Away: again in a moment.
      }
      this.#open = undefined;
      for (const end of [...this.#waiting.values()]) end(none('connection lost'));
      await sleep(250);
    }
  }

  async publish(exchange, key, body, options) {
    const channel = this.#open;
    if (!channel) return none('not connected');
    return await new Promise((resolve) => {
      const limit = setTimeout(() => resolve(none('no confirm')), patient(6000));
      const done = (error) => { clearTimeout(limit); resolve(error ? none('not confirmed') : { sent: true }); };
      try {
        channel.publish(exchange, key, Buffer.from(JSON.stringify(body)), { persistent: true, contentType: 'application/json', userId: this.#user, messageId: crypto.randomUUID(), ...options }, done);
      } catch {
        done(true);
      }
    });
  }

  async ask(key, body, limit) {
    const correlationId = `${this.#user}-${this.#next++}`;
    const answered = new Promise((resolve) => this.#waiting.set(correlationId, resolve));
    try {
      const sent = await this.publish('sloring.activations', key, body, { replyTo: 'amq.rabbitmq.reply-to', correlationId });
      if (sent.none) return sent;
      const { answer, ...other } = await Promise.race([answered, sleep(patient(limit), none('no answer'), { ref: false })]);
      if (!answer) return other;
      return answer.accepted ? { reply: answer } : judged(answer.rejection?.code ?? 'SLR-908');
    } finally {
      this.#waiting.delete(correlationId);
    }
  }
}
const links = Object.fromEntries(Object.values(organisations).map(({ epj }) => [epj, new Link(epj)]));

// ── HTTP
async function http(address, method, path, body, as) {
  try {
    const headers = { authorization: `Bearer ${await token(as)}`, 'content-type': 'application/json' };
    const response = await fetch(address + path, { method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(patient(5000)) });
    const reply = await response.json();
    if (response.ok) return { reply };
    if (response.status === 401) forget(as);
    return reply.code ? judged(reply.code) : none(`HTTP ${response.status}`);
  } catch (error) {
    return none(error.cause?.code ?? error.name);
  }
}

// ── Operations: tried until they are answered, as whoever depends on them does.
const open = new Set();
async function persist(operation, attempt, settled = []) {
  const entry = { ...operation, t0: now(), tries: 0 };
  open.add(entry);
  while (true) {
    entry.tries++;
    const result = await attempt(entry.tries);
    if (entry.closed) return entry;
    if (result.none !== undefined) entry.why = result.none;
    // "Already done" in answer to a repeat: the try before was done and its answer lost.
    const done = result.reply ?? (entry.tries > 1 && settled.includes(result.refused) ? {} : undefined);
    if (done || result.refused) {
      open.delete(entry);
      Object.assign(entry, { t1: now() }, done ? { out: 'accepted', reply: done } : { out: 'refused', code: result.refused });
      const { reply, ...line } = entry;
      if (entry.keep) Object.assign(line, entry.keep(reply ?? {}));
      delete line.keep;
      write(line);
      return Object.assign(entry, line);
    }
    await sleep(Math.min(200 * entry.tries, 1000));
    if (entry.closed) return entry;
  }
}
// What is still without an answer when the run ends.
function close(entry) {
  if (entry.closed) return;
  entry.closed = true;
  open.delete(entry);
  const { keep, closed, reply, ...line } = entry;
  write({ ...line, out: 'unanswered' });
}

let patients = 0;
const again = []; // numbers of patients who may be masked anew; the probe's are its own
const someoneNew = () => { again.push(patients); return patients++; };
let sequence = 0;
const maskings = []; // accepted, in the order of their answers
const ended = []; // numbers of patients whose masking was ended

async function activate({ n = chance(0.25) && again.length > 20 ? pick(again) : someoneNew(), cvr = chance(0.25) ? '29190925' : '29190623', via = sequence % 2 ? 'amqp' : 'grpc', seconds, reason = chance(0.5) } = {}) {
  const { epj, worker, unit } = organisations[cvr];
  const key = `faults-${settings.run}-${sequence++}`;
  const replica = sequence;
  const ends = seconds ?? (chance(0.15) ? 30 + Math.random() * 30 : undefined);
  const endsAt = ends && new Date(Date.now() + ends * 1000);
  const why = reason ? 'Truede personalet.' : '';
  const entry = await persist({ k: 'activate', n, cvr, via, keep: (reply) => ({ id: reply.masking_id ?? reply.maskingId, position: Number(reply.position), ends: reply.ends_at ? millis(reply.ends_at) : reply.endsAt && Date.parse(reply.endsAt) }) }, (tries) => via === 'amqp'
    ? links[epj].ask('activate-masking', {
      idempotencyKey: key, patientCpr: cprOf(n), trigger: 'threats', behaviourOn: '2025-01-15', ...(why && { reason: why }),
      activator: { personId: worker, role: 'health-worker', unitSorId: unit }, ...(endsAt && { endsAt: endsAt.toISOString() }),
    }, 6000)
    : call(registrations[(replica + tries) % registrations.length], 'Activate', {
      idempotency_key: key, patient_cpr: cprOf(n), trigger: 'TRIGGER_THREATS', behaviour_on: '2025-01-15', reason: why,
      activator: { person_id: worker, role: 'health-worker', unit_sor_id: unit },
      ...(endsAt && { ends_at: { seconds: Math.floor(endsAt.getTime() / 1000), nanos: (endsAt.getTime() % 1000) * 1e6 } }),
    }, epj, 5000));
  if (entry.out === 'accepted') maskings.push({ n, cvr, id: entry.id, ends: entry.ends, at: entry.t1, reason, free: true });
  return entry;
}

const about = ({ n, cvr, id }) => ({ n, cvr, id });
const addReason = (masking) => persist({ k: 'reason', ...about(masking) }, () =>
  links[organisations[masking.cvr].epj].ask('add-reason', { maskingId: masking.id, reason: 'Slog ud efter personalet.' }, 6000), ['SLR-110'])
  .then((entry) => { masking.reason ||= entry.out === 'accepted'; return entry; });

const end = (masking) => persist({ k: 'end', ...about(masking) }, () =>
  links[organisations[masking.cvr].epj].ask('end-masking', {
    maskingId: masking.id, reason: 'Grundlaget er bortfaldet.', activator: { personId: organisations[masking.cvr].boss, role: 'leader', unitSorId: organisations[masking.cvr].level },
  }, 6000)).then((entry) => { if (entry.out === 'accepted') ended.push(masking.n); return entry; });

const decide = (masking, kind) => persist({ k: kind, ...about(masking) }, () =>
  http(settings.approval, 'POST', `/v1/cases/${masking.id}/decision`, { decision: kind === 'lift' ? 'DECISION_LIFT' : 'DECISION_UPHOLD', reason: 'Konkret vurdering.' }, organisations[masking.cvr].leader), ['SLR-205'])
  .then((entry) => { if (entry.out === 'accepted' && kind === 'lift') ended.push(masking.n); return entry; });

const staff = [{ role: 'user', name: 'Bo Eksempel', profession_code: '5166' }];
async function read(n, replica = pick(Object.keys(effectuations))) {
  const t0 = now();
  const result = await call(effectuations[replica], 'MaskEntries', { patient_cpr: cprOf(n), entries: Object.keys(organisations).map((cvr) => ({ id: cvr, source: 'EPJ', cvr, staff })) }, 'borgervisning', 4000);
  const line = { k: 'read', r: replica, n, t0, t1: now() };
  if (!result.reply) return write({ ...line, out: result.refused || /^SLR/.test(result.none) ? 'refused' : 'unanswered', code: result.refused ?? result.none });
  const shown = (entry) => entry.staff.some((s) => s.name.length > 0);
  return write({ ...line, out: 'accepted', shown: result.reply.entries.filter(shown).map((e) => e.cvr), masked: result.reply.entries.filter((e) => !shown(e)).map((e) => e.cvr) });
}

const updates = new Map();
const toldToMask = new Set(); // journal positions that the data source has heard of
const sourceLink = new Link(source.user, { exchanges: ['sloring.masked-updates', 'sloring.masking-decisions'], key: `${source.cvr}.${source.user}`, on: masked });
function masked(message) {
  if (message.patientKey) toldToMask.add(Number(message.position));
  const update = updates.get(message.updateId);
  if (!update) return;
  const shown = message.entries[0].entries[0].staff.some((s) => (s.name ?? '').length > 0);
  if (!update.t1) open.delete(update);
  write({ k: 'update', r: 'update', n: update.n, t0: update.t0, t1: (update.t1 = now()), out: 'accepted', [shown ? 'shown' : 'masked']: [source.cvr] });
}
async function update(n) {
  const id = `faults-${settings.run}-u${sequence++}`;
  const entry = { k: 'update', n, t0: now() };
  updates.set(id, entry);
  open.add(entry);
  const entries = [{ patientCpr: cprOf(n), entries: [{ id: 'u', source: 'EPJ', cvr: source.cvr, staff: [{ role: 'user', name: 'Bo Eksempel', professionCode: '5166' }] }] }];
  while (!entry.t1 && !entry.closed && (await sourceLink.publish('sloring.updates', 'data-source-update', { updateId: id, entries })).none) await sleep(500);
}

async function picture(n, replica, of = effectuations) {
  const t0 = now();
  const result = await call(of[replica], 'GetMaskingInstructions', { patient_cpr: cprOf(n) }, 'borgervisning', 10000);
  const line = { k: 'picture', r: replica, n, t0, t1: now() };
  return write(result.reply
    ? { ...line, out: 'accepted', orgs: Object.fromEntries(result.reply.organisations.map((o) => [o.cvr, millis(o.ends_at)])) }
    : { ...line, out: 'unanswered', code: result.refused ?? result.none });
}

// The region's system: hears when a masking has ended, which its deadline, the register and the approval have all had a part in.
const toldToHaveEnded = new Set();
new Link('region-hovedstaden', { exchanges: ['sloring.notifications'], key: `${source.cvr}.#`, on: (notice) => { if (notice.kind === 'ended') toldToHaveEnded.add(notice.caseId); } });

// ── The steady load
function every(perSecond, most, work) {
  let running = 0;
  const timer = setInterval(() => {
    if (stopping || running >= most) return;
    running++;
    Promise.resolve(work()).catch((error) => write({ k: 'error', at: now(), text: String(error?.stack ?? error) })).finally(() => running--);
  }, 1000 / perSecond);
  timer.unref();
}
const free = (fits) => {
  const recent = maskings.slice(-300).filter((m) => m.free && fits(m));
  return recent.length ? pick(recent) : undefined;
};
const take = (masking, work) => { if (masking) { masking.free = false; return work(masking); } };
const someone = () => {
  if (patients === 0) return undefined;
  if (maskings.length && chance(0.5)) return pick(maskings.slice(-60)).n;
  if (ended.length && chance(0.3)) return pick(ended.slice(-40));
  return Math.floor(Math.random() * patients);
};
// A leader looks at the work list: nothing is tried again, not even once.
async function list({ leader } = pick(Object.values(organisations))) {
  const t0 = now();
  const result = await http(settings.approval, 'GET', '/v1/cases', undefined, leader);
  write({ k: 'list', t0, t1: now(), tries: 1, out: result.reply ? 'accepted' : result.refused ? 'refused' : 'unanswered', code: result.refused ?? result.none });
}
function begin({ rate = 1, lists = 0 }) {
  if (lists) every(lists, 20, () => list());
  every(10 * rate, 120, () => activate());
  every(40 * rate, 120, () => { const n = someone(); return n === undefined ? undefined : read(n); });
  every(2 * rate, 30, () => { const n = someone(); return n === undefined ? undefined : update(n); });
  every(1 * rate, 20, () => { const m = free((x) => !x.reason); return m && addReason(m); });
  every(1 * rate, 20, () => take(free(() => true), end));
  every(1 * rate, 20, () => take(free((x) => now() - x.at > 2000), (m) => decide(m, 'lift')));
  every(1 * rate, 20, () => take(free((x) => x.reason && now() - x.at > 2000), (m) => decide(m, 'uphold')));
}

// ── What must work again after a fault: a new masking at every replica and told to the data source, a leader's decision, a deadline.
async function until(what, limit, condition) {
  const from = now();
  while (!(await condition())) {
    if (now() - from > limit) throw new Error(what);
    await sleep(100);
  }
}
const within = (promise, limit, what) => Promise.race([promise, sleep(limit, undefined, { ref: false }).then(() => { throw new Error(what); })]);
const everywhere = (n, cvr, list) => Promise.all(Object.keys(effectuations).map((replica) =>
  until(`${replica} ${list === 'masked' ? 'masks' : 'shows names again'}`, 60000, async () => (await read(n, replica))[list]?.includes(cvr))));

async function probe() {
  const from = now();
  const cvr = '29190623';
  const n = patients++;
  const [long, short] = await within(Promise.all([
    activate({ n, cvr, via: 'grpc', reason: true }), activate({ n: patients++, cvr, via: 'amqp', seconds: 5, reason: true }),
  ]), 60000, 'two activations');
  const mine = maskings.filter((m) => m.id === long.id || m.id === short.id);
  mine.forEach((m) => (m.free = false));
  if (long.out !== 'accepted') throw new Error(`an activation was refused with ${long.code}`);
  const steps = [everywhere(n, cvr, 'masked').then(async () => {
    const lifted = await within(decide(long, 'lift'), 60000, 'a decision');
    if (lifted.out !== 'accepted') throw new Error(`a decision was refused with ${lifted.code}`);
    await everywhere(n, cvr, 'shown');
  })];
  // An activation that could only be sent after its own end is refused, and rightly so.
  if (short.out === 'accepted') {
    steps.push(until('the data source is told to mask', 60000, async () => toldToMask.has(short.position)));
    steps.push(until('the region is told that a masking ended by itself', 60000, async () => toldToHaveEnded.has(short.id)));
  }
  await Promise.all(steps);
  return { ms: Math.round(now() - from) };
}

async function inPairs(all, work) {
  const queue = [...all];
  await Promise.all(Array.from({ length: 48 }, async () => { for (let next; (next = queue.pop());) await work(...next); }));
}

const commands = {
  begin: async (command) => begin(command),
  probe,
  mark: async ({ name, phase, down }) => { write({ k: 'fault', name, phase, down, t0: now() }); },
  // No more is begun; what is under way is answered, or told to be unanswered.
  async stop({ limit }) {
    stopping = true;
    const from = now();
    while (open.size > 0 && now() - from < limit) await sleep(50);
    [...open].forEach(close);
    return { patients, maskings: maskings.length };
  },
  async pictures({ replicas }) {
    const of = replicas ? Object.fromEntries(Object.entries(replicas).map(([name, address]) => [name, client(sloring.effectuation.v1.EffectuationService, address)])) : effectuations;
    await inPairs(Array.from({ length: patients }, (_, n) => Object.keys(of).map((r) => [n, r, of])).flat(), picture);
    await inPairs([...new Set(ended)].flatMap((n) => Object.keys(effectuations).map((r) => [n, r])), read);
    return { patients };
  },
  flush: () => new Promise((resolve) => history.write('', () => resolve(null))),
};

const say = (line) => process.stdout.write(JSON.stringify(line) + '\n');
for await (const line of { [Symbol.asyncIterator]: () => lines }) {
  const command = JSON.parse(line);
  commands[command.do](command).then((result) => say({ id: command.id, result: result ?? null }), (error) => say({ id: command.id, error: String(error?.message ?? error) }));
}
process.exit(0);
