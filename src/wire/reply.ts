/**
 * Server replies (RFC 5321 §4.2): bytes in, {@link Reply} objects out, incrementally and within bounds (S11).
 * It must not know whose answer a reply is, what it means, or that there are sockets and time.
 *
 * The fast path makes no strings and no typed arrays: a short reply is copied into a shared slab, so that it
 * does not pin the network chunk it came in, and its text is decoded when somebody reads it.
 */
import { isUtf8 } from 'node:buffer';
import { inspect } from 'node:util';
import type { ReplyLike } from '../errors.ts';
import { type EnhancedCode, readEnhancedCode } from './enhanced.ts';
import { Inbox } from './inbox.ts';
import { ReplySyntaxError, type ReplySyntaxReason } from './reply-error.ts';

export { ReplySyntaxError, type ReplySyntaxReason } from './reply-error.ts';

const LF = 0x0a;
const CR = 0x0d;
const SP = 0x20;
const HYPHEN = 0x2d;
const ZERO = 0x30;

/** What a server may make us hold before its reply is complete. All sizes in bytes, line ends included. */
export interface ReplyLimits {
  /** @default 4096 */
  readonly lineBytes: number;
  /** Lines of one reply. @default 512 */
  readonly lines: number;
  /** One whole reply. @default 65536 */
  readonly bytes: number;
  /** Empty lines tolerated before a reply. @default 8 */
  readonly blankLines: number;
}

export const defaultReplyLimits: ReplyLimits = { lineBytes: 4096, lines: 512, bytes: 65_536, blankLines: 8 };

/** One complete reply, immutable. Everything but the code is worked out when it is asked for. */
export class Reply implements ReplyLike {
  readonly code: number;
  readonly #store: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  #lines: readonly string[] | undefined;

  /** For {@link ReplyParser}, which has checked the bytes; others use {@link Reply.of}. */
  constructor(code: number, store: Uint8Array, start: number, end: number) {
    this.code = code;
    this.#store = store;
    this.#start = start;
    this.#end = end;
    this.#lines = undefined;
  }

  /** Parses exactly one reply, for example `Reply.of('250-a\r\n250 b\r\n')`. */
  static of(whole: string | Uint8Array): Reply {
    const bytes = typeof whole === 'string' ? Buffer.from(whole) : whole;
    const parser = new ReplyParser();
    parser.feed(bytes);
    const reply = parser.next();
    if (reply === undefined || parser.pending > 0) throw new ReplySyntaxError('notOne', bytes);
    return reply;
  }

  /** The enhanced status code `class.subject.detail` (RFC 2034, RFC 3463), if the first line begins with one. */
  get enhanced(): EnhancedCode | undefined {
    const separator = this.#store[this.#start + 3];
    if (separator !== SP && separator !== HYPHEN) return undefined;
    return readEnhancedCode(this.#store, this.#start + 4, this.code);
  }

  /** The text of each line as sent, without code and separator; the enhanced code stays in it. */
  get lines(): readonly string[] {
    this.#lines ??= linesOf(this.#store, this.#start, this.#end);
    return this.#lines;
  }

  /** The lines, joined with `\n`. */
  get text(): string {
    return this.lines.join('\n');
  }

  /** A copy of the whole reply as it came, codes and line ends included: for charsets that are neither UTF-8 nor latin1. */
  get bytes(): Uint8Array {
    return this.#store.slice(this.#start, this.#end);
  }

  toJSON(): ReplyLike {
    return { code: this.code, enhanced: this.enhanced, lines: this.lines, text: this.text };
  }
}

// So console.log shows what JSON would. Not a member of the class: isolatedDeclarations knows no such name.
Object.defineProperty(Reply.prototype, inspect.custom, { value: Reply.prototype.toJSON });

/** UTF-8 where the bytes are that, else latin1, which takes any byte: a reply in another charset never throws. */
function linesOf(store: Uint8Array, start: number, end: number): readonly string[] {
  const raw = Buffer.from(store.buffer, store.byteOffset + start, end - start);
  const lines = raw.toString(isUtf8(raw) ? 'utf8' : 'latin1').split('\n');
  lines.pop(); // what follows the last line end
  return lines.map((line) => line.slice(4, line.endsWith('\r') ? -1 : undefined));
}

const indexOf = Buffer.prototype.indexOf; // takes any Uint8Array

/** The first LF in `[from, stop)`, or -1. */
function findLf(bytes: Uint8Array, from: number, stop: number, shared: boolean): number {
  if (shared) {
    // Native, but it looks on beyond `stop` to the end of the slab.
    const found = indexOf.call(bytes, LF, from);
    return found < stop ? found : -1;
  }
  let i = from;
  while (i < stop && bytes[i] !== LF) i++;
  return i < stop ? i : -1;
}

/**
 * Cuts a byte stream into replies. Feed chunks, and call {@link next} until it gives `undefined`; a chunk must not
 * change until then. The outcome does not depend on how the stream was cut.
 *
 * ```
 *  | complete lines of this reply … | line being read … | not read … |
 *  ▲ inbox.at                        ▲ #line             ▲ #scan       ▲ inbox.end
 * ```
 */
export class ReplyParser {
  readonly #limits: ReplyLimits;
  readonly #inbox: Inbox = new Inbox();
  /** Offsets from the start of the reply. */
  #line = 0;
  #scan = 0;
  /** Complete lines of the reply at hand. */
  #lines = 0;
  #blankLines = 0;
  #blankBytes = 0;
  #failure: ReplySyntaxError | undefined = undefined;

  constructor(limits: Partial<ReplyLimits> = {}) {
    this.#limits = { ...defaultReplyLimits, ...limits };
  }

  /** Bytes fed that belong to no reply given out yet; empty lines count until a reply follows them (S1). */
  get pending(): number {
    return this.#inbox.size + this.#blankBytes;
  }

  /** Takes a chunk. After an error it is dropped. */
  feed(chunk: Uint8Array): void {
    if (this.#failure === undefined) this.#inbox.add(chunk);
  }

  /** The next complete reply, if there is one. @throws ReplySyntaxError, the same one until {@link reset} */
  next(): Reply | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    for (;;) {
      const lineEnd = this.#readLine();
      if (lineEnd < 0) {
        if (!this.#inbox.more()) return undefined;
      } else if (this.#inbox.bytes[this.#inbox.at + this.#line + 3] !== HYPHEN) {
        return this.#take(lineEnd);
      } else {
        this.#lines++;
        if (this.#lines >= this.#limits.lines) this.#fail('manyLines');
        this.#line = lineEnd;
        this.#scan = lineEnd;
      }
    }
  }

  /** Forgets everything, a failure too: for a new connection. */
  reset(): void {
    this.#inbox.clear();
    this.#startReply();
    this.#failure = undefined;
  }

  /** What was fed and is in no reply yet, and how it stands. */
  save() {
    return {
      bytes: this.#inbox.unread(),
      blankLines: this.#blankLines,
      blankBytes: this.#blankBytes,
      failure: this.#failure,
    };
  }

  /** Goes on where another one stood; the lines of half a reply are read once more. */
  load({ bytes, blankLines, blankBytes, failure }: ReturnType<ReplyParser['save']>): void {
    this.reset();
    this.#inbox.add(bytes);
    this.#blankLines = blankLines;
    this.#blankBytes = blankBytes;
    this.#failure = failure;
  }

  #startReply(): void {
    this.#line = 0;
    this.#scan = 0;
    this.#lines = 0;
    this.#blankLines = 0;
    this.#blankBytes = 0;
  }

  /** Reads on in the line at hand and gives the offset after its LF, or -1 if that has not come. */
  #readLine(): number {
    if (this.#lines === 0 && this.#scan === 0) this.#skipBlankLines();
    if (this.#scan < this.#line + 5 && !this.#checkPrefix()) return -1;
    return this.#findLineEnd();
  }

  /** Steps over the line ends before a reply; a lone CR at the end of what we have is left to the next chunk. */
  #skipBlankLines(): void {
    const inbox = this.#inbox;
    while (inbox.at < inbox.end) {
      const first = inbox.bytes[inbox.at];
      let length = 1;
      if (first === CR && inbox.at + 1 < inbox.end && inbox.bytes[inbox.at + 1] === LF) length = 2;
      else if (first !== LF) return;
      this.#blankLines++;
      if (this.#blankLines > this.#limits.blankLines) this.#fail('blankLines');
      this.#blankBytes += length;
      inbox.at += length;
    }
  }

  /** Judges code and separator as far as they have come; true when both are there. */
  #checkPrefix(): boolean {
    const { bytes, at, end } = this.#inbox;
    const line = at + this.#line;
    const have = end - line;
    if (have === 1 && bytes[line] === CR && this.#lines === 0) return false; // perhaps an empty line
    for (let i = 0; i < 3 && i < have; i++) this.#checkDigit(i, bytes[line + i] ?? 0);
    if (have < 4) return false;
    const separator = bytes[line + 3];
    if (separator === SP || separator === HYPHEN || separator === LF) return true;
    if (separator === CR && have === 4) return false;
    if (separator !== CR || bytes[line + 4] !== LF) this.#fail('separator');
    return true;
  }

  #checkDigit(i: number, byte: number): void {
    const digit = byte - ZERO;
    if (digit < (i === 0 ? 2 : 0) || digit > (i === 0 ? 5 : 9)) this.#fail('code');
    if (this.#lines > 0 && byte !== this.#inbox.bytes[this.#inbox.at + i]) this.#fail('mixedCodes');
  }

  /** The offset after the line's LF, -1 if it has not come. Judges nothing beyond the bounds, no byte twice. */
  #findLineEnd(): number {
    const { bytes, at, end, shared } = this.#inbox;
    const lineCap = this.#line + this.#limits.lineBytes;
    const cap = Math.min(lineCap, this.#limits.bytes);
    const stop = Math.min(at + cap, end);
    const from = at + Math.max(this.#scan, this.#line + 3);
    const lf = findLf(bytes, from, stop, shared);
    if (lf >= 0) return lf + 1 - at;
    if (stop >= at + cap) this.#fail(cap === lineCap ? 'longLine' : 'longReply');
    this.#scan = stop - at;
    return -1;
  }

  #take(length: number): Reply {
    const { bytes, at, shared } = this.#inbox;
    const code =
      ((bytes[at] ?? 0) - ZERO) * 100 + ((bytes[at + 1] ?? 0) - ZERO) * 10 + ((bytes[at + 2] ?? 0) - ZERO);
    this.#inbox.at += length;
    this.#startReply();
    return shared
      ? new Reply(code, bytes, at, at + length)
      : new Reply(code, bytes.slice(at, at + length), 0, length);
  }

  #fail(reason: ReplySyntaxReason): never {
    const { bytes, at, end } = this.#inbox;
    const failure = new ReplySyntaxError(reason, bytes.subarray(at + this.#line, end));
    const pending = this.pending;
    this.reset();
    this.#failure = failure;
    this.#blankBytes = pending; // still told, though the bytes are gone
    throw failure;
  }
}
