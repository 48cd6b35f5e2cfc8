/** Message-ID (RFC 5322 §3.6.4): what a new one looks like, and what one may. Chance and time are arguments. */
import { SmtpUsageError } from '../errors.ts';
import { checkHeaderText, isPlain } from './text.ts';

/** Octets of chance in an id: they alone make it unique. */
export const chanceOctets = 12;

/** Many ids are made in one millisecond. */
let lastTime = Number.NaN;
let lastTimeText = '';
/** It needs no look. */
let lastMade = '';

/**
 * A new id, in its angle brackets. Chance makes it unique; the time only helps people who read logs.
 *
 * @param chance {@link chanceOctets} random octets in hex
 * @param now milliseconds since the epoch
 * @param domain a checked host name or address literal, ASCII
 */
export function createMessageId(chance: string, now: number, domain: string): string {
  const time = Math.trunc(now);
  if (time !== lastTime) {
    lastTime = time;
    lastTimeText = `<${time.toString(36)}.`;
  }
  lastMade = `${lastTimeText}${chance}@${domain}>`;
  return lastMade;
}

/** Throws SmtpUsageError EINVAL for what is no id in angle brackets. */
export function checkMessageId(id: string, utf8: boolean): void {
  if (id === lastMade) return;
  checkHeaderText(id, 'messageId');
  if (!/^<[^\s<>@]+@[^\s<>@]+>$/.test(id) || id.length > 900 || !(utf8 || isPlain(id))) {
    throw new SmtpUsageError('EINVAL', `not a message id with its angle brackets: "${id}"`, 'messageId');
  }
}
