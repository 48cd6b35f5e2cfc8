/**
 * The chunk that leaves (RFC 3030): its octets are counted before it does, since its command names their number. One
 * after the other is put together here.
 */
import type { Transport } from '../transport/transport.ts';
import type { Piece } from './content.ts';
import type { Outbox } from './outbox.ts';

export class Chunk {
  octets = 0;
  readonly #pieces: Piece[] = [];

  readonly add = (piece: Piece): void => {
    this.#pieces.push(piece);
    this.octets += piece.length;
  };

  /** Writes it; the next one begins. */
  leave(outbox: Outbox, transport: Transport): void {
    for (const piece of this.#pieces) outbox.write(piece, transport);
    this.octets = 0;
    // cheaper than a new list, or than setting its length
    while (this.#pieces.pop() !== undefined);
  }
}
