/**
 * The MIME engine: a message of parts, pulled out in pieces. It is nodemailer's composer, and knows no session; a
 * session knows nothing of it. Paths and URLs are not opened: contents are given.
 */
import MailComposer from 'nodemailer/lib/mail-composer';

/** One part beside the text. */
export interface MimePart {
  readonly content: string | Uint8Array;
  readonly filename?: string | undefined;
  /** @default by the file name, else application/octet-stream */
  readonly contentType?: string | undefined;
  /** Inline parts are shown where they stand. @default 'attachment' */
  readonly disposition?: 'inline' | 'attachment' | undefined;
  /** By which HTML refers to it, as `cid:…`. */
  readonly cid?: string | undefined;
}

export interface MimeContent {
  readonly text?: string | undefined;
  readonly html?: string | undefined;
  readonly parts?: readonly MimePart[] | undefined;
}

declare const inside: unique symbol;

/** A composed message, of which some may have been pulled. */
export interface MimeMessage {
  readonly [inside]?: never;
}

interface Rest {
  header: Uint8Array;
  body: Uint8Array;
}

const messages = new WeakMap<MimeMessage, Rest>();

/**
 * Composes a message. The composer needs Node's event loop: await it before a loop begins that never returns there.
 * From then on the getters need nothing.
 */
export async function tfMimeNewMessage({ text, html, parts = [] }: MimeContent): Promise<MimeMessage> {
  const attachments = parts.map(({ content, filename, contentType, disposition, cid }) => ({
    content: typeof content === 'string' ? content : Buffer.from(content),
    ...(filename !== undefined && { filename }),
    ...(contentType !== undefined && { contentType }),
    ...(disposition !== undefined && { contentDisposition: disposition }),
    ...(cid !== undefined && { cid }),
  }));
  const composer = new MailComposer({
    ...(text !== undefined && { text }),
    ...(html !== undefined && { html }),
    attachments,
    newline: 'windows',
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const whole = await composer.compile().build();
  const end = whole.indexOf('\r\n\r\n');
  const fields = whole.toString('utf8', 0, end).split(/\r\n(?![\t ])/);
  // the session writes the rest of the header
  const own = fields.filter((field) => /^(?:MIME-Version|Content-[^:]*):/i.test(field));
  const message: MimeMessage = Object.freeze({});
  messages.set(message, {
    header: Buffer.from(`${own.join('\r\n')}\r\n\r\n`),
    body: whole.subarray(end + 4),
  });
  return message;
}

/**
 * The next piece of the MIME fields and of the blank line behind them; they go first, by tfSmtpUserSendBody.
 * @returns octets written into `buffer`, at most `length`; 0: that was all
 */
export function tfMimeGetHeader(message: MimeMessage, buffer: Uint8Array, length: number): number {
  return pull(message, 'header', buffer, length);
}

/**
 * The next piece of the encoded parts.
 * @returns octets written into `buffer`, at most `length`; 0: that was all
 */
export function tfMimeGetBody(message: MimeMessage, buffer: Uint8Array, length: number): number {
  return pull(message, 'body', buffer, length);
}

function pull(message: MimeMessage, of: keyof Rest, buffer: Uint8Array, length: number): number {
  const rest = messages.get(message);
  if (rest === undefined) return 0;
  const piece = rest[of].subarray(0, Math.max(0, Math.min(length, buffer.length)));
  buffer.set(piece);
  rest[of] = rest[of].subarray(piece.length);
  return piece.length;
}
