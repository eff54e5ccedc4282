// An app and a data source that nobody here wrote, on jose: the app shows who it is by its own key and exchanges a citizen's token; the data source opens what the
// app brings, believes the token service's published keys, and masks its entries by what stands in it. Reads {"issuer","app","audience","subject","ahead","entries"}
// as JSON, with {"id","key"} of app and audience, "ahead" being seconds that the platform's clock is ahead; prints {"claims","entries"}.
import * as jose from 'jose';
import { createHash, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

const { issuer, app, audience, subject, ahead, entries } = JSON.parse(readFileSync(0, 'utf8')); // not as arguments: those stand in the process list
const discovered = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
const now = () => Math.floor(Date.now() / 1000) + ahead;

const assertion = await new jose.SignJWT({}).setProtectedHeader({ alg: 'ES256' }).setIssuer(app.id).setSubject(app.id).setAudience(discovered.issuer)
  .setJti(randomUUID()).setIssuedAt(now()).setExpirationTime(now() + 60).sign(await jose.importPKCS8(app.key, 'ES256'));
const answer = await (await fetch(discovered.token_endpoint, {
  method: 'POST',
  body: new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion,
    subject_token: subject, subject_token_type: 'urn:ietf:params:oauth:token-type:jwt', audience: audience.id,
  }),
})).json();
if (!answer.access_token) throw new Error(JSON.stringify(answer));

const { plaintext } = await jose.compactDecrypt(answer.access_token, await jose.importPKCS8(audience.key, 'ECDH-ES'), { keyManagementAlgorithms: ['ECDH-ES'] });
const { payload: claims } = await jose.jwtVerify(new TextDecoder().decode(plaintext), jose.createRemoteJWKSet(new URL(discovered.jwks_uri)), {
  issuer: discovered.issuer, audience: audience.id, typ: 'sloring-identity+jwt', algorithms: ['ES256'], currentDate: new Date(now() * 1000), clockTolerance: 1,
});

// The national pseudonym: UUID version 5 in ns:OID over FORNAVN(E)+EFTERNAVN(E)+CPR+SALT.
const pseudonym = (name) => {
  const text = `${name.trim().toUpperCase().replaceAll(' ', '+')}+${claims.cpr}+${claims.masking.salt.value}`;
  const hash = createHash('sha1').update(Buffer.from('6ba7b8129dad11d180b400c04fd430c8', 'hex')).update(text, 'utf8').digest().subarray(0, 16);
  hash[6] = (hash[6] & 0x0f) | 0x50;
  hash[8] = (hash[8] & 0x3f) | 0x80;
  return hash.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};
const { organisations, units } = claims.masking;
const covered = (entry) => organisations.some(({ cvr, ends_at }) => cvr === entry.cvr && ends_at > now()) || units.some(({ id }) => id === entry.sorId);
const masked = entries.map((entry) => (covered(entry) ? { ...entry, staff: entry.staff.map(({ name, professionCode }) => ({ pseudonym: pseudonym(name), professionCode })) } : entry));
console.log(JSON.stringify({ claims, entries: masked }));
