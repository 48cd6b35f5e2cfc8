// @ts-check
/**
 * The server's half of one connection, as cheap as can be: bytes in, the text of all answers out. It takes everything,
 * keeps nothing and reads no more of a line than tells the commands apart. Shared by the TCP sink and the one in
 * memory, so that both measure against the same.
 */

const LF = 10;
const CR = 13;
const ZERO = 0x30;
const endOfText = Buffer.from('\r\n.\r\n');
const nothing = Buffer.alloc(0);

/** @typedef {{ messages: number, octets: number }} Counts */

export const greeting = '220 sink.example ESMTP\r\n';

/** @param {boolean} chunking */
const hello = (chunking) =>
  `250-sink.example\r\n250-PIPELINING\r\n${chunking ? '250-CHUNKING\r\n' : ''}250-SIZE 2147483647\r\n250 8BITMIME\r\n`;

/** Where the line ends that begins at `at`; its length where it does not. A call of indexOf costs more than a line. @param {Buffer} data @param {number} at */
function endOfLine(data, at) {
  const { length } = data;
  while (at < length && data[at] !== LF) at++;
  return at;
}

/** Are the last `length` octets, from `at` on, the first of the end of a text? @param {Buffer} data @param {number} at @param {number} length */
function endsWith(data, at, length) {
  const from = data.length - length;
  if (from < at) return false;
  for (let i = 0; i < length; i++) if (data[from + i] !== endOfText[i]) return false;
  return true;
}

const isDigit = (octet = 0) => octet >= ZERO && octet <= ZERO + 9;

export class SinkSession {
  /** A message, or a part of one, came in since this was last set to false. */
  mail = false;
  quit = false;
  #counts;
  #hello;
  /** @type {'line' | 'text' | 'chunk'} */
  #reading = 'line';
  /** The start of a line, from the arrival before. @type {Buffer} */
  #rest = nothing;
  /** Of a text: how much of its end has been seen. */
  #seen = 0;
  #left = 0;
  #last = false;

  /** @param {Counts} counts @param {boolean} chunking */
  constructor(counts, chunking) {
    this.#counts = counts;
    this.#hello = hello(chunking);
  }

  /** @param {Buffer} bytes @returns {string} the answers */
  take(bytes) {
    let out = '';
    let at = 0;
    let data = bytes;
    if (this.#rest.length > 0) data = this.#withRest(bytes);
    while (at < data.length) {
      if (this.#reading === 'line') {
        const end = endOfLine(data, at);
        if (end === data.length) {
          this.#rest = data.subarray(at);
          break;
        }
        out += this.#command(data, at, end);
        at = end + 1;
      } else if (this.#reading === 'text') {
        const end = this.#endOfText(data, at);
        this.#counts.octets += (end < 0 ? data.length : end) - at;
        if (end < 0) break;
        at = end;
        this.#counts.messages++;
        this.#reading = 'line';
        out += '250 2.0.0 taken\r\n';
      } else {
        const taken = Math.min(this.#left, data.length - at);
        at += taken;
        this.#left -= taken;
        this.#counts.octets += taken;
        if (this.#left === 0) out += this.#chunkDone();
      }
    }
    return out;
  }

  /** @param {Buffer} data @param {number} at @param {number} end */
  #command(data, at, end) {
    // lower case; the second letter tells RCPT from RSET
    const first = (data[at] ?? 0) | 0x20;
    switch (first) {
      case 0x6d: // MAIL
        this.mail = true;
        return '250 2.1.0 sender ok\r\n';
      case 0x72: // RCPT, RSET
        if (((data[at + 1] ?? 0) | 0x20) === 0x73) return '250 2.0.0 reset\r\n';
        this.mail = true;
        return '250 2.1.5 recipient ok\r\n';
      case 0x64: // DATA
        this.mail = true;
        this.#reading = 'text';
        // it may begin with the dot
        this.#seen = 2;
        return '354 go ahead\r\n';
      case 0x62: // BDAT
        return this.#chunk(data, at + 5, end);
      case 0x65: // EHLO
        return this.#hello;
      case 0x68: // HELO
      case 0x6e: // NOOP
        return '250 sink.example\r\n';
      case 0x71: // QUIT
        this.quit = true;
        return '221 2.0.0 bye\r\n';
      default:
        return '500 5.5.1 what?\r\n';
    }
  }

  /** The size stands at `at`, and LAST behind it or not. @param {Buffer} data @param {number} at @param {number} end */
  #chunk(data, at, end) {
    this.mail = true;
    this.#left = 0;
    let digit = at;
    for (; digit < end && isDigit(data[digit]); digit++)
      this.#left = this.#left * 10 + (data[digit] ?? 0) - ZERO;
    this.#last = ((data[digit + 1] ?? 0) | 0x20) === 0x6c;
    if (this.#left === 0) return this.#chunkDone();
    this.#reading = 'chunk';
    return '';
  }

  #chunkDone() {
    this.#reading = 'line';
    this.mail = true;
    if (this.#last) this.#counts.messages++;
    return '250 2.0.0 taken\r\n';
  }

  /** The offset behind the end of the text, or -1. @param {Buffer} data @param {number} at */
  #endOfText(data, at) {
    this.mail = true;
    // the end may lie across two arrivals
    for (; this.#seen > 0 && at < data.length; at++) {
      if (data[at] !== endOfText[this.#seen]) this.#seen = data[at] === CR ? 1 : 0;
      else if (++this.#seen === endOfText.length) {
        this.#seen = 0;
        return at + 1;
      }
    }
    if (at === data.length) return -1;
    const found = data.indexOf(endOfText, at);
    if (found >= 0) return found + endOfText.length;
    this.#seen = endOfText.length - 1;
    while (!endsWith(data, at, this.#seen)) this.#seen--;
    return -1;
  }

  /** @param {Buffer} bytes */
  #withRest(bytes) {
    const data = Buffer.concat([this.#rest, bytes]);
    this.#rest = nothing;
    return data;
  }
}
