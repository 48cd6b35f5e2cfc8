/**
 * Bytes that have come and are not used up, contiguous, in memory that is cheap to keep: what is cut out of an
 * inbox does not pin a network chunk. It must not know what the bytes mean.
 *
 * Making a typed array costs more than parsing a short reply. So the inboxes of a process write one after another
 * into a common slab, and what is cut out is a range of it; bytes that do not fit there get a buffer of their own.
 */

/** What a kept range pins at most. */
const slabBytes = 8192;
/** A larger chunk is copied in portions of this size. */
const portionBytes = 2048;

const empty = new Uint8Array(0);
let slab = empty;
let slabEnd = 0;

export class Inbox {
  /** The unread bytes are `bytes[at] … bytes[end - 1]`; what lies around them is not ours. */
  bytes: Uint8Array = empty;
  at = 0;
  end = 0;
  /** Is `bytes` a slab, so that a range of it may be kept? Else copy what shall be kept. */
  shared = true;
  /** The part of the caller's last chunk that is not copied yet. */
  #rest: Uint8Array = empty;

  /** How many bytes are not used up. */
  get size(): number {
    return this.end - this.at + this.#rest.length;
  }

  /** A copy of what is not used up. */
  unread(): Uint8Array {
    return Buffer.concat([this.bytes.subarray(this.at, this.end), this.#rest]);
  }

  /** Takes a chunk, which must not change until {@link more} has said that there is no more. */
  add(chunk: Uint8Array): void {
    if (this.#rest.length > 0) {
      this.#append(this.#rest);
      this.#rest = empty;
      this.#append(chunk);
    } else if (chunk.length > portionBytes) {
      this.#rest = chunk;
    } else {
      this.#append(chunk);
    }
  }

  /** Brings more bytes behind the unread ones, which may move; false if there are none. */
  more(): boolean {
    const rest = this.#rest;
    if (rest.length === 0) {
      if (this.at === this.end) this.clear();
      return false;
    }
    this.#append(rest.subarray(0, portionBytes));
    this.#rest = rest.length > portionBytes ? rest.subarray(portionBytes) : empty;
    return true;
  }

  clear(): void {
    this.bytes = empty;
    this.#rest = empty;
    this.at = 0;
    this.end = 0;
    this.shared = true;
  }

  #append(chunk: Uint8Array): void {
    const { length } = chunk;
    const last = this.bytes === slab && this.end === slabEnd;
    const full = this.end + length > this.bytes.length;
    if (this.at === this.end) this.#useSlab(length);
    else if (this.shared && !last) this.#useOwn(length);
    else if (full && last) this.#useSlab(length);
    else if (full) this.#useOwn(length);
    this.bytes.set(chunk, this.end);
    this.end += length;
    if (this.shared) slabEnd = this.end;
  }

  /** Goes on at the end of the slab, or of a new one. */
  #useSlab(more: number): void {
    const unread = this.end - this.at;
    const size = unread + more;
    if (size > slabBytes / 2) {
      this.#useOwn(more);
      return;
    }
    const from = unread > 0 ? this.bytes.subarray(this.at, this.end) : empty;
    if (slabEnd + size > slab.length) {
      slab = new Uint8Array(slabBytes);
      slabEnd = 0;
    }
    this.#moveTo(slab, slabEnd, from);
    this.shared = true;
  }

  /** Goes on in a buffer of our own; its size doubles, so that the work is linear however small the chunks. */
  #useOwn(more: number): void {
    const unread = this.bytes.subarray(this.at, this.end);
    this.#moveTo(new Uint8Array(Math.max(256, 2 * (unread.length + more))), 0, unread);
    this.shared = false;
  }

  #moveTo(bytes: Uint8Array, at: number, unread: Uint8Array): void {
    if (unread.length > 0) bytes.set(unread, at);
    this.bytes = bytes;
    this.at = at;
    this.end = at + unread.length;
  }
}
