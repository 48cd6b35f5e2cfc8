/**
 * Body octets on their way from the caller into a message: what is taken, what is refused. It throws before anything
 * is taken, and knows no command and no chart.
 */
import { SmtpUsageError } from '../errors.ts';
import { has8bit } from '../wire/body.ts';
import type { Capabilities } from '../wire/capabilities.ts';
import { quoted } from '../wire/characters.ts';
import type { Mail } from './mail.ts';
import { resolveBody } from './offers.ts';

/** Half a surrogate pair at an edge: a text that was cut in two would lose the character. */
const cutCharacter = /^[\udc00-\udfff]|[\ud800-\udbff]$/;

/**
 * Octets of the chunk that are taken now; a string is taken whole or not at all.
 * @param capabilities undefined while it is not known what the server offers
 * @throws SmtpUsageError EUNSUPPORTED, EINVAL; then nothing was taken
 */
export function takeBody(
  mail: Mail,
  chunk: string | Uint8Array,
  capabilities: Capabilities | undefined,
): number {
  const bytes = asBytes(chunk);
  const { content } = mail;
  if (content === undefined || mail.position.is.swallowing) return bytes.length;
  const undeclared = check8bit(mail, bytes, capabilities);
  content.check(bytes);
  const taken = typeof chunk === 'string' ? content.offerWhole(bytes) : content.offer(bytes);
  if (undeclared && has8bit(bytes.subarray(0, taken))) mail.has8bit = true;
  return taken;
}

/** What MAIL declares must hold. True: what it will declare is not known yet, and is found when it leaves. */
function check8bit(mail: Mail, bytes: Uint8Array, capabilities: Capabilities | undefined): boolean {
  const asked = mail.sender.parameters.body;
  const body = mail.bodyType ?? (capabilities ? resolveBody(asked, capabilities) : asked);
  if (body === undefined) return true;
  if (body !== '7bit' || !has8bit(bytes)) return false;
  const why = asked === '7bit' ? 'the sender declared a 7-bit body' : 'the server does not offer 8BITMIME';
  throw new SmtpUsageError('EUNSUPPORTED', `8-bit octets: ${why}`, 'chunk');
}

function asBytes(chunk: string | Uint8Array): Uint8Array {
  if (typeof chunk === 'string') {
    if (cutCharacter.test(chunk)) {
      throw new SmtpUsageError('EINVAL', 'the string begins or ends within a character', 'chunk');
    }
    return Buffer.from(chunk, 'utf8');
  }
  if (chunk instanceof Uint8Array) return chunk;
  throw new SmtpUsageError('EINVAL', `${quoted(chunk)} is neither a string nor a Uint8Array`, 'chunk');
}
