// Another implementation of OpenID Connect's relying party (openid-client) signs people in at the token service. Plays the cases and writes one JSON line for each.
import * as oidc from 'openid-client';
import { Browser, expect, has, play } from './kit.mjs';

const settings = JSON.parse(process.argv[2]);
const redirectUri = 'http://127.0.0.1:40123/signin-oidc'; // registered with another port: RFC 8252, 7.3
const signedOutUri = 'http://127.0.0.1:40123/signout-callback-oidc';
const insecure = { execute: [oidc.allowInsecureRequests] };
const app = await oidc.discovery(new URL(settings.issuer), 'portal', settings.secrets.portal, undefined, insecure);
const otherApp = await oidc.discovery(new URL(settings.issuer), 'other-app', undefined, oidc.ClientSecretBasic(settings.secrets['other-app']), insecure);

const eventually = async (what, check) => {
  const limit = Date.now() + 30_000;
  while (!(await check())) {
    if (Date.now() > limit) throw new Error(`not within 30 s: ${what}`);
    await new Promise((done) => setTimeout(done, 100));
  }
};

const newBrowser = () => new Browser(settings.issuer);
const hidden = (page) => page.text.match(/name="page" value="([^"]+)"/)[1];
const asked = async (config, more = {}) => {
  const verifier = oidc.randomPKCECodeVerifier();
  const checks = { pkceCodeVerifier: verifier, expectedState: oidc.randomState(), expectedNonce: oidc.randomNonce(), idTokenExpected: true };
  const fields = {
    redirect_uri: redirectUri, scope: 'openid profile', code_challenge: await oidc.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
    state: checks.expectedState, nonce: checks.expectedNonce, ...more,
  };
  return { url: oidc.buildAuthorizationUrl(config, fields), checks };
};
const signedIn = async (persona, { browser = newBrowser(), config = app, more = {} } = {}) => {
  const { url, checks } = await asked(config, more);
  const page = await browser.go(url);
  expect('sign-in page', page.status, 200);
  const answer = await browser.go('/connect/sign-in', { page: hidden(page), persona });
  expect('after signing in', answer.status, 303);
  return { browser, checks, back: new URL(answer.location) };
};
const tokens = async (persona, options = {}) => {
  const { browser, checks, back } = await signedIn(persona, options);
  return { browser, answer: await oidc.authorizationCodeGrant(options.config ?? app, back, checks) };
};
const refused = async (attempt) => {
  try {
    await attempt;
  } catch (e) {
    // openid-client gives the platform's number in the body that caused it.
    return [e.error, e.cause?.code ?? e.error_description?.slice(0, 7)];
  }
  throw new Error('it was not refused');
};
const call = async (token, method, path, body) => {
  const response = await fetch(settings.issuer + path, { method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: body && JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
};
const own = async (client) => (await oidc.clientCredentialsGrant(await oidc.discovery(new URL(settings.issuer), client, settings.secrets[client], undefined, insecure))).access_token;
const claimsOf = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
const silently = async (browser, config = app, more = {}) => {
  const { url } = await asked(config, { prompt: 'none', ...more });
  const to = new URL((await browser.go(url)).location);
  return to.searchParams.get('error') ?? (to.searchParams.has('code') ? 'code' : 'nothing');
};

const cases = {
  async leaderSignsInWorksRefreshesAndSignsOut() {
    const { browser, answer } = await tokens('leder');
    const session = browser.set.find((cookie) => cookie.startsWith('sloring-session='));
    has('cookie', session.toLowerCase(), 'httponly');
    has('cookie', session.toLowerCase(), 'samesite=lax');
    const id = answer.claims();
    expect('who', [id.sub, id.roles, id.cvr, id.unit, id.name], ['ld-2001', ['leader'], '29190623', '1000021000016006', 'Demo: leder, Hospital Nord']);
    if (!id.sid || Math.abs(id.auth_time - Date.now() / 1000) > 60) throw new Error('sid or auth_time is wrong');
    const [mine, persona] = [claimsOf(answer.access_token), claimsOf(await own('leder'))];
    for (const claim of ['iss', 'aud', 'sub', 'person', 'roles', 'cvr', 'unit']) expect(claim, mine[claim], persona[claim]);
    expect('app and life', [mine.client_id, mine.exp - mine.iat, answer.expires_in], ['portal', 300, 300]);
    expect('own work', (await call(answer.access_token, 'GET', '/v1/cases')).status, 200);
    expect("another role's", (await call(answer.access_token, 'GET', '/v1/deadlines')).body.code, 'SLR-902');
    expect('an ID token is none', (await call(answer.id_token, 'GET', '/v1/cases')).body.code, 'SLR-901');
    expect('a refresh token is none', (await call(answer.refresh_token, 'GET', '/v1/cases')).body.code, 'SLR-901');

    const again = await oidc.refreshTokenGrant(app, answer.refresh_token);
    expect('same person', [again.claims().sub, again.claims().auth_time, again.claims().nonce], [id.sub, id.auth_time, undefined]);
    expect('own work again', (await call(again.access_token, 'GET', '/v1/cases')).status, 200);
    expect("another app's refresh token", await refused(oidc.refreshTokenGrant(otherApp, answer.refresh_token)), ['invalid_grant', 'SLR-625']);
    expect('another app, same browser', await silently(browser, otherApp, { redirect_uri: 'https://other.example/in' }), 'code');

    const out = await browser.go(oidc.buildEndSessionUrl(app, { id_token_hint: answer.id_token, post_logout_redirect_uri: signedOutUri, state: 'after' }));
    expect('signed out', [out.status, out.location], [303, `${signedOutUri}?state=after`]);
    expect('no session left', [browser.cookies.has('sloring-session'), await silently(browser)], [false, 'login_required']);
    expect('refresh after that', await refused(oidc.refreshTokenGrant(app, answer.refresh_token)), ['invalid_grant', 'SLR-625']);
    browser.cookies.set('sloring-session', { name: 'sloring-session', value: session.match(/=([^;]*)/)[1], path: '/connect', host: new URL(settings.issuer).host });
    expect('a kept cookie', await silently(browser), 'login_required');
  },
  async pageIsPlainInBothLanguagesAndListsPersonasOnly() {
    const browser = newBrowser();
    const page = await browser.go((await asked(app)).url);
    has('Danish', page.text, '<html lang="da">');
    has('heading', page.text, '<h1>Log på</h1>');
    const policy = page.headers.get('content-security-policy');
    for (const part of ["default-src 'none'", "form-action 'self' http://127.0.0.1:40123;", "frame-ancestors 'none'", "base-uri 'none'"]) has('policy', policy, part);
    expect('kept nowhere', [page.headers.get('cache-control'), page.headers.get('referrer-policy')], ['no-store', 'no-referrer']);
    if (/<script|https?:\/\/[^"]*\.(js|css)|\son\w+=/i.test(page.text)) throw new Error('there is a script');
    const personas = [...page.text.matchAll(/name="persona" value="([^"]+)"/g)].map((match) => match[1]);
    expect('personas', [personas.includes('leder'), personas.includes('drift'), personas.includes('epj-hovedstaden'), personas.includes('portal')], [true, true, false, false]);
    const english = await browser.go(page.text.match(/<a href="([^"]+)" lang="en"/)[1].replaceAll('&amp;', '&'));
    has('English', english.text, '<html lang="en">');
    has('heading', english.text, '<h1>Sign in</h1>');
    expect('signs in from there', (await browser.go('/connect/sign-in', { page: hidden(english), persona: 'laege' })).status, 303);
    const { url } = await asked(app, { state: '"><script>alert(1)</script>' });
    if ((await browser.go(`${url}&prompt=login`)).text.includes('<script')) throw new Error('a parameter became HTML');
    expect('by a form', (await newBrowser().go('/connect/authorize', Object.fromEntries((await asked(app)).url.searchParams))).status, 200);
  },
  async whoeverHasSignedInIsAskedAgainWhenTheAppWantsIt() {
    const { browser } = await signedIn('leder');
    expect('session', await silently(browser), 'code');
    expect('prompt=login', (await browser.go((await asked(app, { prompt: 'login' })).url)).status, 200);
    expect('max_age', await silently(browser, app, { max_age: '0' }), 'login_required');
    const { answer } = await tokens('hospitalsledelse', { browser, more: { prompt: 'login' } });
    expect('another person', answer.claims().sub, 'hm-3001');
    expect('without a session', await silently(newBrowser()), 'login_required');
  },
  async codeIsGoodOnceForItsAppAndAddressAndVerifier() {
    const redeem = (config, { back, checks }, change = {}) => oidc.genericGrantRequest(config, 'authorization_code', {
      code: back.searchParams.get('code'), redirect_uri: redirectUri, code_verifier: checks.pkceCodeVerifier, ...change,
    });
    const wrong = await signedIn('leder');
    expect('wrong verifier', await refused(redeem(app, wrong, { code_verifier: oidc.randomPKCECodeVerifier() })), ['invalid_grant', 'SLR-625']);
    expect('used up by that', await refused(redeem(app, wrong)), ['invalid_grant', 'SLR-625']);
    expect('no verifier', await refused(redeem(app, await signedIn('leder'), { code_verifier: '' })), ['invalid_grant', 'SLR-625']);
    expect('other address', await refused(redeem(app, await signedIn('leder'), { redirect_uri: 'http://127.0.0.1:40124/signin-oidc' })), ['invalid_grant', 'SLR-625']);
    const stolen = await signedIn('leder');
    expect("another app's", await refused(redeem(otherApp, stolen)), ['invalid_grant', 'SLR-625']);
    const first = await redeem(app, stolen);
    expect('twice', await refused(redeem(app, stolen)), ['invalid_grant', 'SLR-625']);
    expect('what came of it', await refused(oidc.refreshTokenGrant(app, first.refresh_token)), ['invalid_grant', 'SLR-625']);
    const { back, checks } = await signedIn('leder');
    const code = back.searchParams.get('code');
    const altered = code.slice(0, -3) + (code.endsWith('AAA') ? 'BBB' : 'AAA');
    for (const forged of [altered, 'x', 's1.current.AAAA', first.refresh_token]) {
      expect('forged', await refused(redeem(app, { back: new URL(`http://x?code=${forged}`), checks })), ['invalid_grant', 'SLR-625']);
    }
    expect('a code is no refresh token', await refused(oidc.refreshTokenGrant(app, code)), ['invalid_grant', 'SLR-625']);
    expect('not an app', await refused(redeem(await oidc.discovery(new URL(settings.issuer), 'leder', settings.secrets.leder, undefined, insecure), { back, checks })), ['unauthorized_client', 'SLR-626']);
    expect('an app for itself', await refused(oidc.clientCredentialsGrant(otherApp)), ['unauthorized_client', 'SLR-626']);
  },
  async requestsThatAreWrongGoBackToTheAppWithANumber() {
    const answerTo = async (change) => {
      const { url } = await asked(app);
      for (const [name, value] of Object.entries(change)) {
        if (value === null) url.searchParams.delete(name);
        else for (const one of [value].flat()) url.searchParams.append(name, one);
      }
      const { status, location } = await newBrowser().go(url);
      const to = new URL(location);
      expect('state and issuer come back', [status, to.origin + to.pathname, to.searchParams.has('state'), to.searchParams.get('iss')], [303, redirectUri, true, settings.issuer]);
      return [to.searchParams.get('error'), to.searchParams.get('error_description').slice(0, 7)];
    };
    const replace = async (name, value) => {
      const { url } = await asked(app);
      url.searchParams.set(name, value);
      return new URL((await newBrowser().go(url)).location).searchParams.get('error');
    };
    expect('no PKCE', await answerTo({ code_challenge: null, code_challenge_method: null }), ['invalid_request', 'SLR-623']);
    expect('no method', await answerTo({ code_challenge_method: null }), ['invalid_request', 'SLR-623']);
    expect('plain', await replace('code_challenge_method', 'plain'), 'invalid_request');
    expect('short challenge', await replace('code_challenge', 'abc'), 'invalid_request');
    expect('no openid', await replace('scope', 'profile'), 'invalid_scope');
    expect('token', await replace('response_type', 'token'), 'unsupported_response_type');
    expect('fragment', await answerTo({ response_mode: 'fragment' }), ['invalid_request', 'SLR-622']);
    expect('request', await answerTo({ request: 'e30.e30.' }), ['request_not_supported', 'SLR-622']);
    expect('prompt', await answerTo({ prompt: 'none login' }), ['invalid_request', 'SLR-622']);
    expect('twice', await answerTo({ nonce: ['a'] }), ['invalid_request', 'SLR-622']);
  },
  async nobodyIsSentToAnAddressThatIsNotRegistered() {
    const shown = async (path, code) => {
      const { status, location, text } = await newBrowser().go(path);
      expect(path, [status, location], [400, null]);
      has('number', text, code);
      has('Danish', text, '<html lang="da">');
      has('English', text, '<p lang="en">');
    };
    const to = async (address, code = 'SLR-621') => {
      const { url } = await asked(app);
      url.searchParams.delete('redirect_uri');
      for (const one of [address].flat()) url.searchParams.append('redirect_uri', one);
      await shown(url, code);
    };
    for (const address of [
      [], 'https://evil.example/signin-oidc', 'http://127.0.0.1.evil.example/signin-oidc', 'http://127.0.0.1:5082@evil.example/signin-oidc', 'http://127.0.0.1:5082/signin-oidc/',
      'http://127.0.0.1:5082/signin-oidc?x=1', 'http://127.0.0.1:5082/signin-oidc#x', 'http://127.0.0.1:5082/x/../signin-oidc', 'http://127.0.0.1:99999/signin-oidc', 'http://127.0.0.1:/signin-oidc',
      'http://localhost:5082/signin-oidc', 'https://127.0.0.1:5082/signin-oidc', 'HTTP://127.0.0.1:5082/signin-oidc', 'http://127.0.0.1:5082\\@evil.example/signin-oidc', 'javascript:alert(1)', '//evil.example',
      ['http://127.0.0.1:5082/signin-oidc', 'https://evil.example'], 'http://127.0.0.1:5082/signout-callback-oidc',
    ]) await to(address);
    const { url } = await asked(app);
    for (const client of ['nobody', 'leder', '']) {
      url.searchParams.set('client_id', client);
      await shown(url, 'SLR-620');
    }
    const otherUrl = (await asked(otherApp, { redirect_uri: 'https://other.example:8443/in' })).url;
    await shown(otherUrl, 'SLR-621'); // any port is for loopback only
    const { browser, answer } = await tokens('leder');
    for (const address of ['https://evil.example', 'http://127.0.0.1:5082/signin-oidc']) {
      const out = await browser.go(oidc.buildEndSessionUrl(app, { id_token_hint: answer.id_token, post_logout_redirect_uri: address }));
      expect('signing out to elsewhere', [out.status, out.location], [400, null]);
      has('number', out.text, 'SLR-621');
    }
    expect('still signed in', await silently(browser), 'code');
  },
  async otherSitesCanNeitherSignAnybodyInNorOut() {
    const attacker = newBrowser();
    const theirs = await attacker.go((await asked(app)).url);
    const victim = newBrowser();
    const forged = await victim.go('/connect/sign-in', { page: hidden(theirs), persona: 'leder' });
    expect('a page of another browser, no cookie', [forged.status, victim.cookies.has('sloring-session')], [403, false]);
    has('number', forged.text, 'SLR-627');
    await victim.go((await asked(app)).url);
    expect('a page of another browser', (await victim.go('/connect/sign-in', { page: hidden(theirs), persona: 'leder' })).status, 403);
    for (const page of ['', 'x', hidden(theirs).slice(0, -2)]) expect('no page', (await attacker.go('/connect/sign-in', { page, persona: 'leder' })).status, 403);
    expect('nobody', (await attacker.go('/connect/sign-in', { page: hidden(theirs), persona: 'epj-hovedstaden' })).status, 403);
    expect('no form', (await attacker.go('/connect/sign-in', { page: hidden(theirs), persona: 'leder' }, { 'content-type': 'text/plain' })).status, 400);

    const { browser } = await tokens('leder');
    const question = await browser.go('/connect/logout');
    has('asks', question.text, 'Log ud?');
    expect('still in', await silently(browser), 'code');
    const { answer: foreign } = await tokens('laege');
    has("another person's ID token", (await browser.go(oidc.buildEndSessionUrl(app, { id_token_hint: foreign.id_token }))).text, 'Log ud?');
    expect('from elsewhere', (await newBrowser().go('/connect/sign-out', { page: hidden(question) })).status, 403);
    expect('still in', await silently(browser), 'code');
    const english = await browser.go(`/connect/logout?ui_locales=en&client_id=portal&post_logout_redirect_uri=${encodeURIComponent(signedOutUri)}`);
    has('asks', english.text, 'Sign out?');
    const gone = await browser.go('/connect/sign-out', { page: hidden(english) });
    expect('out', [gone.status, gone.location, await silently(browser)], [303, signedOutUri, 'login_required']);
    has('out already', (await browser.go('/connect/logout')).text, 'Du er logget ud');
  },
  async revokedPersonIsOutEverywhereWithinSeconds() {
    const { browser, answer } = await tokens('leder-2');
    const { answer: other } = await tokens('leder');
    const operator = await own('drift');
    expect('revoked', (await call(operator, 'POST', '/v1/clients/leder-2/revocation', {})).status, 200);
    expect('refresh', await refused(oidc.refreshTokenGrant(app, answer.refresh_token)), ['invalid_grant', 'SLR-625']);
    expect('session', await silently(browser), 'login_required');
    const page = await browser.go((await asked(app)).url);
    const no = await browser.go('/connect/sign-in', { page: hidden(page), persona: 'leder-2' });
    expect('sign-in', [no.status, no.location], [403, null]);
    has('number', no.text, 'SLR-628');
    await eventually('the access token is refused', async () => (await call(answer.access_token, 'GET', '/v1/cases')).body.code === 'SLR-932');
    expect('nobody else', (await call(other.access_token, 'GET', '/v1/cases')).status, 200);
    expect('restored', (await call(operator, 'POST', '/v1/clients/leder-2/restoration', {})).status, 200);
    expect('what was before stays refused', [await refused(oidc.refreshTokenGrant(app, answer.refresh_token)), await silently(browser)], [['invalid_grant', 'SLR-625'], 'login_required']);
    let anew = null; // a revocation is of a whole second, and what is given in that second is from before it
    await eventually('what is new is given', async () => { anew = (await tokens('leder-2').catch(() => ({}))).answer; return anew; });
    await eventually('what is new works', async () => (await call(anew.access_token, 'GET', '/v1/cases')).status === 200);
    expect('the person alone', (await call(operator, 'POST', '/v1/clients/person:ld-2002/revocation', {})).status, 200);
    expect('refresh', await refused(oidc.refreshTokenGrant(app, anew.refresh_token)), ['invalid_grant', 'SLR-625']);
    expect('nobody of that name', (await call(operator, 'POST', '/v1/clients/person:nobody/revocation', {})).body.code, 'SLR-618');
  },
  async codeExpiresInAMinuteAndTheSessionAfterEightHours() { // the last: it moves the clock
    const late = await signedIn('leder');
    const { browser, answer } = await tokens('leder');
    const clock = async (seconds) => expect('clock', (await call(await own('drift'), 'POST', '/demo/clock', { advanceSeconds: seconds })).status, 200);
    await clock(61);
    expect('late', await refused(oidc.genericGrantRequest(app, 'authorization_code', {
      code: late.back.searchParams.get('code'), redirect_uri: redirectUri, code_verifier: late.checks.pkceCodeVerifier,
    })), ['invalid_grant', 'SLR-625']);
    expect('session', await silently(browser), 'code');
    expect('recent enough', await silently(browser, app, { max_age: '600' }), 'code');
    expect('too long ago', await silently(browser, app, { max_age: '60' }), 'login_required');
    await clock(8 * 3600 - 100);
    expect('nearly eight hours', await silently(browser), 'code');
    await clock(60);
    expect('eight hours', await silently(browser), 'login_required');
    expect('refresh', await refused(oidc.refreshTokenGrant(app, answer.refresh_token)), ['invalid_grant', 'SLR-625']);
  },
};

await play(cases);
