/** Message-ID (RFC 5322 §3.6.4). Chance and time are arguments. */

/**
 * A new id, in its angle brackets. Twelve random octets make it unique; the time only helps people who read logs.
 *
 * @param random gives that many random octets
 * @param now milliseconds since the epoch
 * @param domain a checked host name or address literal, ASCII
 */
export function createMessageId(random: (bytes: number) => Uint8Array, now: number, domain: string): string {
  const { buffer, byteOffset, byteLength } = random(12);
  const chance = Buffer.from(buffer, byteOffset, byteLength).toString('hex');
  return `<${Math.trunc(now).toString(36)}.${chance}@${domain}>`;
}
