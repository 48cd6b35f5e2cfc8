/**
 * The header section that is written at the begin of a message (RFC 5322 §3.6): From, Reply-To, To, Cc, Subject,
 * Date, Message-ID, then the caller's own fields. Bcc is never among them. Pure: no clock, no chance, no SMTP.
 */
import { SmtpUsageError } from '../errors.ts';
import { dateText } from './date.ts';
import { checkHeaderFields, fieldPieces, type HeaderFields, listFields } from './fields.ts';
import { foldField } from './fold.ts';
import { type Mailbox, mailboxListPieces, mailboxPieces, textPieces } from './phrase.ts';
import { checkHeaderText, isPlain } from './text.ts';

export type { HeaderFields } from './fields.ts';
export type { Mailbox } from './phrase.ts';

export interface HeaderSection {
  /**
   * Undefined for the null reverse-path. RFC 5322 wants a From all the same: it is then `MAILER-DAEMON@` the local
   * name, as the notices of mail servers have it.
   */
  readonly from: Mailbox | undefined;
  /** Our checked host name or address literal, for the From of the null reverse-path. */
  readonly localName: string;
  readonly replyTo?: Mailbox | undefined;
  /** With neither To nor Cc, `To: undisclosed-recipients:;` is written (RFC 5322 §3.4, an empty group). */
  readonly to: readonly Mailbox[];
  readonly cc: readonly Mailbox[];
  /** No Subject field without it. ASCII goes as it is given, other text becomes encoded words. */
  readonly subject?: string | undefined;
  /** A string goes as it is given. */
  readonly date: Date | string;
  /** With its angle brackets, as {@link createMessageId} makes it. */
  readonly messageId: string;
  /** A field named like one of ours takes its place; others follow in the order given. */
  readonly headers?: HeaderFields | undefined;
  /** The message goes by SMTPUTF8: addresses may be raw UTF-8 (RFC 6532). */
  readonly utf8: boolean;
}

/**
 * The header section: lines end with CRLF, none is longer than 998 octets, most end by 78. The blank line that ends
 * the section is not written, so that MIME fields can follow. It is to be encoded in UTF-8.
 *
 * @throws SmtpUsageError `EINVAL` for what {@link checkHeaderText} and {@link checkHeaderFields} refuse
 */
export function composeHeader(section: HeaderSection): string {
  const { headers } = section;
  if (headers !== undefined) checkHeaderFields(headers, 'headers', section.utf8);
  const others = headers === undefined ? [] : listFields(headers);
  let text = '';
  generate(section, (name, pieces) => {
    const override = others.length === 0 ? undefined : takeField(others, name);
    if (override !== undefined) text += foldField(override[0], fieldPieces(...override));
    else if (pieces !== undefined) text += foldField(name, pieces);
  });
  for (const [name, value] of others) text += foldField(name, fieldPieces(name, value));
  return text;
}

/** Takes the field of that name out of the list, if there is one. */
function takeField(fields: [string, string][], name: string): [string, string] | undefined {
  const at = fields.findIndex(([other]) => other.toLowerCase() === name.toLowerCase());
  return at < 0 ? undefined : fields.splice(at, 1)[0];
}

/** Every field of ours in its order; without pieces where the section has none. */
function generate(
  section: HeaderSection,
  field: (name: string, pieces: readonly string[] | undefined) => void,
): void {
  const { replyTo, to, cc, subject, utf8 } = section;
  const from = section.from ?? { address: `MAILER-DAEMON@${section.localName}` };
  if (subject !== undefined) checkHeaderText(subject, 'subject');
  field('From', mailboxPieces(from, utf8, 'from'));
  field('Reply-To', replyTo && mailboxPieces(replyTo, utf8, 'replyTo'));
  field('To', toPieces(to, cc, utf8));
  field('Cc', cc.length === 0 ? undefined : mailboxListPieces(cc, utf8, 'cc'));
  field('Subject', subject === undefined ? undefined : textPieces(subject));
  field('Date', [dateText(section.date).trim()]);
  field('Message-ID', [checkedId(section.messageId, utf8)]);
}

function toPieces(to: readonly Mailbox[], cc: readonly Mailbox[], utf8: boolean): string[] | undefined {
  if (to.length > 0) return mailboxListPieces(to, utf8, 'to');
  return cc.length > 0 ? undefined : ['undisclosed-recipients:;'];
}

/** As nearly all ids are, ours among them. */
const ordinaryId = /^<[!-;=?A-~]{1,200}@[!-;=?A-~]{1,200}>$/;

function checkedId(id: string, utf8: boolean): string {
  if (typeof id === 'string' && ordinaryId.test(id)) return id;
  checkHeaderText(id, 'messageId');
  if (!/^<[^\s<>@]+@[^\s<>@]+>$/.test(id) || id.length > 900 || !(utf8 || isPlain(id))) {
    throw new SmtpUsageError('EINVAL', `not a message id with its angle brackets: "${id}"`, 'messageId');
  }
  return id;
}
