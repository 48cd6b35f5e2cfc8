/**
 * Folding: pieces of a header value into lines (RFC 5322 §2.2.3). A piece begins with its own white space and is
 * never cut, so taking the line ends out gives the value back. It knows nothing of what the pieces mean.
 */

/** Where a line is wished to end, in octets without CRLF (RFC 5322 §2.1.1). */
const wanted = 78;

/** No piece may be longer: with the longest name (76) in front the line still stays under 998 octets. */
export const pieceMax = 900;

/** Cuts text before each run of white space; a run at the very end stays with the last word. */
export function piecesOf(text: string): string[] {
  return text.match(/[ \t]*[^ \t]+(?:[ \t]+$)?|[ \t]+$/g) ?? [];
}

/** `Name: value` with CRLF at the end, broken between pieces only. */
export function foldField(name: string, pieces: readonly string[]): string {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return `${name}: ${only}\r\n`;
  let done = '';
  let line = `${name}:`;
  let used = line.length;
  pieces.forEach((piece, index) => {
    const next = index === 0 ? ` ${piece}` : piece;
    const length = Buffer.byteLength(next);
    // the first piece stays beside the name: some readers take `Name:` alone for an empty field
    if (index > 0 && used + length > wanted) {
      done += `${line}\r\n`;
      line = '';
      used = 0;
    }
    line += next;
    used += length;
  });
  return `${done}${line}\r\n`;
}
