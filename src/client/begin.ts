/**
 * The begin of a message: what `sendBom` takes, and the header section that comes of it and of the envelope.
 * Pure; clock and chance are arguments.
 */
import { checkObject, flag, noSuch } from '../checks.ts';
import { type Clock, systemHex, systemRandom } from '../clock.ts';
import { added, nothing } from '../core/lists.ts';
import type { Mail } from '../core/mail.ts';
import type { ConnectionSettings } from '../core/settings.ts';
import { SmtpUsageError } from '../errors.ts';
import { composeHeader, type HeaderFields, type Mailbox } from '../message/header.ts';
import { chanceOctets, createMessageId } from '../message/id.ts';
import type { Path } from '../wire/address.ts';
import { isAscii } from '../wire/characters.ts';

export interface BomOptions {
  readonly subject?: string | undefined;
  /** A string goes as it is given. @default the clock's time, in UTC */
  readonly date?: Date | string | undefined;
  /** More fields, or others in place of the generated ones. */
  readonly headers?: HeaderFields | undefined;
  /** The header stays open: the caller sends the MIME header fields, a blank line and the body. @default false */
  readonly mime?: boolean | undefined;
  /** The caller sends every header field. @default false */
  readonly raw?: boolean | undefined;
}

const keys: readonly string[] = ['subject', 'date', 'headers', 'mime', 'raw'];

/** The text that the content begins with. Throws SmtpUsageError EINVAL, naming the option. */
export function headerFor(
  mail: Mail,
  options: BomOptions,
  settings: ConnectionSettings,
  clock: Clock,
): string {
  checkBom(options);
  if (options.raw) return '';
  const { sender, recipients } = mail;
  const { path } = sender;
  const now = clock.now();
  const localName = settings.localName ?? settings.fallbackName;
  let to: readonly Mailbox[] = nothing;
  let cc: readonly Mailbox[] = nothing;
  for (const recipient of recipients) {
    if (recipient.type === 'to') to = added(to, recipient);
    else if (recipient.type === 'cc') cc = added(cc, recipient);
  }
  const header = composeHeader({
    from: path.address === '' ? undefined : { address: path.address, name: sender.name },
    localName,
    replyTo: sender.replyTo,
    to,
    cc,
    subject: options.subject,
    date: options.date ?? now,
    messageId: createMessageId(chanceOf(settings), now, idDomain(path, localName)),
    headers: options.headers,
    utf8: sender.parameters.smtputf8 === true,
  });
  return options.mime ? header : `${header}\r\n`;
}

function chanceOf({ random }: ConnectionSettings): string {
  if (random === systemRandom) return systemHex(chanceOctets);
  return Buffer.from(random(chanceOctets)).toString('hex');
}

function checkBom(options: BomOptions): void {
  checkObject(options, 'bom');
  for (const key in options) {
    if (!keys.includes(key)) throw noSuch(key, keys, 'bom');
  }
  const { subject, date, headers, mime, raw } = options;
  flag(mime, 'bom.mime');
  flag(raw, 'bom.raw');
  // the section below takes milliseconds too, which are our own clock's
  if (typeof date === 'number') throw new SmtpUsageError('EINVAL', `not a date: ${date}`, 'date');
  if (raw && (subject ?? date ?? headers ?? mime) !== undefined) {
    const names = ['subject', 'date', 'headers', 'mime'] as const;
    const key = names.find((name) => options[name] !== undefined);
    throw new SmtpUsageError('EINVAL', 'with raw the caller writes the whole header', `bom.${key}`);
  }
}

/** The sender's domain where it is ASCII: what the message is filed under should be the sender's. */
function idDomain({ domain, utf8 }: Path, localName: string): string {
  return domain !== '' && !(utf8 && !isAscii(domain)) ? domain : localName;
}
