// The national wire as somebody else speaks it: node's soap reads our WSDLs, xml-crypto signs the tickets.
import { randomUUID } from 'node:crypto';
import soap from 'soap';
import { SignedXml } from 'xml-crypto';

const rsaSha256 = 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256';
const sha256 = 'http://www.w3.org/2001/04/xmlenc#sha256';
const exclusive = 'http://www.w3.org/2001/10/xml-exc-c14n#';
const enveloped = 'http://www.w3.org/2000/09/xmldsig#enveloped-signature';

export const epj = { cvr: '29190623', system: 'EPJ Hovedstaden' };
export const sts = { cvr: '33257872', system: 'http://system.nspop.dk/sts' };
export const national = { cvr: '33257872', system: 'Afdelingssløring' };

/** At one address, with one issuer's key and certificate (PEM), at one time (milliseconds). `person` is the CPR number in health professionals' tickets. */
export function wire({ address, key, certificate, now, person }) {
  const instant = (minutes) => new Date(now + minutes * 60000).toISOString().replace(/\.\d+Z$/, 'Z');
  const attribute = (name, value, more = '') => `<saml:Attribute Name="${name}"${more}><saml:AttributeValue>${value}</saml:AttributeValue></saml:Attribute>`;

  function unsigned({ cvr, system, from = -5, until = 60, user, type = user ? 'user' : 'system', level = user ? 4 : 3, audience = 'sloring', issuer = 'urn:sloring:demo-issuer' }) {
    return `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" id="IDCard" IssueInstant="${instant(from)}" Version="2.0">
    <saml:Issuer>${issuer}</saml:Issuer>
    <saml:Subject><saml:NameID Format="medcom:${user ? 'cprnumber' : 'cvrnumber'}">${user ? person : cvr}</saml:NameID></saml:Subject>
    <saml:Conditions NotBefore="${instant(from)}" NotOnOrAfter="${instant(until)}"><saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions>
    <saml:AttributeStatement id="IDCardData">${attribute('sosi:IDCardID', randomUUID())}${attribute('sosi:IDCardType', type)}${attribute('sosi:AuthenticationLevel', level)}</saml:AttributeStatement>
    ${user ? `<saml:AttributeStatement id="UserLog">${attribute('medcom:UserCivilRegistrationNumber', person)}${attribute('medcom:UserAuthorizationCode', '6QF17')}${attribute('medcom:UserRole', '7170')}</saml:AttributeStatement>` : ''}
    <saml:AttributeStatement id="SystemLog">${attribute('medcom:ITSystemName', system)}${attribute('medcom:CareProviderID', cvr, ' NameFormat="medcom:cvrnumber"')}</saml:AttributeStatement>
  </saml:Assertion>`;
  }

  function sign(xml, { privateKey = key, signatureAlgorithm = rsaSha256, digestAlgorithm = sha256, canonicalizationAlgorithm = exclusive, publicCert = certificate } = {}) {
    const signer = new SignedXml({ privateKey, publicCert, signatureAlgorithm, canonicalizationAlgorithm });
    signer.addReference({ xpath: "//*[local-name(.)='Assertion']", transforms: [enveloped, exclusive], digestAlgorithm });
    signer.computeSignature(xml, { prefix: 'ds', location: { reference: "//*[local-name(.)='Assertion']", action: 'append' }, attrs: { id: 'OCESSignature' } });
    return signer.getSignedXml();
  }

  const ticket = (of, how) => sign(unsigned(of), how);

  async function client(path, security, messageId = randomUUID()) {
    const made = await soap.createClientAsync(`${address}${path}?wsdl`);
    if (security !== null)
      made.addSoapHeader(`<wsse:Security xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">${security}</wsse:Security>`);
    made.addSoapHeader(`<medcom:Header xmlns:medcom="http://www.medcom.dk/dgws/2006/04/dgws-1.0.xsd"><medcom:Linking><medcom:FlowID>flow-1</medcom:FlowID><medcom:MessageID>${messageId}</medcom:MessageID></medcom:Linking></medcom:Header>`);
    return made;
  }

  return { instant, unsigned, ticket, client };
}
