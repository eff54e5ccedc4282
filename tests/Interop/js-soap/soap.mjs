// The foreign client of wire.mjs against the whole platform: runs every case and prints one JSON line each, which SoapClientTests of tests/Flow reads.
//  node soap.mjs ADDRESS < {"key","certificate","strangersKey","now","cpr","person"} as JSON
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { epj, national, sts, wire } from './wire.mjs';

const [address] = process.argv.slice(2);
const { key, certificate, strangersKey, now, cpr, person } = JSON.parse(readFileSync(0, 'utf8')); // not as arguments: those stand in the process list
const { instant, unsigned, ticket, client } = wire({ address, key, certificate, now, person });

const registration = '/idsas-registration/20240124/registration';
const lookup = '/idsas-lookup/20240124/lookup';
const salt = '/idsas-salt/20230601/salt';
const blurring = (patient = cpr, days = 30) => ({ patientId: { id: patient, classification: 'CPR' }, endDateTime: instant(days * 24 * 60) });

async function masked() {
  const [answer] = await (await client(lookup, ticket(sts))).GetBlurredOrganisationsAsync({ patientId: { id: cpr, classification: 'CPR' } });
  return (answer?.organisationId ?? []).map(({ id, classification }) => `${classification} ${id}`);
}
async function eventually(what, holds) {
  for (const until = Date.now() + 20000; !(await holds()); await new Promise((r) => setTimeout(r, 50)))
    if (Date.now() > until) assert.fail(`not within 20 s: ${what}`);
}
async function fault(promise) {
  const error = await promise.then(() => assert.fail('it was accepted'), (e) => e);
  assert.equal(error.response?.status, 500, String(error));
  const { faultcode, faultstring, detail } = error.root.Envelope.Body.Fault;
  assert.ok(!JSON.stringify(error.root.Envelope.Body).includes(cpr));
  return { faultcode, faultstring, ...detail.Rejection };
}
const refused = async (expected, path, security, operation = 'CreateBlurring', body = blurring()) =>
  assert.equal((await fault((await client(path, security))[`${operation}Async`](body))).faultstring, expected);

const cases = {
  async createsTheLookupListsIt() {
    assert.deepEqual(await masked(), []);
    const messageId = randomUUID();
    const [answer, , header] = await (await client(registration, ticket({ ...epj, user: true }), messageId)).CreateBlurringAsync(blurring());
    assert.equal(answer, 'OK');
    assert.equal(header.Header.FlowStatus, 'flow_finalized_succesfully');
    assert.equal(header.Header.Linking.FlowID, 'flow-1');
    assert.equal(header.Header.Linking.InResponseToMessageID, messageId);
    assert.match(header.Header.Linking.MessageID, /^[0-9a-f-]{36}$/);
    assert.notEqual(header.Header.Linking.MessageID, messageId);
    assert.ok(Math.abs(new Date(header.Security.Timestamp.Created).getTime() - now) < 600000);
    await eventually('the lookup lists it', async () => (await masked()).join() === 'CVR 29190623');
  },
  async aSystemCreatesByTheOldVersion() {
    const [answer] = await (await client('/idsas-registration/20230601/registration', ticket(epj))).CreateBlurringAsync(blurring('6803901234'));
    assert.equal(answer, 'OK');
  },
  async theSaltIsRead() {
    const [{ salt: text }] = await (await client(salt, ticket(epj))).GetCurrentSaltAsync({});
    assert.equal(Buffer.from(text, 'base64').length, 32);
  },
  async aUnitIsMaskedAndShownAgain() {
    const units = async () => (await (await client(lookup, ticket(sts))).ListAllBlurredOrgsAsync({}))[0]?.org?.map(({ id, classification }) => `${classification} ${id}`) ?? [];
    const org = { org: { id: '1399201', classification: 'SHAK' } }; // nominated and recommended before this ran
    for (let twice = 0; twice < 2; twice++)
      assert.equal((await (await client(registration, ticket(national))).CreateOrgBlurringAsync(org))[0], 'OK');
    await eventually('the lookup lists the unit', async () => (await units()).includes('SOR 1000211000016007') && (await units()).includes('SHAK 1399201'));
    assert.equal((await (await client(registration, ticket(national))).RemoveOrgBlurringAsync(org))[0], 'OK');
    await eventually('the lookup lists no unit', async () => (await units()).length === 0);
    assert.equal((await fault((await client(registration, ticket(national))).CreateOrgBlurringAsync(org))).Code, 'SLR-121');
  },
  async ticketsAreRefusedByTheDocumentedFaults() {
    await refused('Sikkerhedsbilletten mangler', registration, null);
    await refused('Sikkerhedsbilletten mangler', registration, '');
    await refused('Sikkerhedsbilletten er udløbet', registration, ticket({ ...epj, from: -120, until: -60 }));
    await refused('Sikkerhedsbilletten er ikke gyldig endnu', registration, ticket({ ...epj, from: 60, until: 120 }));
    await refused('Brugertypen kan ikke bestemmes ud fra den medsendte sikkerhedsbillet', registration, ticket({ ...epj, type: 'robot' }));
    await refused('Brugertypen kan ikke bestemmes ud fra den medsendte sikkerhedsbillet', registration, ticket({ ...epj, level: 2 }));
    await refused('Brugertypen kan ikke entydigt bestemmes ud fra den medsendte sikkerhedsbillet', registration, ticket({ ...epj, user: true, type: 'system', level: 3 }));
    await refused("Client persistent unique key '29190925-EPJ Midtjylland' er ikke whitelisted for type SALT", salt, ticket({ cvr: '29190925', system: 'EPJ Midtjylland' }), 'GetCurrentSalt', {});
  },
  async hostileTicketsAreNotValid() {
    const good = ticket(epj), other = ticket({ ...epj, cvr: '29190925' }, { privateKey: strangersKey });
    const signature = /<ds:Signature .*<\/ds:Signature>/s;
    for (const hostile of [
      unsigned(epj),
      ticket(epj, { privateKey: strangersKey }),
      ticket(epj, { signatureAlgorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' }),
      ticket(epj, { digestAlgorithm: 'http://www.w3.org/2000/09/xmldsig#sha1' }),
      ticket(epj, { canonicalizationAlgorithm: 'http://www.w3.org/2001/10/xml-exc-c14n#WithComments' }),
      ticket({ ...epj, audience: 'another' }),
      ticket({ ...epj, issuer: 'urn:other' }),
      good.replaceAll('29190623', '29190925'),
      good.replace('29190623</saml', '2919<!-- -->0623</saml'),
      good + other,
      other + good,
      other.replace(signature, good),
      other.replace(signature, good.match(signature)[0]),
      other.replace(signature, good.match(signature)[0]) + good.replaceAll('saml:Assertion', 'saml:Evidence'),
      `${good}<x id="IDCard"/>`,
    ])
      await refused('Sikkerhedsbilletten er ikke valid', registration, hostile);
  },
  async aClientDoesWhatItIsWhitelistedForOnly() {
    assert.equal((await fault((await client(lookup, ticket(epj))).GetBlurredOrganisationsAsync({ patientId: { id: cpr, classification: 'CPR' } }))).Code, 'SLR-808');
    assert.equal((await fault((await client(registration, ticket(sts))).CreateBlurringAsync(blurring()))).Code, 'SLR-808');
    assert.equal((await fault((await client(lookup, ticket({ ...sts, user: true }))).ListAllBlurredOrgsAsync({}))).Code, 'SLR-809');
  },
  async wrongRequestsAreNumbered() {
    const create = async (body) => fault((await client(registration, ticket(epj))).CreateBlurringAsync(body));
    const badCpr = await create(blurring('7113901234'));
    assert.deepEqual([badCpr.faultcode, badCpr.Code], ['soap:Client', 'SLR-910']);
    assert.ok(badCpr.faultstring.startsWith('CPR-nummeret er ikke gyldigt'));
    assert.ok(badCpr.En.startsWith('The CPR number is not valid'));
    assert.equal((await create(blurring(cpr, 100))).Code, 'SLR-105');
    assert.equal((await create(blurring(cpr, -1))).Code, 'SLR-106');
  },
};

for (const [name, run] of Object.entries(cases))
  console.log(JSON.stringify({ name, error: await run().then(() => null, (e) => String(e.stack ?? e)) }));
