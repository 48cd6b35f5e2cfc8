/**
 * The content of one message between the caller and the wire: bytes wait here, bounded, until the line takes them,
 * and leave encoded. It knows no command, no chart and no clock.
 */
import { SmtpUsageError } from '../errors.ts';
import {
  type BareLineEnds,
  ChunkEncoder,
  DataEncoder,
  type EncoderState,
  findBareLineEnd,
  type Sink,
} from '../wire/body.ts';
import { added, change, nothing } from './lists.ts';

/** How content goes over the wire: after a 354 up to a dot, in counted chunks of lines, or in chunks as it is. */
export type Passage = 'data' | 'chunks' | 'binary';

interface Encoder {
  /** Where it stands, if it cares. */
  readonly state?: EncoderState;
  encode(chunk: Uint8Array, out: Sink): void;
  end(out: Sink): void;
}

/** Octets, or ASCII text: as many octets as it has characters. */
export type Piece = Uint8Array | string;

/** RFC 3030 §3: octets are octets. */
const asTheyAre: Encoder = { encode: (chunk, out) => out(chunk), end() {} };

/**
 * The most that is encoded before the line is asked again whether it is full, and the most of a chunk that is not the
 * last, in octets. What a receiver takes at once, 128 KiB where nobody has set anything else, leaves without a wait, and
 * is still in the processor's cache when it does: a body of 10 MB takes a third less time than in pieces of twice this.
 */
const portion = 112 * 1024;
/** The least that is worth a chunk, in octets: each costs a reply. */
const leastChunk = 64 * 1024;

interface ContentSettings {
  readonly bodyBufferBytes: number;
  readonly bareLineEnds: BareLineEnds;
}

export class Content {
  #passage: Passage = 'data';
  /** Made with the first octet that leaves. */
  #encoder: Encoder | undefined;
  readonly #limit: number;
  readonly #refuseBare: boolean;
  /** The last octet taken is a CR, whose LF must come next. */
  #afterCr = false;
  #chunks: readonly Piece[] = nothing;
  #next = 0;
  /** What has left and may have to leave once more. */
  #left: readonly Piece[] | undefined;
  /** Octets that wait. */
  #waiting = 0;
  /** The caller was told to wait for DRAIN. */
  owesDrain = false;
  /** The caller has said that no more will come. */
  ended = false;

  constructor(limit: number, bareLineEnds: BareLineEnds) {
    this.#limit = limit;
    this.#refuseBare = bareLineEnds === 'refuse';
  }

  get waiting(): number {
    return this.#waiting;
  }

  /** Enough waits to send a chunk of it before the end (RFC 3030). */
  get worthAChunk(): boolean {
    return this.#waiting >= Math.min(leastChunk, this.#limit);
  }

  get hasRoom(): boolean {
    return this.#waiting < this.#limit;
  }

  /** Decides how the content goes, before any of it has gone. */
  choose(passage: Passage): void {
    this.#passage = passage;
    this.#encoder = undefined;
  }

  /** Throws SmtpUsageError EINVAL for a bare CR or LF where those are refused. */
  check(chunk: Uint8Array): void {
    if (!this.#refuseBare) return;
    const at = findBareLineEnd(chunk, this.#afterCr);
    if (at >= 0) throw new SmtpUsageError('EINVAL', `a bare CR or LF at octet ${at}`, 'chunk');
  }

  checkEnd(): void {
    if (this.#refuseBare && this.#afterCr) {
      throw new SmtpUsageError('EINVAL', 'the body ends with a CR that has no LF', 'chunk');
    }
  }

  /** Takes what fits and says how many octets that were. The bytes must not be changed until they have left. */
  offer(chunk: Uint8Array): number {
    const taken = Math.min(chunk.length, this.#limit - this.#waiting);
    if (taken > 0) this.put(taken === chunk.length ? chunk : chunk.subarray(0, taken));
    if (taken < chunk.length) this.owesDrain = true;
    return Math.max(taken, 0);
  }

  /** Takes the whole chunk if there is any room. */
  offerWhole(chunk: Uint8Array): number {
    if (this.hasRoom) {
      this.put(chunk);
      return chunk.length;
    }
    if (chunk.length > 0) this.owesDrain = true;
    return 0;
  }

  /** Takes the whole chunk, whatever the bound says. */
  put(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks = added(this.#chunks, chunk);
    this.#afterCr = chunk[chunk.length - 1] === 0x0d;
    this.#waiting += chunk.length;
  }

  /** Takes lines of ours, each ended by CRLF, before any octet of the caller's. */
  putLines(text: string): void {
    if (text === '') return;
    const octets = Buffer.byteLength(text);
    this.#chunks = added(this.#chunks, octets === text.length ? text : Buffer.from(text));
    this.#waiting += octets;
  }

  /** From now on what leaves is kept, for {@link rewind}. */
  keep(): void {
    this.#left ??= nothing;
  }

  /** It was taken: it will not have to leave again. */
  settle(): void {
    this.#left = undefined;
  }

  /** All that has left waits again. */
  rewind(): void {
    const left = this.#left ?? nothing;
    this.#chunks = [...left, ...this.#chunks.slice(this.#next)];
    this.#next = 0;
    for (const chunk of left) this.#waiting += chunk.length;
    this.#left = undefined;
    this.choose('data');
  }

  save() {
    return {
      passage: this.#passage,
      state: this.#encoder?.state,
      afterCr: this.#afterCr,
      chunks: this.#chunks.slice(this.#next).map(octetsOf),
      left: this.#left?.map(octetsOf),
      owesDrain: this.owesDrain,
      ended: this.ended,
    };
  }

  static load(saved: ReturnType<Content['save']>, settings: ContentSettings): Content {
    const content = new Content(settings.bodyBufferBytes, settings.bareLineEnds);
    content.#passage = saved.passage;
    if (saved.state !== undefined) content.#encoder = encoderFor(saved.passage, saved.state);
    for (const chunk of saved.chunks) content.put(chunk);
    content.#afterCr = saved.afterCr;
    content.#left = saved.left;
    content.owesDrain = saved.owesDrain;
    content.ended = saved.ended;
    return content;
  }

  /** Moves one of the caller's chunks, or a portion of it, to the wire; false where nothing waited. */
  move(out: (piece: Piece) => void, most = portion): boolean {
    const piece = this.#chunks[this.#next];
    if (piece === undefined) return false;
    if (piece.length > most) {
      const chunk = octetsOf(piece);
      change(this.#chunks, this.#next, chunk.subarray(most));
      this.#encode(chunk.subarray(0, most), out);
    } else {
      this.#next++;
      if (this.#next === this.#chunks.length) {
        this.#chunks = nothing;
        this.#next = 0;
      }
      this.#encode(piece, out);
    }
    return true;
  }

  /** Moves what makes one chunk (RFC 3030): all that waits where no more will come. */
  moveChunk(out: (piece: Piece) => void): void {
    const rest = this.ended ? 0 : Math.max(0, this.#waiting - portion);
    while (this.#waiting > rest) this.move(out, this.#waiting - rest);
  }

  /** Writes the end of the message. */
  finish(out: Sink): void {
    this.#ready().end(out);
  }

  /** Lets everything go. */
  discard(): void {
    this.#chunks = nothing;
    this.#next = 0;
    this.#waiting = 0;
    this.#left = undefined;
  }

  #encode(piece: Piece, out: (piece: Piece) => void): void {
    this.#waiting -= piece.length;
    if (this.#left !== undefined) this.#left = added(this.#left, piece);
    // lines of ours are whole: nothing but a dot at the begin of one would be changed
    if (typeof piece === 'string' && this.#passage !== 'data') out(piece);
    else this.#ready().encode(octetsOf(piece), out);
  }

  #ready(): Encoder {
    this.#encoder ??= encoderFor(this.#passage);
    return this.#encoder;
  }
}

function octetsOf(piece: Piece): Uint8Array {
  return typeof piece === 'string' ? Buffer.from(piece) : piece;
}

function encoderFor(passage: Passage, state?: EncoderState): Encoder {
  if (passage === 'binary') return asTheyAre;
  return passage === 'chunks' ? new ChunkEncoder(state) : new DataEncoder(state);
}
