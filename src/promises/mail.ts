/**
 * A whole mail as `send()` takes it, taken apart into what the steps take. What addresses and fields may be, the
 * steps decide.
 */
import { checkKeys, checkObject } from '../checks.ts';
import type { BomOptions } from '../client/begin.ts';
import type { RecipientOptions, SenderOptions } from '../client/envelope.ts';
import { SmtpUsageError } from '../errors.ts';
import type { Body } from './body.ts';

/** A string is one address. */
export type Recipients = string | RecipientOptions | readonly (string | RecipientOptions)[];

/** Envelope, header and body. The options of `sendBom` are its as well. */
export interface Mail extends BomOptions {
  readonly from: string | SenderOptions;
  readonly to?: Recipients | undefined;
  readonly cc?: Recipients | undefined;
  /** In no header. */
  readonly bcc?: Recipients | undefined;
  /** @default an empty one */
  readonly body?: Body | undefined;
}

const known: Readonly<Record<keyof Mail, true>> = {
  from: true,
  to: true,
  cc: true,
  bcc: true,
  body: true,
  subject: true,
  date: true,
  headers: true,
  mime: true,
  raw: true,
};

/** @throws SmtpUsageError EINVAL, naming what is missing or too much */
export function checkMail(mail: Mail): void {
  checkObject(mail, 'mail');
  checkKeys(mail, Object.keys(known), 'mail');
  if (recipientsOf(mail).length === 0) {
    throw new SmtpUsageError('EINVAL', 'a mail needs a recipient: give to, cc or bcc', 'mail');
  }
}

/** To, Cc and Bcc, in this order. A `type` of the recipient's own stands. */
export function recipientsOf({ to, cc, bcc }: Mail): RecipientOptions[] {
  return [...listed(to, 'to'), ...listed(cc, 'cc'), ...listed(bcc, 'bcc')];
}

/** What `sendBom` takes of it. */
export function bomOf({ subject, date, headers, mime, raw }: Mail): BomOptions {
  return { subject, date, headers, mime, raw };
}

function listed(given: Recipients = [], type: 'to' | 'cc' | 'bcc'): RecipientOptions[] {
  const list = isList(given) ? given : [given];
  return list.map((one) => (typeof one === 'string' ? { address: one, type } : { type, ...one }));
}

function isList(given: Recipients): given is readonly (string | RecipientOptions)[] {
  return Array.isArray(given);
}
