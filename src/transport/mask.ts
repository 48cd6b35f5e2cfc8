/**
 * Octets that are to be saved and may be a secret: in the place of one stands which it was, and which part of it. It
 * knows no line.
 */

/** Octets as they are, or a part of a secret. */
export type Masked =
  | Uint8Array
  | { readonly secret: number; readonly from: number; readonly to: number; readonly of: number };

/** Less of a secret tells nothing, and is found in much that is none. */
const fewest = 3;

/** @param written all that left at once, of which `bytes` are a part: a secret leaves alone, whole or in pieces */
export function mask(bytes: Uint8Array, written: Uint8Array, secrets: readonly Uint8Array[]): Masked {
  if (written.length < fewest) return bytes;
  for (const [number, secret] of secrets.entries()) {
    const start = Buffer.from(secret.buffer, secret.byteOffset, secret.length).indexOf(written);
    if (start < 0) continue;
    const from = start + bytes.byteOffset - written.byteOffset;
    return { secret: number, from, to: from + bytes.length, of: secret.length };
  }
  return bytes;
}

/** @param secrets asked only where there is something to fill in */
export function unmask(
  masked: Masked,
  secrets: () => readonly Uint8Array[],
): { readonly bytes: Uint8Array; readonly written: Uint8Array } {
  if (masked instanceof Uint8Array) return { bytes: masked, written: masked };
  const { secret, from, to, of } = masked;
  const written = secrets()[secret] ?? unknown(of);
  return { bytes: written.subarray(from, to), written };
}

/** A line in place of one that nobody knows any more: that of a login on a line that was left. */
function unknown(octets: number): Uint8Array {
  return Buffer.from('\r\n'.padStart(octets, '*'));
}
