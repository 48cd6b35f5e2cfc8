/**
 * Reads the text after DATA: takes the stuffed dots out and finds the end, cut anywhere, in one pass. Only
 * CRLF . CRLF ends it (RFC 5321 §4.5.2); a bare LF is content, and counted.
 */
import { joinBytes } from '../transport/pipe.ts';

const CR = 13;
const LF = 10;
const dot = 46;

type Place = 'start' | 'inside' | 'cr' | 'dot' | 'dotCr';

export class ContentReader {
  #parts: Uint8Array[] = [];
  #place: Place = 'start';
  /** LF without CR, and CR without LF. */
  bareLineEnds = 0;

  /** @returns how many bytes were taken; fewer than given means that the text has ended. `done` says so as well. */
  take(bytes: Uint8Array): { readonly taken: number; readonly done: boolean } {
    const out = new Uint8Array(bytes.length + 1);
    let length = 0;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i] ?? 0;
      const before = this.#place;
      this.#place = next(before, byte);
      if (before === 'dotCr') {
        if (byte === LF) {
          this.#parts.push(out.subarray(0, length));
          return { taken: i + 1, done: true };
        }
        // It was a stuffed dot before a lone CR.
        out[length++] = CR;
      }
      if ((byte === LF) !== (before === 'cr' || before === 'dotCr')) this.bareLineEnds++;
      if (this.#place !== 'dot' && this.#place !== 'dotCr') out[length++] = byte;
    }
    this.#parts.push(out.subarray(0, length));
    return { taken: bytes.length, done: false };
  }

  save() {
    return { parts: this.#parts, place: this.#place, bareLineEnds: this.bareLineEnds };
  }

  load({ parts, place, bareLineEnds }: ReturnType<ContentReader['save']>): void {
    this.#parts = parts;
    this.#place = place;
    this.bareLineEnds = bareLineEnds;
  }

  /** What was read so far. */
  content(): Uint8Array {
    return joinBytes(this.#parts);
  }
}

function next(place: Place, byte: number): Place {
  if (byte === CR) return place === 'dot' ? 'dotCr' : 'cr';
  if (byte === LF && place === 'cr') return 'start';
  if (byte === dot && place === 'start') return 'dot';
  return 'inside';
}
