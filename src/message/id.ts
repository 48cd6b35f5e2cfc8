/** Message-ID (RFC 5322 §3.6.4). Chance and time are arguments. */

const hex = Array.from({ length: 256 }, (_, octet) => octet.toString(16).padStart(2, '0'));

/**
 * A new id, in its angle brackets. Twelve random octets make it unique; the time only helps people who read logs.
 *
 * @param random gives that many random octets
 * @param now milliseconds since the epoch
 * @param domain a checked host name or address literal, ASCII
 */
export function createMessageId(random: (bytes: number) => Uint8Array, now: number, domain: string): string {
  const octets = random(12);
  let chance = '';
  for (let i = 0; i < octets.length; i++) chance += hex[octets[i] ?? 0];
  return `<${Math.trunc(now).toString(36)}.${chance}@${domain}>`;
}
