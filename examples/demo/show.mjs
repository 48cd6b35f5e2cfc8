// @ts-check
/**
 * Prints what happens, one line each, with the time since the start:
 *
 *     → a step of the program        ● an event that the client told
 *         STATE  a chart moved           C:, S:  a line on the wire
 *
 * Colours are used on a terminal only, and not where NO_COLOR is set. What the server says reaches the terminal as
 * printable text: no octet of it moves the cursor.
 */
import { styleText } from 'node:util';
import { printable } from 'smtpump';

/** @typedef {Parameters<typeof styleText>[0]} Style */

/** Characters of one line that are shown. */
const longest = 2000;

export class Show {
  /** @param {{ isTTY: boolean, write(text: string): boolean }} out */
  constructor(out) {
    this.out = out;
    this.colour = out.isTTY && !process.env.NO_COLOR;
    this.start = performance.now();
  }

  /** @param {string} name @param {unknown[]} args */
  step(name, args) {
    this.line('cyan', `→ ${name}(${args.map(brief).join(', ')})`);
  }

  /** @param {import('smtpump').SmtpEvent} event */
  event(event) {
    const bad = 'error' in event || (event.name === 'DISCONNECTED' && event.reason !== undefined);
    this.line(
      bad ? ['bold', 'red'] : ['bold', 'green'],
      `● ${event.name.padEnd(14)} ${about(event)}`.trimEnd(),
    );
  }

  /** @param {{ chart: string, to: string, word: string }} event */
  state({ chart, to, word }) {
    this.line('dim', `    STATE  ${chart.padEnd(10)}  ${to}  (${word})`);
  }

  /** @param {import('smtpump').Reply} reply */
  reply({ code, lines }) {
    lines.forEach((line, i) => {
      this.wire('S:', `${code}${i < lines.length - 1 ? '-' : ' '}${line}`);
    });
  }

  /** @param {'C:' | 'S:'} side @param {string} text */
  wire(side, text) {
    this.line(side === 'C:' ? 'yellow' : 'blue', `    ${side}     ${text}`);
  }

  /** @param {{ message: string, code: string, phase?: string, hint?: string | undefined }} error */
  failure({ message, phase, code, hint }) {
    // the message ends with the hint, which has a line of its own here
    this.print('red', `✗ ${hint === undefined ? message : message.replace(`. ${hint}`, '')}`);
    for (const [name, value] of Object.entries({ phase, code, hint })) {
      if (value !== undefined) this.print('red', `    ${name.padEnd(6)} ${value}`);
    }
  }

  /** @param {string} title @param {string} text */
  frame(title, text) {
    const lines = text
      .trimEnd()
      .split(/\r?\n/)
      .map((line) => printable(line, longest));
    const width = Math.max(title.length + 2, ...lines.map((line) => line.length));
    this.print('green', `┌─ ${title} ${'─'.repeat(width - title.length - 1)}┐`);
    for (const line of lines) this.print('green', `│ ${line.padEnd(width)} │`);
    this.print('green', `└${'─'.repeat(width + 2)}┘`);
  }

  /** @param {Style} style @param {string} text */
  line(style, text) {
    const ms = (performance.now() - this.start).toFixed(1).padStart(7);
    this.print(style, text, `${ms}  `);
  }

  /** Everything goes through here. @param {Style} style @param {string} text one line @param {string} [before] */
  print(style, text, before = '') {
    const safe = printable(text, longest + 10);
    this.out.write(`${before}${this.colour ? styleText(style, safe) : safe}\n`);
  }
}

/** What an event carries, in a few words. @param {import('smtpump').SmtpEvent} event */
function about(event) {
  switch (event.name) {
    case 'CONNECTED':
      return `${event.secure ? 'with TLS' : 'in clear'}; the server offers ${event.capabilities.pipelining ? 'PIPELINING' : 'no PIPELINING'}`;
    case 'SECURE_OK':
      return `${event.tls.protocol}, certificate ${event.tls.authorized ? 'verified' : 'not verified'}`;
    case 'AUTH_OK':
      return event.mechanism;
    case 'RECIPIENT_ACK':
      return event.recipient.address;
    case 'EOM_ACK':
      return `accepted for ${event.accepted.map(({ address }) => address).join(', ')}`;
    case 'DISCONNECTED':
      return event.reason?.code ?? '';
    default:
      if ('error' in event) return event.error.code;
      return 'reply' in event && event.reply !== undefined ? `${event.reply.code} ${event.reply.text}` : '';
  }
}

/** @param {unknown} value */
function brief(value) {
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}
