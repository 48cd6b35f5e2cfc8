/** The date and time of RFC 5322 §3.3. Time is an argument; this file never asks what time it is. */
import { printable, SmtpUsageError } from '../errors.ts';
import { checkHeaderText, isPlain } from './text.ts';

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
/** With comments, and still on one line. */
const longest = 500;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * `Sun, 22 Nov 2026 05:15:00 +0000`
 *
 * @param ms milliseconds since the epoch
 * @param offsetMinutes minutes east of UTC that the text is told in
 * @default offsetMinutes 0
 */
export function formatDate(ms: number, offsetMinutes = 0): string {
  if (!Number.isInteger(offsetMinutes) || Math.abs(offsetMinutes) > 99 * 60 + 59) {
    throw new SmtpUsageError('EINVAL', `not an offset in minutes: ${offsetMinutes}`, 'offsetMinutes');
  }
  const at = new Date(ms + offsetMinutes * 60_000);
  const year = at.getUTCFullYear();
  // NaN fails too; RFC 5322 dates begin with 1900 and readers want four digits
  if (!(year >= 1900 && year <= 9999))
    throw new SmtpUsageError('EINVAL', `not a date for a mail: ${ms}`, 'date');
  const ahead = Math.abs(offsetMinutes);
  const zone = `${offsetMinutes < 0 ? '-' : '+'}${two(Math.floor(ahead / 60))}${two(ahead % 60)}`;
  const day = `${days[at.getUTCDay()]}, ${at.getUTCDate()} ${months[at.getUTCMonth()]} ${year}`;
  return `${day} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} ${zone}`;
}

/**
 * The value of the Date field: a `Date` or milliseconds since the epoch in UTC, a string as it was given (parity TK25),
 * which only has to be printable ASCII and not empty.
 */
export function dateText(date: Date | number | string, option = 'date'): string {
  if (typeof date === 'number') return secondText(date);
  if (date instanceof Date) return secondText(date.getTime());
  checkHeaderText(date, option);
  if (date.trim() === '' || date.length > longest || !isPlain(date))
    throw new SmtpUsageError('EINVAL', `not a date: "${printable(date, 80)}"`, option);
  return date;
}

let lastSecond = Number.NaN;
let lastText = '';

/** Many messages bear the same second. */
function secondText(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastText = formatDate(ms);
    lastSecond = second;
  }
  return lastText;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
