// @ts-check
/**
 * What happened, a line each, with the board's time and the pump's, in milliseconds; and the SHA-256 of it all.
 *
 *     board   a line that the board sent           modem   a line that it was answered
 *     >, <    a line on the wire, out and in       event   what the client told
 */
import { createHash } from 'node:crypto';
import { printable } from 'smtpump';

export class Log {
  #hash = createHash('sha256');

  /** @param {{ now(): number }} board @param {{ start: number, clock: { now(): number } }} time */
  constructor(board, time) {
    this.board = board;
    this.time = time;
  }

  /** @param {string} who @param {string} text */
  line(who, text) {
    const times = [this.board.now(), this.time.clock.now() - this.time.start];
    const [board, pump] = times.map((ms) => ms.toFixed(3).padStart(10));
    const line = `${board} ${pump}  ${who.padEnd(6)} ${printable(text, 1000)}\n`;
    this.#hash.update(line);
    process.stdout.write(line);
  }

  /** @param {import('smtpump/testing').Trace} traced */
  wire({ direction, text }) {
    this.line(direction === 'out' ? '>' : direction === 'in' ? '<' : 'line', text);
  }

  digest() {
    return this.#hash.digest('hex');
  }
}
