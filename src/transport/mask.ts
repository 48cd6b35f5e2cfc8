/**
 * Octets that are to be saved and may hold secrets: in the place of each stands which one it was, and how much of it.
 * It knows no line.
 */

/** Octets as they are, or a part of a secret. */
export type Piece = Uint8Array | { readonly secret: number; readonly from: number; readonly to: number };

interface Find {
  /** Where in the octets. */
  readonly at: number;
  readonly end: number;
  readonly secret: number;
  /** What stands there begins here in the secret. */
  readonly from: number;
}

/** Each part as pieces. A secret may go over the edge of a part, and at either end half of one may be missing. */
export function mask(parts: readonly Uint8Array[], secrets: readonly Uint8Array[]): Piece[][] {
  const finds = secrets.length === 0 ? [] : findAll(Buffer.concat(parts), secrets);
  let start = 0;
  return parts.map((part) => {
    const pieces = cut(part, start, finds);
    start += part.length;
    return pieces;
  });
}

/** @param secrets asked only where there is something to fill in */
export function unmask(pieces: readonly Piece[], secrets: () => readonly Uint8Array[]): Uint8Array {
  const [only] = pieces;
  if (only instanceof Uint8Array && pieces.length === 1) return only;
  return Buffer.concat(
    pieces.map((piece) => {
      if (piece instanceof Uint8Array) return piece;
      const part = secrets()[piece.secret]?.subarray(piece.from, piece.to);
      if (part?.length !== piece.to - piece.from)
        throw new RangeError('a login is under way, and auth is missing');
      return part;
    }),
  );
}

/** The pieces of a part that begins at `start`. */
function cut(part: Uint8Array, start: number, finds: readonly Find[]): Piece[] {
  const pieces: Piece[] = [];
  let at = start;
  const stop = start + part.length;
  for (const find of finds) {
    const from = Math.max(find.at, at);
    const to = Math.min(find.end, stop);
    if (from >= to) continue;
    if (from > at) pieces.push(part.subarray(at - start, from - start));
    pieces.push({ secret: find.secret, from: find.from + from - find.at, to: find.from + to - find.at });
    at = to;
  }
  if (at < stop || pieces.length === 0) pieces.push(part.subarray(at - start));
  return pieces;
}

/** In order. Where two share octets, the later one begins where the first one ends. */
function findAll(octets: Buffer, secrets: readonly Uint8Array[]): Find[] {
  const finds: Find[] = [];
  secrets.forEach((secret, number) => {
    const within = Buffer.from(secret).indexOf(octets);
    if (within >= 0) finds.push({ at: 0, end: octets.length, secret: number, from: within });
    for (let at = octets.indexOf(secret); at >= 0; at = octets.indexOf(secret, at + secret.length)) {
      finds.push({ at, end: at + secret.length, secret: number, from: 0 });
    }
    const head = overlap(secret, octets);
    if (head > 0) finds.push({ at: 0, end: head, secret: number, from: secret.length - head });
    const tail = overlap(octets, secret);
    if (tail > 0) finds.push({ at: octets.length - tail, end: octets.length, secret: number, from: 0 });
  });
  return finds.sort((a, b) => a.at - b.at || b.end - a.end);
}

/** How many octets at the end of the one, at most all of either, are those at the beginning of the other. */
function overlap(one: Uint8Array, other: Uint8Array): number {
  for (let length = Math.min(one.length, other.length); length > 0; length--) {
    if (Buffer.compare(one.subarray(one.length - length), other.subarray(0, length)) === 0) return length;
  }
  return 0;
}
