// A foreign client of the exchange over WS-Trust: xml-crypto signs the bootstrap token as a provider does, and the message as an app does. Reads
// {"address","provider","app","holder","audience","citizen","ahead"} as JSON, provider and app with {"key","certificate"}; "late" makes the message so many seconds
// old, "token" says what is other than right in the bootstrap token ("issued", "from", "ends": seconds from now; "condition": one more; "confirmation": attributes of
// it, of which each "+n" is an instant; "bearer"; "cprs"), "change" is [what stands there, what instead], made after all is signed, "skip", "unsigned" and "wrapped" are attacks, and
// "twice" sends it twice. Prints the (last) answer, or without an address the request.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { SignedXml } from 'xml-crypto';

const { address, provider, app, holder, audience, citizen, ahead, late, token, change, skip, unsigned, wrapped, twice } = JSON.parse(readFileSync(0, 'utf8')); // not as arguments: those stand in the process list
const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const wsu = 'http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd';
const instant = (seconds) => new Date(Date.now() + (ahead + seconds) * 1000).toISOString().replace(/\.\d+Z$/, 'Z');
const bare = (pem) => pem.replace(/-----[^-]+-----|\s/g, '');
const signer = ({ key, certificate }) => new SignedXml({
  privateKey: key, publicCert: certificate, signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', canonicalizationAlgorithm: exclusive,
  idMode: 'wssecurity',
});
const attribute = (name, values) => `<saml:Attribute Name="${name}">${values.map((value) => `<saml:AttributeValue>${value}</saml:AttributeValue>`).join('')}</saml:Attribute>`;

function bootstrap() {
  const { issued = -5, from, ends = 300, condition = '', confirmation = '', bearer = false, cprs = [citizen.cpr] } = token ?? {};
  const confirmed = confirmation.replace(/"([+-]\d+)"/g, (_, seconds) => `"${instant(Number(seconds))}"`);
  const xml = `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="bst" IssueInstant="${instant(issued)}" Version="2.0"><saml:Issuer>${provider.issuer}</saml:Issuer>
<saml:Subject><saml:NameID>citizen-7</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:${bearer ? 'bearer' : 'holder-of-key'}"><saml:SubjectConfirmationData ${confirmed}><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>${bare(holder)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>
<saml:Conditions${from === undefined ? '' : ` NotBefore="${instant(from)}"`} NotOnOrAfter="${instant(ends)}">${condition}<saml:AudienceRestriction><saml:Audience>${provider.audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>
<saml:AttributeStatement>${attribute('dk:gov:saml:attribute:CprNumberIdentifier', cprs)}${attribute('dk:healthcare:saml:attribute:OnBehalfOf', citizen.actsFor)}</saml:AttributeStatement></saml:Assertion>`;
  const sign = new SignedXml({ privateKey: provider.key, publicCert: provider.certificate, signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', canonicalizationAlgorithm: exclusive });
  sign.addReference({ xpath: "//*[local-name(.)='Assertion']", transforms: ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', exclusive], digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256' });
  sign.computeSignature(xml, { prefix: 'ds', location: { reference: "//*[local-name(.)='Issuer']", action: 'after' } });
  return sign.getSignedXml();
}

const claim = (uri, value) => `<auth:ClaimType xmlns:auth="http://docs.oasis-open.org/wsfed/authorization/200706" Uri="${uri}"><auth:Value>${value}</auth:Value></auth:ClaimType>`;
const message = `<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" xmlns:wsa="http://www.w3.org/2005/08/addressing" xmlns:wsu="${wsu}" xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">
<soap:Header><wsa:Action wsu:Id="action">http://docs.oasis-open.org/ws-sx/ws-trust/200512/RST/Issue</wsa:Action><wsa:MessageID wsu:Id="messageID">urn:uuid:${randomUUID()}</wsa:MessageID>
<wsse:Security wsu:Id="security" mustUnderstand="1"><wsu:Timestamp wsu:Id="ts"><wsu:Created>${instant(-late)}</wsu:Created></wsu:Timestamp></wsse:Security></soap:Header>
<soap:Body wsu:Id="body"><wst:RequestSecurityToken xmlns:wst="http://docs.oasis-open.org/ws-sx/ws-trust/200512" Context="urn:uuid:${randomUUID()}">
<wst:TokenType>http://docs.oasis-open.org/wss/oasis-wss-saml-token-profile-1.1#SAMLV2.0</wst:TokenType><wst:RequestType>http://docs.oasis-open.org/ws-sx/ws-trust/200512/Issue</wst:RequestType>
<wst14:ActAs xmlns:wst14="http://docs.oasis-open.org/ws-sx/ws-trust/200802">${bootstrap()}</wst14:ActAs>
<wsp:AppliesTo xmlns:wsp="http://schemas.xmlsoap.org/ws/2004/09/policy"><wsa:EndpointReference><wsa:Address>${audience}</wsa:Address></wsa:EndpointReference></wsp:AppliesTo>
<wst:Claims Dialect="http://docs.oasis-open.org/wsfed/authorization/200706/authclaims">${claim('dk:gov:saml:attribute:CprNumberIdentifier', citizen.claimed)}${citizen.onBehalfOf ? claim('dk:healthcare:saml:attribute:OnBehalfOf', citizen.onBehalfOf) : ''}</wst:Claims>
</wst:RequestSecurityToken></soap:Body></soap:Envelope>`;
const sign = signer(app);
for (const [name, space] of [['MessageID', 'http://www.w3.org/2005/08/addressing'], ['Action', 'http://www.w3.org/2005/08/addressing'], ['Timestamp', wsu], ['Body', 'http://schemas.xmlsoap.org/soap/envelope/']].filter(([name]) => name !== skip))
  sign.addReference({ xpath: `//*[local-name(.)='${name}' and namespace-uri(.)='${space}']`, transforms: [exclusive], digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256' });
sign.computeSignature(message, { prefix: 'ds', location: { reference: "//*[local-name(.)='Security']", action: 'append' } });
let signed = sign.getSignedXml();
if (change) signed = signed.replaceAll(...change);
if (unsigned) signed = signed.replace(/(<\/wsu:Timestamp>)<ds:Signature.*?<\/ds:Signature>/s, '$1');
// The signed body moved aside, and one that asks for another audience in its place.
if (wrapped) {
  const [body] = signed.match(/<soap:Body.*<\/soap:Body>/s);
  signed = signed.replace(body, () => body.replace('Id="body"', 'Id="other"').replace(`>${audience}<`, `>${wrapped}<`)).replace('</wsse:Security>', (end) => `${end}<x>${body}</x>`);
}
if (!address) {
  console.log(signed);
  process.exit();
}
const send = async () => (await fetch(address, { method: 'POST', headers: { 'content-type': 'text/xml; charset=utf-8', soapaction: '"Issue"' }, body: signed })).text();
if (twice) await send();
console.log(await send());
