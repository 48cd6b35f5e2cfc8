// @ts-check
/** The mail that everyone sends: one sender, n recipients, 1024 octets in all, lines of 76 as mail has them. */

export const sender = 'sender@bench.example';

/** @param {number} n */
export const recipientsOf = (n) => Array.from({ length: n }, (_, i) => `recipient${i}@sink.example`);

export const subject = 'A message of one kilobyte';
const date = 'Thu, 01 Jan 2026 00:00:00 +0000';
const octets = 1024;

const header =
  `From: ${sender}\r\nTo: recipient0@sink.example\r\nSubject: ${subject}\r\nDate: ${date}\r\n` +
  'Message-ID: <0123456789abcdef@bench.example>\r\n\r\n';

/** So many octets of text, without a dot at the start of a line. @param {number} length */
function text(length) {
  const line = `${'The quick brown fox jumps over the lazy dog, again and again and again. '.repeat(2).slice(0, 76)}\r\n`;
  const lines = line.repeat(Math.ceil(length / line.length));
  return `${lines.slice(0, length - 2)}\r\n`.replace('\r\r\n', 'x\r\n');
}

/** The whole message, header and body. */
export const rawMessage = Buffer.from(header + text(octets - header.length), 'latin1');

/** The body alone, for a client that writes the header itself; about as many octets in all. */
export const bodyText = text(octets - header.length);
export const body = Buffer.from(bodyText, 'latin1');

let given = 0;

/** So many recipients nobody has had before: no client shall win by remembering. @param {number} n */
export function freshRecipients(n) {
  const recipients = [];
  for (let i = 0; i < n; i++) recipients.push(`recipient${given++}@sink.example`);
  return recipients;
}
