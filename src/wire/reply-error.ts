/** What is wrong with bytes that are no reply (RFC 5321 §4.2). It reads none. */
import { printable } from '../errors.ts';

export type ReplySyntaxReason =
  /** Something else than three digits, the first of them 2 to 5. */
  | 'code'
  /** Neither `-`, blank nor line end after the code. */
  | 'separator'
  /** Another code than on the first line (S12). */
  | 'mixedCodes'
  | 'longLine'
  | 'manyLines'
  | 'longReply'
  | 'blankLines'
  /** {@link Reply.of} only: not exactly one reply. */
  | 'notOne';

const reasonTexts: Readonly<Record<ReplySyntaxReason, string>> = {
  code: 'not a reply code',
  separator: 'neither "-" nor a blank after the reply code',
  mixedCodes: 'the code changes inside a reply',
  longLine: 'a reply line is too long',
  manyLines: 'a reply has too many lines',
  longReply: 'a reply is too long',
  blankLines: 'too many empty lines before a reply',
  notOne: 'not exactly one reply',
};

/** The server does not speak SMTP, or not within our bounds. */
export class ReplySyntaxError extends Error {
  override readonly name = 'ReplySyntaxError';
  readonly reason: ReplySyntaxReason;
  /** The start of the offending line, safe to print. */
  readonly excerpt: string;

  constructor(reason: ReplySyntaxReason, offending: Uint8Array) {
    const excerpt = printable(Buffer.from(offending.subarray(0, 81)).toString('latin1'), 80);
    super(`${reasonTexts[reason]}: "${excerpt}"`);
    this.reason = reason;
    this.excerpt = excerpt;
  }
}
