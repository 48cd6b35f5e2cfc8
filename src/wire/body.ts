/**
 * Message content on its way to the wire: line ends become CRLF, dots are stuffed, across any cut into chunks (S10).
 * It must not know headers, policy, or which command carries the content.
 *
 * Clean content is never copied: slices of the caller's buffer are handed on. Line ends are found with Buffer's
 * `indexOf`; in lines of 78 octets that is five times as fast as a loop over the bytes.
 */
import { isAscii } from 'node:buffer';
import { Outlet, type Sink } from './outlet.ts';

export type { Sink } from './outlet.ts';

/** What becomes of a lone CR or LF: a CRLF, or an error before anything of its chunk is taken. */
export type BareLineEnds = 'normalise' | 'refuse';

/** Where the content stands. Plain, so that it can be saved; `afterCr`: a CR has left, its LF is owed. */
export type EncoderState = 'lineStart' | 'inLine' | 'afterCr';

const LF = 0x0a;
const CR = 0x0d;
const DOT = 0x2e;

const owedLf: Uint8Array = Buffer.from('\n');
const lineEnd: Uint8Array = Buffer.from('\r\n');
const endOfData: Uint8Array = Buffer.from('.\r\n');

/** For DATA (RFC 5321 §4.5.2): normalises line ends, stuffs dots, writes the final dot. */
export class DataEncoder {
  #state: EncoderState;

  /** @param state of an earlier encoder, to go on where it stood. */
  constructor(state: EncoderState = 'lineStart') {
    this.#state = state;
  }

  get state(): EncoderState {
    return this.#state;
  }

  /** Hands on what of the chunk may leave, all of it, as slices of the chunk where it is clean. */
  encode(chunk: Uint8Array, out: Sink): void {
    this.#state = encode(chunk, this.#state, true, out);
  }

  /** Completes the last line, and writes the only end there is. The next message starts anew. */
  end(out: Sink): void {
    this.#state = completeLine(this.#state, out);
    out(endOfData);
  }
}

/** For BDAT (RFC 3030): normalises line ends and completes the last line, and changes nothing else. */
export class ChunkEncoder {
  #state: EncoderState;

  /** @param state of an earlier encoder, to go on where it stood. */
  constructor(state: EncoderState = 'lineStart') {
    this.#state = state;
  }

  get state(): EncoderState {
    return this.#state;
  }

  /** Hands on what of the chunk may leave, all of it, as slices of the chunk where it is clean. */
  encode(chunk: Uint8Array, out: Sink): void {
    this.#state = encode(chunk, this.#state, false, out);
  }

  /** Completes the last line. The next message starts anew. */
  end(out: Sink): void {
    this.#state = completeLine(this.#state, out);
  }
}

function completeLine(state: EncoderState, out: Sink): EncoderState {
  if (state !== 'lineStart') out(state === 'afterCr' ? owedLf : lineEnd);
  return 'lineStart';
}

/**
 * One chunk; gives the state after it. Two cursors, the next CR and the next LF, are found natively; where they are
 * neighbours is a clean line end. Everything that has to change is a byte to insert.
 */
function encode(chunk: Uint8Array, before: EncoderState, stuff: boolean, sink: Sink): EncoderState {
  const { length } = chunk;
  if (length === 0) return before;
  const out = new Outlet(chunk, sink);
  let state = before;
  let line = 0; // where the line at hand starts, or goes on
  if (before === 'afterCr') {
    if (chunk[0] === LF) line = 1;
    else out.insert(0, LF);
    state = 'lineStart';
  }
  let cr = find(CR, chunk, line);
  let lf = find(LF, chunk, line);
  for (;;) {
    if (stuff && state === 'lineStart' && chunk[line] === DOT) out.insert(line, DOT);
    if (lf === cr + 1 && lf < length) {
      line = lf + 1;
    } else if (lf < cr) {
      out.insert(lf, CR);
      line = lf + 1;
    } else if (cr + 1 < length) {
      line = cr + 1;
      out.insert(line, LF);
    } else {
      if (cr < length) state = 'afterCr';
      else if (line < length) state = 'inLine';
      break;
    }
    state = 'lineStart';
    if (cr < line) cr = find(CR, chunk, line);
    if (lf < line) lf = find(LF, chunk, line);
  }
  out.finish();
  return state;
}

/**
 * Where the first lone CR or LF is, or -1: with `refuse` the chunk is looked at before anything of it is taken. A CR
 * at the very end is not judged yet. If the chunk before ended with one, 0 says that it was alone.
 */
export function findBareLineEnd(chunk: Uint8Array, previousEndedWithCr: boolean): number {
  const { length } = chunk;
  if (length === 0) return -1;
  if (previousEndedWithCr && chunk[0] !== LF) return 0;
  let at = previousEndedWithCr ? 1 : 0;
  for (;;) {
    const cr = find(CR, chunk, at);
    const lf = find(LF, chunk, at);
    if (lf < cr) return lf;
    if (lf > cr + 1 && cr + 1 < length) return cr;
    if (lf === length) return -1;
    at = lf + 1;
  }
}

/** Is there any octet beyond 127, which a server without 8BITMIME cannot take (RFC 6152)? */
export function has8bit(chunk: Uint8Array): boolean {
  return !isAscii(chunk);
}

const indexOf = Buffer.prototype.indexOf; // takes any Uint8Array

/** The next such byte, or the length. */
function find(byte: number, chunk: Uint8Array, from: number): number {
  const at = indexOf.call(chunk, byte, from);
  return at < 0 ? chunk.length : at;
}
