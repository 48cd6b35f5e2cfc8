/**
 * The steps with `await`, published as `smtpump/promises`: a thin layer over the client of the main entry, of which it
 * uses the public members only. Exports, nothing else.
 */
export type { Body } from './body.ts';
export { connect, SmtpConnection } from './connection.ts';
export type { Mail, Recipients } from './mail.ts';
export { type RecipientResult, type RecipientStatus, SendError, type SendResult } from './result.ts';
export type { CallOptions } from './signal.ts';
