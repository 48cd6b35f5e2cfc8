/**
 * The server's two messages of SCRAM (RFC 5802 §5.1, §7), read strictly and in their fixed order.
 * It must not compute anything: keys and proofs are in scram.ts.
 */
import { printable } from '../errors.ts';
import { decodeBase64 } from './base64.ts';
import { SaslError } from './mechanism.ts';

/** Octets. A nonce, a salt and a number fit many times over. */
const messageLimit = 4096;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export interface ServerFirst {
  /** As received: it is part of what is signed. */
  readonly text: string;
  readonly nonce: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
}

/** `r=…,s=…,i=…`; `clientNonce` must open the nonce, and the server must have added to it. */
export function readServerFirst(bytes: Uint8Array, clientNonce: string, maxIterations: number): ServerFirst {
  const text = decode(bytes);
  if (text.startsWith('m=')) throw new SaslError('SCRAM: the server wants an extension that is not known');
  const [r = '', s = '', i = ''] = attributes(text);
  const nonce = value(r, 'r');
  if (!nonce.startsWith(clientNonce)) throw new SaslError("SCRAM: the server changed the client's nonce");
  if (nonce.length === clientNonce.length)
    throw new SaslError('SCRAM: the server added nothing to the nonce');
  if (!/^[\x21-\x7e]*$/.test(nonce)) throw new SaslError('SCRAM: the nonce is not printable');
  const salt = decodeBase64(value(s, 's'));
  if (salt.length === 0) throw new SaslError('SCRAM: the salt is empty');
  return { text, nonce, salt, iterations: readIterations(value(i, 'i'), maxIterations) };
}

/** `v=…` gives the server's signature; `e=…` throws. */
export function readServerFinal(bytes: Uint8Array): Uint8Array {
  const [first = ''] = attributes(decode(bytes));
  if (first.startsWith('e=')) {
    throw new SaslError(`SCRAM: the server refused: ${printable(first.slice(2), 100)}`);
  }
  return decodeBase64(value(first, 'v'));
}

function readIterations(text: string, max: number): number {
  const iterations = /^[1-9][0-9]{0,9}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isNaN(iterations)) throw new SaslError('SCRAM: the iteration count is no positive number');
  if (iterations <= max) return iterations;
  throw new SaslError(`SCRAM: the server asks for ${iterations} iterations, ${max} are allowed`);
}

function decode(bytes: Uint8Array): string {
  if (bytes.length > messageLimit) throw new SaslError('SCRAM: the message of the server is too long');
  try {
    return decoder.decode(bytes);
  } catch {
    throw new SaslError('SCRAM: the message of the server is not UTF-8');
  }
}

/** Extensions may follow at the end; each must look like an attribute. */
function attributes(text: string): readonly string[] {
  const parts = text.split(',');
  if (parts.every((part) => /^[A-Za-z]=[^\0]/.test(part))) return parts;
  throw new SaslError('SCRAM: the message of the server is malformed');
}

function value(attribute: string, letter: string): string {
  if (attribute.startsWith(`${letter}=`)) return attribute.slice(2);
  throw new SaslError(`SCRAM: the message of the server lacks "${letter}="`);
}
