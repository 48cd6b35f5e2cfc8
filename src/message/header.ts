/**
 * The header section that is written at the begin of a message (RFC 5322 §3.6): From, Reply-To, To, Cc, Subject,
 * Date, Message-ID, then the caller's own fields. Bcc is never among them. Pure: no clock, no chance, no SMTP.
 */
import { dateText } from './date.ts';
import { checkHeaderFields, fieldPieces, type HeaderFields, listFields } from './fields.ts';
import { foldField } from './fold.ts';
import { checkMessageId } from './id.ts';
import { type Mailbox, mailboxListPieces, mailboxPieces, textPieces } from './phrase.ts';
import { checkHeaderText } from './text.ts';

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
  /** A string goes as it is given; a number is milliseconds since the epoch. */
  readonly date: Date | number | string;
  /** With its angle brackets, as {@link createMessageId} makes it. */
  readonly messageId: string;
  /** A field named like one of ours takes its place; others follow in the order given. */
  readonly headers?: HeaderFields | undefined;
  /** The message goes by SMTPUTF8: addresses may be raw UTF-8 (RFC 6532). */
  readonly utf8: boolean;
}

/** Its line in the section, or `''` where it has none. */
type Line = (section: HeaderSection) => string;

/** The fields of ours in their order. */
const ours: readonly { readonly name: string; readonly line: Line }[] = [
  { name: 'From', line: fromLine },
  { name: 'Reply-To', line: replyToLine },
  { name: 'To', line: toLine },
  { name: 'Cc', line: ccLine },
  { name: 'Subject', line: subjectLine },
  { name: 'Date', line: dateLine },
  { name: 'Message-ID', line: idLine },
];

/**
 * The header section: lines end with CRLF, none is longer than 998 octets, most end by 78. The blank line that ends
 * the section is not written, so that MIME fields can follow. It is to be encoded in UTF-8, and is ASCII where the
 * message does not go by SMTPUTF8.
 *
 * @throws SmtpUsageError `EINVAL` for what {@link checkHeaderText} and {@link checkHeaderFields} refuse
 */
export function composeHeader(section: HeaderSection): string {
  const { headers } = section;
  let text = '';
  if (headers === undefined) {
    for (const { line } of ours) text += line(section);
    return text;
  }
  checkHeaderFields(headers, 'headers', section.utf8);
  const others = listFields(headers);
  for (const { name, line } of ours) {
    const own = line(section);
    const override = takeField(others, name);
    text += override === undefined ? own : foldField(override[0], fieldPieces(...override));
  }
  for (const [name, value] of others) text += foldField(name, fieldPieces(name, value));
  return text;
}

/** Takes the field of that name out of the list, if there is one. */
function takeField(fields: [string, string][], name: string): [string, string] | undefined {
  const at = fields.findIndex(([other]) => other.toLowerCase() === name.toLowerCase());
  return at < 0 ? undefined : fields.splice(at, 1)[0];
}

// Many messages have the sender, the subject and the date of the one before: such a line is folded once.

let last = { address: '', name: undefined as string | undefined, utf8: false, line: '' };

function fromLine({ from, localName, utf8 }: HeaderSection): string {
  const { address, name } = from ?? { address: `MAILER-DAEMON@${localName}`, name: undefined };
  if (last.address !== address || last.name !== name || last.utf8 !== utf8) {
    const line = foldField('From', mailboxPieces({ address, name }, utf8, 'from'));
    last = { address, name, utf8, line };
  }
  return last.line;
}

function replyToLine({ replyTo, utf8 }: HeaderSection): string {
  return replyTo === undefined ? '' : foldField('Reply-To', mailboxPieces(replyTo, utf8, 'replyTo'));
}

function toLine({ to, cc, utf8 }: HeaderSection): string {
  if (to.length > 0) return foldField('To', mailboxListPieces(to, utf8, 'to'));
  return cc.length > 0 ? '' : 'To: undisclosed-recipients:;\r\n';
}

function ccLine({ cc, utf8 }: HeaderSection): string {
  return cc.length === 0 ? '' : foldField('Cc', mailboxListPieces(cc, utf8, 'cc'));
}

let lastSubject = '';
let lastSubjectLine = '';

function subjectLine({ subject }: HeaderSection): string {
  if (subject === undefined) return '';
  if (subject !== lastSubject || lastSubjectLine === '') {
    checkHeaderText(subject, 'subject');
    lastSubjectLine = foldField('Subject', textPieces(subject));
    lastSubject = subject;
  }
  return lastSubjectLine;
}

let lastDate = '';
let lastDateLine = '';

function dateLine({ date }: HeaderSection): string {
  const text = dateText(date);
  if (text !== lastDate) {
    lastDateLine = foldField('Date', [text.trim()]);
    lastDate = text;
  }
  return lastDateLine;
}

function idLine({ messageId, utf8 }: HeaderSection): string {
  checkMessageId(messageId, utf8);
  return `Message-ID: ${messageId}\r\n`;
}
