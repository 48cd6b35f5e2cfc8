// @ts-check
/**
 * A self-signed certificate, made by node:crypto alone: X.509 version 3 (RFC 5280 §4.1) in DER, on a P-256 key.
 * For tests and examples; it is good for a day.
 */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/**
 * @param {string} name a DNS name
 * @returns {{ key: string, cert: string }} both in PEM
 */
export function selfSigned(name) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid('2a8648ce3d040302')); // ecdsa-with-SHA256
  const commonName = sequence(set(sequence(oid('550403'), der(0x0c, Buffer.from(name)))));
  const alternativeName = sequence(der(0x82, Buffer.from(name)));
  const extension = sequence(oid('551d11'), der(0x04, alternativeName)); // subjectAltName
  const now = Date.now();
  const certificate = sequence(
    der(0xa0, integer(Buffer.of(2))), // version 3
    integer(Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    commonName, // the issuer
    sequence(time(now - 3_600_000), time(now + 86_400_000)),
    commonName, // the subject
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(extension)),
  );
  const signature = sign('sha256', certificate, privateKey);
  const whole = sequence(certificate, algorithm, der(0x03, Buffer.of(0), signature));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${whole.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  };
}

/** @param {number} tag @param {...Buffer} parts */
function der(tag, ...parts) {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...size), content]);
}

/** @param {...Buffer} parts */
const sequence = (...parts) => der(0x30, ...parts);

/** @param {...Buffer} parts */
const set = (...parts) => der(0x31, ...parts);

/** @param {string} hex */
const oid = (hex) => der(0x06, Buffer.from(hex, 'hex'));

/** @param {Buffer} bytes */
const integer = (bytes) => der(0x02, bytes);

/** UTCTime: YYMMDDHHMMSSZ. @param {number} at */
const time = (at) => der(0x17, Buffer.from(`${new Date(at).toISOString().replace(/\D/g, '').slice(2, 14)}Z`));
