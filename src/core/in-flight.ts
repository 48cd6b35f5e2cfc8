/**
 * How much is under way on one line: messages that have begun, those whose end has left and that are not judged, and
 * the octets of their content. It counts what leaves and what is answered, and says when no message may begin.
 */
import type { EntryKind } from './ledger.ts';
import { Queue } from './queue.ts';

/**
 * No message begins while so many octets of content in chunks are not answered: what is under way is bounded by its
 * size as well, whatever line and server would swallow. One message may be larger.
 */
const mostOctets = 4 * 1024 * 1024;

export class InFlight {
  /** MAILs that have left. */
  begun = 0;
  /** Messages whose end has left and whose verdict is due. */
  messages = 0;
  /** Octets of each chunk that is not answered, oldest first, and their sum. */
  readonly #chunks = new Queue<number>();
  #octets = 0;

  /** May no message begin, where so many may be in flight? */
  isFull(most: number): boolean {
    return this.messages >= most || this.#octets >= mostOctets;
  }

  /** A chunk has left (RFC 3030). */
  chunkLeft(octets: number): void {
    this.#chunks.push(octets);
    this.#octets += octets;
  }

  /** A command of this kind is answered; for the end of a message by LMTP, with its last verdict. */
  answered(kind: EntryKind): void {
    if (kind === 'content' || kind === 'last') this.messages--;
    if (kind === 'chunk' || kind === 'last') this.#octets -= this.#chunks.shift() ?? 0;
  }

  /** A new line. */
  clear(): void {
    this.begun = 0;
    this.messages = 0;
    this.#chunks.clear();
    this.#octets = 0;
  }

  save() {
    return { begun: this.begun, messages: this.messages, chunks: [...this.#chunks] };
  }

  load({ begun, messages, chunks }: ReturnType<InFlight['save']>): void {
    this.begun = begun;
    this.messages = messages;
    for (const octets of chunks) this.chunkLeft(octets);
  }
}
