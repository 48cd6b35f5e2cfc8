/**
 * The begin of a message: what `sendBom` takes, and the header section that comes of it and of the envelope.
 * Pure; clock and chance are arguments.
 */
import { added, nothing } from '../core/lists.ts';
import type { Mail } from '../core/mail.ts';
import { SmtpUsageError } from '../errors.ts';
import { composeHeader, type HeaderFields, type Mailbox } from '../message/header.ts';
import { createMessageId } from '../message/id.ts';
import { quoted } from '../wire/characters.ts';

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

const keys = ['subject', 'date', 'headers', 'mime', 'raw'];
const none = new Uint8Array(0);

export interface Circumstances {
  readonly now: number;
  random(bytes: number): Uint8Array;
  /** Ours, for a message without a sender. */
  readonly localName: string;
}

/** The octets that the content begins with. Throws SmtpUsageError EINVAL, naming the option. */
export function headerFor(mail: Mail, options: BomOptions, circumstances: () => Circumstances): Uint8Array {
  checkBom(options);
  if (options.raw) return none;
  const at = circumstances();
  const { sender, addressees } = mail;
  const { path } = sender;
  let to: readonly Mailbox[] = nothing;
  let cc: readonly Mailbox[] = nothing;
  for (const { recipient } of addressees) {
    if (recipient.type === 'to') to = added(to, recipient);
    else if (recipient.type === 'cc') cc = added(cc, recipient);
  }
  const header = composeHeader({
    from: path.address === '' ? undefined : { address: path.address, name: sender.name },
    localName: at.localName,
    replyTo: sender.replyTo,
    to,
    cc,
    subject: options.subject,
    date: options.date ?? new Date(at.now),
    messageId: createMessageId(at.random, at.now, idDomain(mail, at.localName)),
    headers: options.headers,
    utf8: sender.parameters.smtputf8 === true,
  });
  return Buffer.from(options.mime ? header : `${header}\r\n`);
}

function checkBom(options: BomOptions): void {
  if (typeof options !== 'object' || options === null) {
    throw new SmtpUsageError('EINVAL', `${quoted(options)} is not an object`, 'bom');
  }
  for (const key in options) {
    if (!keys.includes(key)) throw new SmtpUsageError('EINVAL', `it has no ${quoted(key)}`, 'bom');
  }
  for (const key of ['mime', 'raw'] as const) {
    const value = options[key];
    if (value !== undefined && typeof value !== 'boolean') {
      throw new SmtpUsageError('EINVAL', `${quoted(value)} is not true or false`, `bom.${key}`);
    }
  }
  if (!options.raw) return;
  for (const key of ['subject', 'date', 'headers', 'mime'] as const) {
    if (options[key] !== undefined) {
      throw new SmtpUsageError('EINVAL', 'with raw the caller writes the whole header', `bom.${key}`);
    }
  }
}

/** The sender's domain where it is ASCII: what the message is filed under should be the sender's. */
function idDomain(mail: Mail, localName: string): string {
  const { domain } = mail.sender.path;
  return domain !== '' && Buffer.byteLength(domain) === domain.length ? domain : localName;
}
