// Another implementation of JWT, JWS and JWE (jose), and of TLS (node's own), against the token service. `keys` makes the key pairs that the platform is
// then told of; `run` plays the cases and writes one JSON line for each.
import * as jose from 'jose';
import { readFileSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { randomUUID } from 'node:crypto';

const [command, folder, settingsText] = process.argv.slice(2);
const file = (name) => `${folder}/${name}`;
const json = (name) => JSON.parse(readFileSync(file(name), 'utf8'));

if (command === 'keys') {
  const pair = async (name, alg, use) => {
    const { publicKey, privateKey } = await jose.generateKeyPair(alg, { extractable: true, crv: alg.startsWith('ECDH') ? 'P-256' : undefined });
    const shown = { ...(await jose.exportJWK(publicKey)), kid: name, use };
    if (use === 'sig') shown.alg = alg;
    writeFileSync(file(`${name}.private.json`), JSON.stringify({ ...(await jose.exportJWK(privateKey)), alg, kid: name }));
    writeFileSync(file(`${name}.jwks.json`), JSON.stringify({ keys: [shown] }));
    writeFileSync(file(`${name}.jwk.json`), JSON.stringify(shown));
  };
  for (const [name, alg] of [['es', 'ES256'], ['ps', 'PS256'], ['rs', 'RS256'], ['provider', 'RS256'], ['stranger', 'ES256']]) await pair(name, alg, 'sig');
  await pair('audience', 'ECDH-ES', 'enc');
  process.exit(0);
}

const settings = JSON.parse(settingsText);
const now = () => Math.floor(Date.now() / 1000) + settings.ahead;
const currentDate = () => new Date(now() * 1000);
const discovered = await (await fetch(`${settings.issuer}/.well-known/openid-configuration`)).json();
const jwks = jose.createRemoteJWKSet(new URL(discovered.jwks_uri));
const keyOf = async (name) => jose.importJWK(json(`${name}.private.json`));

const assertion = async (client, key, change = (jwt) => jwt) => {
  const { alg, kid } = json(`${key}.private.json`);
  return change(new jose.SignJWT({}).setProtectedHeader({ alg, kid }).setIssuer(client).setSubject(client).setAudience(discovered.token_endpoint)
    .setJti(randomUUID()).setIssuedAt(now()).setExpirationTime(now() + 60)).sign(await keyOf(key));
};
const post = async (fields) => {
  const response = await fetch(discovered.token_endpoint, { method: 'POST', body: new URLSearchParams(fields) });
  return { status: response.status, body: await response.json() };
};
const byAssertion = async (client, key, fields = {}, change) => post({
  grant_type: 'client_credentials', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: await assertion(client, key, change), ...fields,
});
const overTls = (url, options, body = '') => new Promise((resolve, reject) => {
  const request = https.request(url, { ca: readFileSync(file('ca.pem')), agent: false, ...options }, (response) => {
    let text = '';
    response.on('data', (part) => { text += part; });
    response.on('end', () => resolve({ status: response.statusCode, body: text ? JSON.parse(text) : {} }));
  });
  request.on('error', reject);
  request.end(body);
});
const certificate = (name) => ({ cert: readFileSync(file(`${name}.pem`)), key: readFileSync(file(`${name}.key`)) });
const form = (fields) => ({ headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(fields).toString() });
const tokenOverTls = async (client, name) => {
  const { headers, body } = form({ grant_type: 'client_credentials', client_id: client });
  return overTls(discovered.mtls_endpoint_aliases.token_endpoint, { method: 'POST', headers, ...(name ? certificate(name) : {}) }, body);
};
const expect = (what, actual, wanted) => {
  if (JSON.stringify(actual) !== JSON.stringify(wanted)) throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(wanted)}`);
};
const bootstrap = async (claims, key = 'provider') => {
  const { alg, kid } = json(`${key}.private.json`);
  return new jose.SignJWT({ [settings.cprClaim]: settings.reader, [settings.actsForClaim]: [settings.relation], ...claims }).setProtectedHeader({ alg, kid })
    .setIssuer(settings.provider).setAudience(settings.providerAudience).setSubject('citizen-7').setIssuedAt(now()).setExpirationTime(now() + 300).sign(await keyOf(key));
};
const exchange = async (subject, fields = {}) => byAssertion('peer-es', 'es', {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: subject, subject_token_type: 'urn:ietf:params:oauth:token-type:jwt', audience: settings.audience, ...fields,
});

const cases = {
  async assertionsOfEveryAlgorithmAreTakenAndTheTokenVerifies() {
    for (const key of ['es', 'ps', 'rs']) {
      const { status, body } = await byAssertion(`peer-${key}`, key);
      expect(`status with ${key}`, status, 200);
      const { payload, protectedHeader } = await jose.jwtVerify(body.access_token, jwks, { issuer: settings.issuer, audience: 'sloring', typ: 'at+jwt', algorithms: ['ES256'], currentDate: currentDate() });
      expect('client', payload.client_id, `peer-${key}`);
      expect('algorithm', protectedHeader.alg, 'ES256');
    }
  },
  async anotherClientsAssertionIsRefused() {
    expect('code', (await byAssertion('peer-es', 'stranger')).body.code, 'SLR-601');
    expect('code', (await byAssertion('peer-ps', 'es')).body.code, 'SLR-601');
    const once = await assertion('peer-es', 'es');
    const ask = () => post({ grant_type: 'client_credentials', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: once });
    expect('first', (await ask()).status, 200);
    expect('second', (await ask()).body.code, 'SLR-608');
    expect('audience', (await byAssertion('peer-es', 'es', {}, (jwt) => jwt.setAudience('https://elsewhere.example'))).body.code, 'SLR-606');
  },
  async bootstrapTokenIsExchangedAndTheAudienceReadsIt() {
    const { status, body } = await exchange(await bootstrap({}), { on_behalf_of: settings.relation });
    expect('status', [status, body.issued_token_type, body.token_type], [200, 'urn:ietf:params:oauth:token-type:jwt', 'N_A']);
    const { plaintext, protectedHeader } = await jose.compactDecrypt(body.access_token, await keyOf('audience'), { keyManagementAlgorithms: ['ECDH-ES'], contentEncryptionAlgorithms: ['A256GCM'] });
    expect('header', [protectedHeader.cty, protectedHeader.kid], ['JWT', 'audience']);
    const { payload } = await jose.jwtVerify(new TextDecoder().decode(plaintext), jwks, { issuer: settings.issuer, audience: settings.audience, typ: 'sloring-identity+jwt', currentDate: currentDate() });
    expect('whose data', [payload.cpr, payload.act.cpr, payload.act.relation], [settings.shown, settings.reader, 'parental-custody']);
    expect('who masks', payload.masking.organisations.map((organisation) => organisation.cvr), [settings.masks]);
    if (!payload.masking.salt.value) throw new Error('no salt');
    let read = false;
    try {
      await jose.compactDecrypt(body.access_token, await jose.importJWK({ ...json('stranger.private.json'), alg: 'ECDH-ES' }, 'ECDH-ES'));
      read = true;
    } catch {
      // Not the audience's key.
    }
    if (read) throw new Error('somebody else could read it');
  },
  async bootstrapTokenOfAnotherIsRefused() {
    expect('key', (await exchange(await bootstrap({}, 'stranger'))).body.code, 'SLR-612');
    expect('relation', (await exchange(await bootstrap({ [settings.actsForClaim]: [] }), { on_behalf_of: settings.relation })).body.code, 'SLR-614');
  },
  async certificateGetsATokenThatIsGoodWithItOnly() {
    for (const [client, name] of [['peer-ca', 'client'], ['peer-own', 'own']]) {
      const { status, body } = await tokenOverTls(client, name);
      expect(`status of ${client}`, status, 200);
      const { payload } = await jose.jwtVerify(body.access_token, jwks, { currentDate: currentDate() });
      if (!payload.cnf['x5t#S256']) throw new Error('the token is not bound');
      const salt = (with_) => overTls(`${settings.https}/v1/salt`, { headers: { authorization: `Bearer ${body.access_token}` }, ...(with_ ? certificate(with_) : {}) });
      expect('with it', (await salt(name)).status, 200);
      expect('without', (await salt()).body.code, 'SLR-931');
      expect('with another', (await salt(name === 'own' ? 'client' : 'own')).body.code, 'SLR-931');
      const plain = await fetch(`${settings.issuer}/v1/salt`, { headers: { authorization: `Bearer ${body.access_token}` } });
      expect('without TLS', (await plain.json()).code, 'SLR-931');
    }
  },
  async certificateOfAnotherIsRefused() {
    for (const [client, name] of [['peer-ca', 'own'], ['peer-ca', 'other'], ['peer-ca', 'foreign'], ['peer-ca', 'server'], ['peer-ca', 'old'], ['peer-ca', null], ['peer-own', 'client'], ['peer-es', 'client'], ['nobody', 'client']]) {
      const { status, body } = await tokenOverTls(client, name);
      expect(`${client} with ${name}`, [status, body.code], [401, 'SLR-601']);
    }
  },
};

for (const [name, play] of Object.entries(cases)) {
  let error = null;
  try {
    await play();
  } catch (e) {
    error = `${e.stack ?? e}`;
  }
  console.log(JSON.stringify({ name, error }));
}
