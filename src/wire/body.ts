/**
 * Message content on its way to the wire: line ends become CRLF, dots are stuffed, across any cut into chunks (S10).
 * It must not know headers, policy, or which command carries the content.
 *
 * Clean content is handed on as it came: slices of the caller's buffer, no copies.
 */
import { isAscii } from 'node:buffer';
import { blockBytes, CR, DOT, flawsOf, LF } from './flaws.ts';
import { Outlet, type Sink } from './outlet.ts';

export type { Sink } from './outlet.ts';

/** What becomes of a lone CR or LF: a CRLF, or an error before anything of its chunk is taken. */
export type BareLineEnds = 'normalise' | 'refuse';

/** Where the content stands. Plain, so that it can be saved; `afterCr`: a CR has left, its LF is owed. */
export type EncoderState = 'lineStart' | 'inLine' | 'afterCr';

/** An octet that neither ends a line nor begins one. */
const NUL = 0;

const owedLf: Uint8Array = Buffer.from('\n');
const lineEnd: Uint8Array = Buffer.from('\r\n');
const endOfData: Uint8Array = Buffer.from('.\r\n');

class LineEncoder {
  readonly #dots: boolean;
  #state: EncoderState;

  constructor(dots: boolean, state: EncoderState) {
    this.#dots = dots;
    this.#state = state;
  }

  get state(): EncoderState {
    return this.#state;
  }

  /** Hands on what of the chunk may leave, all of it, as slices of the chunk where it is clean. */
  encode(chunk: Uint8Array, out: Sink): void {
    this.#state = encode(chunk, this.#state, this.#dots, out);
  }

  /** Completes the last line. The next message starts anew. */
  end(out: Sink): void {
    this.#state = completeLine(this.#state, out);
  }
}

/** For DATA (RFC 5321 §4.5.2): normalises line ends, stuffs dots, writes the final dot. */
export class DataEncoder extends LineEncoder {
  /** @param state of an earlier encoder, to go on where it stood. */
  constructor(state: EncoderState = 'lineStart') {
    super(true, state);
  }

  /** Completes the last line, and writes the only end there is. The next message starts anew. */
  override end(out: Sink): void {
    super.end(out);
    out(endOfData);
  }
}

/** For BDAT (RFC 3030): normalises line ends and completes the last line, and changes nothing else. */
export class ChunkEncoder extends LineEncoder {
  /** @param state of an earlier encoder, to go on where it stood. */
  constructor(state: EncoderState = 'lineStart') {
    super(false, state);
  }
}

function completeLine(state: EncoderState, out: Sink): EncoderState {
  if (state !== 'lineStart') out(state === 'afterCr' ? owedLf : lineEnd);
  return 'lineStart';
}

/** One chunk; gives the state after it. Everything that has to change is an octet to insert. */
function encode(chunk: Uint8Array, before: EncoderState, stuff: boolean, sink: Sink): EncoderState {
  if (chunk.length === 0) return before;
  let out: Outlet | undefined;
  let last = before === 'lineStart' ? LF : before === 'afterCr' ? CR : NUL;
  for (let from = 0; from < chunk.length; from += blockBytes) {
    const block = blockOf(chunk, from);
    for (const offset of flawsOf(block, last, stuff)) {
      const at = from + offset;
      out ??= new Outlet(chunk, sink);
      if (chunk[at] === LF) out.insert(at, CR);
      else {
        if ((at === 0 ? last : chunk[at - 1]) === CR) out.insert(at, LF);
        if (stuff && chunk[at] === DOT) out.repeat(at);
      }
    }
    last = block[block.length - 1] ?? last;
  }
  if (out === undefined) sink(chunk);
  else out.finish();
  return last === LF ? 'lineStart' : last === CR ? 'afterCr' : 'inLine';
}

/**
 * Where the first lone CR or LF is, or -1: with `refuse` the chunk is looked at before anything of it is taken. A CR
 * at the very end is not judged yet. If the chunk before ended with one, 0 says that it was alone.
 */
export function findBareLineEnd(chunk: Uint8Array, previousEndedWithCr: boolean): number {
  let last = previousEndedWithCr ? CR : NUL;
  for (let from = 0; from < chunk.length; from += blockBytes) {
    const block = blockOf(chunk, from);
    const [offset] = flawsOf(block, last, false);
    if (offset !== undefined)
      return chunk[from + offset] === LF ? from + offset : Math.max(0, from + offset - 1);
    last = block[block.length - 1] ?? last;
  }
  return -1;
}

const blockOf = (chunk: Uint8Array, from: number): Uint8Array =>
  chunk.length <= blockBytes ? chunk : chunk.subarray(from, from + blockBytes);

/** Is there any octet beyond 127, which a server without 8BITMIME cannot take (RFC 6152)? */
export function has8bit(chunk: Uint8Array): boolean {
  return !isAscii(chunk);
}
