/**
 * base64 of challenges (RFC 4648 §4), read strictly: a server that cannot write it is not trusted with the rest.
 * It must not know what is inside.
 */
import { SaslError } from './mechanism.ts';

/** The octets of a challenge; the empty text is the empty challenge. Throws {@link SaslError}. */
export function decodeBase64(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64');
  // Node skips what it does not know and lacks nothing that is missing; writing it again shows both.
  if (bytes.toString('base64') !== text) throw new SaslError('the challenge is not valid base64');
  return new Uint8Array(bytes);
}
