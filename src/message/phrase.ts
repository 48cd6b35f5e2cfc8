/**
 * Free text and mailboxes as the pieces of a header value: what stands as it is, what is quoted, what is encoded.
 * It knows no header by name and no lines.
 */
import { SmtpUsageError } from '../errors.ts';
import { pieceMax, piecesOf } from './fold.ts';
import { checkHeaderText, isPlain } from './text.ts';
import { encodeWords } from './words.ts';

/** An address with a name for people. */
export interface Mailbox {
  /** An addr-spec that has passed the grammar already (RFC 5322 §3.4.1); not looked into here. */
  readonly address: string;
  /** Shown to people; empty is the same as none. */
  readonly name?: string | undefined;
}

/** Fits on the line with any field's name in front, and needs nothing done. */
const shortAndPlain = /^[!-~](?:[ -~]{0,58}[!-~])?$/;

/** Atoms with single spaces between: a phrase that needs no quotes (RFC 5322 §3.2.3). */
const atoms = /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(?: [A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*$/;

/**
 * Unstructured text (RFC 5322 §3.2.5). ASCII goes as it is, so text that holds encoded words already is left alone;
 * otherwise the stretch from the first to the last word that needs it is encoded.
 */
export function textPieces(text: string): string[] {
  if (shortAndPlain.test(text)) return [text];
  const pieces = piecesOf(text);
  const needy = pieces.map(
    (piece, index) => needsEncoding(piece) || hasOuterSpace(piece, index, pieces.length),
  );
  let first = needy.indexOf(true);
  if (first < 0) return pieces;
  let last = needy.lastIndexOf(true);
  // beside our encoded words, what looks like one would be read as one and the space between be lost
  if (text.includes('=?')) [first, last] = [0, pieces.length - 1];
  const stretch = pieces.slice(first, last + 1).join('');
  // one space before the stretch stays outside to part it from what stands before; the rest is kept inside
  const lead = first === 0 ? '' : stretch.slice(0, 1);
  const words = encodeWords(stretch.slice(lead.length));
  return [...pieces.slice(0, first), ...spaced(words, lead), ...pieces.slice(last + 1)];
}

/** `Ada Lovelace <ada@x>`, `"Dr. Ada" <ada@x>`, `=?UTF-8?Q?Andr=C3=A9?= <a@x>`, or the bare address. */
export function mailboxPieces(mailbox: Mailbox, utf8: boolean, option: string): string[] {
  if (!isPlain(mailbox.address)) checkForeignAddress(mailbox.address, utf8, `${option}.address`);
  const { name } = mailbox;
  if (name === undefined || name === '') return [mailbox.address];
  checkHeaderText(name, `${option}.name`);
  return [...phrasePieces(name), ` <${mailbox.address}>`];
}

function checkForeignAddress(address: string, utf8: boolean, option: string): void {
  checkHeaderText(address, option);
  if (!utf8) throw new SmtpUsageError('EINVAL', 'an address beyond ASCII needs SMTPUTF8', option);
}

/** The mailboxes of one field, with commas between (RFC 5322 §3.4). */
export function mailboxListPieces(mailboxes: readonly Mailbox[], utf8: boolean, option: string): string[] {
  const [only] = mailboxes;
  if (only !== undefined && mailboxes.length === 1) return mailboxPieces(only, utf8, option);
  return mailboxes.flatMap((mailbox, index) => {
    const pieces = mailboxPieces(mailbox, utf8, option);
    const before = index === 0 ? '' : ' ';
    const after = index === mailboxes.length - 1 ? '' : ',';
    return pieces.map(
      (piece, at) => `${at === 0 ? before : ''}${piece}${at === pieces.length - 1 ? after : ''}`,
    );
  });
}

function phrasePieces(name: string): string[] {
  // `=?` in quotes is plain text to the standard, and an encoded word to many readers; TAB would be turned to a space
  if (!isPlain(name) || name.includes('=?') || name.includes('\t')) return spaced(encodeWords(name), '');
  const pieces = piecesOf(atoms.test(name) ? name : `"${name.replace(/["\\]/g, '\\$&')}"`);
  return pieces.some(tooLong) ? spaced(encodeWords(name), '') : pieces;
}

function spaced(words: readonly string[], lead: string): string[] {
  return words.map((word, index) => (index === 0 ? `${lead}${word}` : ` ${word}`));
}

function needsEncoding(piece: string): boolean {
  return !isPlain(piece) || tooLong(piece);
}

function tooLong(piece: string): boolean {
  return piece.length > pieceMax;
}

/** White space at either end of the text would be trimmed by readers. */
function hasOuterSpace(piece: string, index: number, count: number): boolean {
  return (index === 0 && /^[ \t]/.test(piece)) || (index === count - 1 && /[ \t]$/.test(piece));
}
