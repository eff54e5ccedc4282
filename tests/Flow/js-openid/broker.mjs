// Another implementation of an OpenID provider (oidc-provider), at which the token service has people sign in, and of a relying party (openid-client).
import * as oidc from 'openid-client';
import Provider from 'oidc-provider';
import { Browser, expect, has, play } from './kit.mjs';

const settings = JSON.parse(process.argv[2]);
const redirectUri = 'http://127.0.0.1:40123/signin-oidc';
const [cprClaim, actsForClaim] = ['dk:gov:saml:attribute:CprNumberIdentifier', 'dk:healthcare:saml:attribute:OnBehalfOf'];
const procuration = 'urn:dk:healthcare:saml:actThroughProcurationBy:cprNumberIdentifier:';
const people = {
  'ld-2001': { name: 'Lis Lederprøve', groups: ['grp-leaders', 'grp-choir'], cvr: '29190623', unit: '1000021000016006' },
  'ld-2002': { name: 'To Lederprøve', groups: 'grp-leaders', cvr: '29190623', unit: '1000021000016006' },
  'op-1': { name: 'Uden Rolle', groups: ['operator', 'leader', 'grp-choir'], cvr: '29190623' },
  'op-2': { name: 'Uden Grupper' },
  '2512489996': { name: 'Et CPR-nummer', groups: ['grp-leaders'], cvr: '29190623', unit: '1000021000016006' },
  'bo-1': { name: 'Bo Borgerprøve', groups: ['grp-citizens', 'grp-proxies'], [cprClaim]: '7101901234', [actsForClaim]: [procuration + '6503851111', 'urn:unknown:6802771111', procuration + '3002901234'] },
  'bo-2': { name: 'Kun Borger', groups: 'grp-citizens', [cprClaim]: '6503851111', [actsForClaim]: procuration + '7101901234' },
  'bo-3': { name: 'Uden Nummer', groups: 'grp-citizens' },
  'ld-3': { name: 'Forkert CVR', groups: ['grp-leaders'], cvr: '12345678' },
};
const provider = new Provider(settings.provider, {
  clients: [{ client_id: 'sloring', client_secret: settings.secrets['openid-provider'], token_endpoint_auth_method: 'client_secret_post', redirect_uris: [`${settings.issuer}/connect/signed-in`] }],
  claims: { openid: ['sub'], profile: ['name', 'groups', 'cvr', 'unit', cprClaim, actsForClaim] },
  conformIdTokenClaims: false,
  cookies: { keys: ['only-for-this-test'] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
});
// A provider, or whoever stands between, that gives another ID token than the one it signed.
let forged = null;
provider.use(async (context, next) => {
  await next();
  if (forged && context.body?.id_token) context.body = { ...context.body, id_token: forged(context.body.id_token) };
});
// Its warnings are about being a provider in earnest.
console.warn = console.info = () => {};
const server = provider.listen(Number(new URL(settings.provider).port), '127.0.0.1');
await new Promise((listening) => server.once('listening', listening));
const hosts = [new URL(settings.issuer).host, new URL(settings.provider).host];

const app = await oidc.discovery(new URL(settings.issuer), 'portal', settings.secrets.portal, undefined, { execute: [oidc.allowInsecureRequests] });
const asked = async (more = {}) => {
  const verifier = oidc.randomPKCECodeVerifier();
  const checks = { pkceCodeVerifier: verifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce(), idTokenExpected: true };
  return {
    checks, url: oidc.buildAuthorizationUrl(app, {
      redirect_uri: redirectUri, scope: 'openid', code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256', state: checks.expectedState, nonce: checks.expectedNonce, ...more,
    }),
  };
};
const submit = (browser, page, person) => {
  const action = new URL(page.text.match(/<form[^>]*action="([^"]+)"/)[1].replaceAll('&amp;', '&'), page.url);
  const prompt = page.text.match(/name="prompt" value="([^"]+)"/)[1];
  return browser.go(action, prompt === 'login' ? { prompt, login: person, password: 'x' } : { prompt });
};
/** Goes through the provider's pages; gives what comes then: the redirect to the app, or a page of the token service. */
const atProvider = async (browser, answer, person) => {
  answer = await browser.follow(answer, hosts);
  for (let pages = 0; pages < 3 && !answer.location && answer.url.host === hosts[1]; pages++) {
    answer = await browser.follow(await submit(browser, answer, person), hosts);
  }
  return answer;
};
const signIn = async (person, browser = new Browser(settings.issuer), more = {}) => {
  const { url, checks } = await asked(more);
  return { browser, checks, answer: await atProvider(browser, await browser.go(url), person) };
};
const tokens = async (person, browser, more) => {
  const signedIn = await signIn(person, browser, more);
  if (!signedIn.answer.location) throw new Error(`not signed in: ${signedIn.answer.text}`);
  return { ...signedIn, tokens: await oidc.authorizationCodeGrant(app, new URL(signedIn.answer.location), signedIn.checks) };
};
const call = async (token, method, path, body) => {
  const response = await fetch(settings.issuer + path, { method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
};

const cases = {
  async personOfTheProviderWorksWithTheRolesOfTheTable() {
    const { browser, tokens: answer } = await tokens('ld-2001');
    const id = answer.claims();
    expect('who', [id.sub, id.name, id.roles, id.cvr, id.unit], ['ld-2001', 'Lis Lederprøve', ['leader'], '29190623', '1000021000016006']);
    expect('own work', (await call(answer.access_token, 'GET', '/v1/cases')).status, 200);
    expect("another role's", (await call(answer.access_token, 'GET', '/v1/deadlines')).body.code, 'SLR-902');
    expect('refreshed', (await oidc.refreshTokenGrant(app, answer.refresh_token)).claims().sub, 'ld-2001');
    const again = await browser.go((await asked({ prompt: 'none' })).url);
    expect('session here', new URL(again.location).searchParams.has('code'), true);
    expect('one group, not a list', (await tokens('ld-2002')).tokens.claims().roles, ['leader']);
    const login = await browser.follow(await browser.go((await asked({ prompt: 'login' })).url), hosts);
    expect('prompt=login reaches the provider', [login.url.host, login.text.includes('name="login"')], [hosts[1], true]);
  },
  async whoTheProviderDoesNotDescribeWellIsLetInNowhere() {
    for (const [person, code] of [['op-1', 'SLR-631'], ['op-2', 'SLR-631'], ['2512489996', 'SLR-630'], ['ld-3', 'SLR-630'], ['bo-3', 'SLR-630']]) {
      const { browser, answer } = await signIn(person);
      expect(person, [answer.status, answer.location, answer.url.pathname, browser.cookies.has('sloring-session')], [403, null, '/connect/signed-in', false]);
      has('number', answer.text, code);
      if (answer.text.includes(person)) throw new Error('the page repeats who it was');
    }
  },
  async citizensNumberGoesSealedToAViewAndToNobodyElse() {
    const { tokens: answer } = await tokens('bo-1');
    const id = answer.claims();
    expect('who', [id.sub, id.roles], ['bo-1', ['citizen', 'citizen-representative']]);
    has('sealed', id.patients, 's1.');
    for (const token of [answer.id_token, answer.access_token]) {
      const claims = Buffer.from(token.split('.')[1], 'base64url').toString();
      if (/7101901234|6503851111/.test(claims)) throw new Error('a CPR number can be read in a token');
    }
    expect('not in the access token', JSON.parse(Buffer.from(answer.access_token.split('.')[1], 'base64url')).patients, undefined);
    expect('opens nothing', (await call(answer.access_token, 'POST', '/v1/masking-instructions', { patientCpr: '7101901234' })).body.code, 'SLR-902');
    const alone = (await tokens('bo-2')).tokens.claims();
    if (alone.patients.length >= id.patients.length) throw new Error('whom somebody acts for counts without the role');
    expect('at work', (await tokens('ld-2001')).tokens.claims().patients, undefined);
  },
  async idTokensThatAreNotSignedAreRefused() {
    const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url');
    const forgeries = {
      'alg none': ([, claims]) => `${none}.${claims}.`,
      'signature taken off': ([header, claims]) => `${header}.${claims}.`,
      'signature of something else': ([header, claims, signature]) => `${header}.${claims}.${signature.split('').reverse().join('')}`,
    };
    try {
      for (const [what, forge] of Object.entries(forgeries)) {
        forged = (token) => forge(token.split('.'));
        const { browser, answer } = await signIn('ld-2001');
        expect(what, [answer.status >= 400, answer.location, browser.cookies.has('sloring-session')], [true, null, false]);
        has(what, answer.text, 'SLR-629');
      }
    } finally {
      forged = null;
    }
    expect('signed', (await tokens('ld-2001')).tokens.claims().sub, 'ld-2001');
  },
  async answersThatNobodyAskedForAreRefused() {
    const browser = new Browser(settings.issuer);
    for (const query of ['', '?code=x', '?code=x&state=y', '?error=access_denied']) {
      const { status, location, text } = await browser.go(`/connect/signed-in${query}`);
      expect(query, [status >= 400, location], [true, null]);
      has('number', text, 'SLR-629');
    }
    // An answer of the provider for one browser, taken to another: signed in as somebody else without knowing it.
    const attacker = new Browser(settings.issuer);
    let answer = await attacker.go((await asked()).url);
    while (!(answer.location ?? '').includes('/connect/signed-in')) answer = answer.location ? await attacker.go(new URL(answer.location, answer.url)) : await submit(attacker, answer, 'ld-2001');
    const victim = new Browser(settings.issuer);
    await victim.go((await asked()).url);
    const taken = await victim.go(answer.location);
    expect('for another browser', [taken.status >= 400, taken.location, victim.cookies.has('sloring-session')], [true, null, false]);
    const refused = await victim.go('/connect/sign-in', { page: 'x', persona: 'leder' });
    expect('no personas', [refused.status, JSON.parse(refused.text).code], [404, 'SLR-917']);
  },
  async revokedPersonOfTheProviderIsOut() {
    const { browser, tokens: answer } = await tokens('ld-2002');
    const operator = (await oidc.clientCredentialsGrant(await oidc.discovery(new URL(settings.issuer), 'drift', settings.secrets.drift, undefined, { execute: [oidc.allowInsecureRequests] }))).access_token;
    expect('revoked', (await call(operator, 'POST', '/v1/clients/person:ld-2002/revocation', {})).status, 200);
    let refused = null;
    await oidc.refreshTokenGrant(app, answer.refresh_token).catch((e) => { refused = e.cause?.code; });
    expect('refresh', refused, 'SLR-625');
    const { answer: page } = await signIn('ld-2002', browser);
    expect('sign-in', [page.status, page.location], [403, null]);
    has('number', page.text, 'SLR-628');
  },
};
await play(cases);
server.close();
server.closeAllConnections();
