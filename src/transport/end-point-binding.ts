/**
 * The channel binding `tls-server-end-point` (RFC 5929 §4): the server's certificate, hashed with the hash of its own
 * signature. Reads just enough DER to find that hash, in one pass. It knows nothing of sockets.
 */
import { createHash } from 'node:crypto';
import type { ChannelBinding } from './transport.ts';

const SEQUENCE = 0x30;
const OID = 0x06;
const explicit0 = 0xa0;

/** Contents of object identifiers, in hex: the hash of a signature algorithm. */
const hashOfSignature: Readonly<Record<string, string>> = {
  '2a864886f70d010104': 'sha256', // MD5 with RSA: replaced, as RFC 5929 §4.1 says
  '2a864886f70d010105': 'sha256', // SHA-1 with RSA: the same
  '2a864886f70d01010b': 'sha256',
  '2a864886f70d01010c': 'sha384',
  '2a864886f70d01010d': 'sha512',
  '2a864886f70d01010e': 'sha224',
  '2a8648ce3d0401': 'sha256', // SHA-1 with ECDSA: the same
  '2a8648ce3d040301': 'sha224',
  '2a8648ce3d040302': 'sha256',
  '2a8648ce3d040303': 'sha384',
  '2a8648ce3d040304': 'sha512',
  '608648016503040301': 'sha224', // DSA
  '608648016503040302': 'sha256',
};

const rsaPss = '2a864886f70d01010a';

/** Contents of object identifiers, in hex: plain hashes, as RSASSA-PSS names them. */
const hashes: Readonly<Record<string, string>> = {
  '2b0e03021a': 'sha256', // SHA-1, replaced
  '608648016503040201': 'sha256',
  '608648016503040202': 'sha384',
  '608648016503040203': 'sha512',
  '608648016503040204': 'sha224',
};

/**
 * @param der the server's certificate
 * @returns undefined where RFC 5929 defines nothing, as for Ed25519, and for what is no certificate
 */
export function endPointBinding(der: Uint8Array): ChannelBinding | undefined {
  const hash = signatureHash(der);
  if (hash === undefined) return undefined;
  return { type: 'tls-server-end-point', data: new Uint8Array(createHash(hash).update(der).digest()) };
}

/** Certificate ::= SEQUENCE { tbsCertificate, signatureAlgorithm, signature }, RFC 5280 §4.1. */
function signatureHash(der: Uint8Array): string | undefined {
  const certificate = element(der, 0, SEQUENCE);
  const signed = certificate && element(der, certificate.start, SEQUENCE);
  const algorithm = signed && element(der, signed.end, SEQUENCE);
  const name = algorithm && element(der, algorithm.start, OID);
  if (name === undefined) return undefined;
  const oid = hex(der, name);
  return oid === rsaPss ? pssHash(der, name.end) : hashOfSignature[oid];
}

/** RSASSA-PSS-params ::= SEQUENCE { [0] hashAlgorithm DEFAULT sha1, … }, RFC 4055 §3.1. */
function pssHash(der: Uint8Array, at: number): string | undefined {
  const parameters = element(der, at, SEQUENCE);
  if (parameters === undefined) return undefined;
  const tagged = element(der, parameters.start, explicit0);
  // Without it SHA-1 is meant, which is replaced.
  if (tagged === undefined) return 'sha256';
  const algorithm = element(der, tagged.start, SEQUENCE);
  const name = algorithm && element(der, algorithm.start, OID);
  return name && hashes[hex(der, name)];
}

interface Element {
  /** Where the content starts and ends. */
  readonly start: number;
  readonly end: number;
}

/** The element at `at`, when it has that tag and all of it is there. */
function element(der: Uint8Array, at: number, tag: number): Element | undefined {
  const first = der[at + 1];
  if (der[at] !== tag || first === undefined) return undefined;
  let length = first;
  let start = at + 2;
  if (first >= 0x80) {
    const size = first - 0x80;
    if (size < 1 || size > 4) return undefined;
    length = 0;
    for (let i = 0; i < size; i++) length = length * 256 + (der[start + i] ?? 0);
    start += size;
  }
  return start + length <= der.length ? { start, end: start + length } : undefined;
}

function hex(der: Uint8Array, { start, end }: Element): string {
  return Buffer.from(der.subarray(start, end)).toString('hex');
}
