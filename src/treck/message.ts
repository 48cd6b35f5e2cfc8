/** The functions of a message, by the manual's names and in its order. */
import type { Recipient } from '../core/events.ts';
import { type Box, put } from './box.ts';
import * as codes from './codes.ts';
import { type ttSmtpClientHandle, withSession } from './handle.ts';

/** As much of a body as one call takes: what fits into a segment of an Ethernet. */
const packetBytes = 1460;

/** MAIL FROM; the names and the reply-to address go to the header. */
export function tfSmtpUserSendSenderInfo(
  handle: ttSmtpClientHandle,
  senderName: string | null,
  senderAddress: string,
  replyToName: string | null,
  replyToAddress: string | null,
): number {
  const replyTo =
    replyToAddress === null ? undefined : { address: replyToAddress, name: replyToName ?? undefined };
  const sender = { address: senderAddress, name: senderName ?? undefined, replyTo };
  return withSession(handle, (session) => session.act((client) => client.sendSender(sender)));
}

const types: Readonly<Record<number, Recipient['type']>> = {
  [codes.TM_SMTP_RECIPIENT_TYPE_TO]: 'to',
  [codes.TM_SMTP_RECIPIENT_TYPE_CC]: 'cc',
  [codes.TM_SMTP_RECIPIENT_TYPE_BCC]: 'bcc',
};

/** RCPT TO, once for each recipient; a BCC recipient is in no header. */
export function tfSmtpUserSendRecipientInfo(
  handle: ttSmtpClientHandle,
  recipientName: string | null,
  recipientAddress: string,
  recipientType: number,
): number {
  return withSession(handle, (session) => {
    const type = types[recipientType];
    if (type === undefined) return codes.TM_EINVAL;
    const recipient = { address: recipientAddress, name: recipientName ?? undefined, type };
    return session.actOnMessage((client) => client.sendRecipient(recipient));
  });
}

/**
 * Begin of message: DATA and the header.
 * @param dateTime goes as it is given; null: now
 * @param flags 0 or TM_SMTP_FLAG_MIME
 */
export function tfSmtpUserSendBom(
  handle: ttSmtpClientHandle,
  subject: string | null,
  dateTime: string | null,
  flags: number,
): number {
  return withSession(handle, (session) => {
    if (flags !== 0 && flags !== codes.TM_SMTP_FLAG_MIME) return codes.TM_EINVAL;
    const mime = flags === codes.TM_SMTP_FLAG_MIME;
    const options = { subject: subject ?? undefined, date: dateTime ?? undefined, mime };
    return session.actOnMessage((client) => client.sendBom(options));
  });
}

/**
 * A piece of the message's text, of which one packet at most is taken (and copied). No command, no reply.
 *
 * @param errorCodePtr TM_ENOERROR; TM_EINPROGRESS: the line is full, call tfSmtpUserExecute until it no longer says so;
 *   TM_EPERM: not between the begin and the end of a message, or it was refused
 * @returns octets taken
 */
export function tfSmtpUserSendBody(
  handle: ttSmtpClientHandle,
  data: Uint8Array,
  length: number,
  errorCodePtr?: Box<number> | null,
): number {
  let taken = 0;
  const errorCode = withSession(handle, (session) => {
    if (!(data instanceof Uint8Array) || !Number.isInteger(length) || length < 0) return codes.TM_EINVAL;
    if (!session.hasMessage) return codes.TM_EPERM;
    const octets = Uint8Array.prototype.slice.call(data, 0, Math.min(length, packetBytes));
    taken = session.sendBody(octets);
    if (!session.isOnline || !session.hasMessage) return session.result; // lost or refused meanwhile
    return taken === octets.length ? codes.TM_ENOERROR : codes.TM_EINPROGRESS;
  });
  put(errorCodePtr, errorCode);
  return taken;
}

/** End of message. Its acknowledgement is the proof that the server has it; TM_EPERM for one that was refused. */
export function tfSmtpUserSendEom(handle: ttSmtpClientHandle): number {
  return withSession(handle, (session) => session.actOnMessage((client) => client.sendEom()));
}
