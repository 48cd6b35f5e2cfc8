/**
 * The names and codes of the Treck SMTP client, published as `smtpump/treck`: a thin translation onto the client of the
 * main entry. Pointers that are written through are boxes, `{ value }`. Exports, nothing else.
 */
export type { Box } from './box.ts';
export * from './codes.ts';
export {
  type SocketAddress,
  tfSmtpUserConnect,
  tfSmtpUserDisconnect,
  tfSmtpUserExecute,
  tfSmtpUserGetLastServerResponse,
  tfSmtpUserReadTimer,
  tfSmtpUserReset,
  tfSmtpUserSendNoop,
} from './connection.ts';
export { tfStrError } from './errors.ts';
export {
  TM_SMTP_EVENT_AUTH_FAIL,
  TM_SMTP_EVENT_AUTH_OK,
  TM_SMTP_EVENT_BOM_ACK,
  TM_SMTP_EVENT_CONNECTED,
  TM_SMTP_EVENT_DISCONNECTED,
  TM_SMTP_EVENT_EOM_ACK,
  TM_SMTP_EVENT_ERROR,
  TM_SMTP_EVENT_NOOP_ACK,
  TM_SMTP_EVENT_RECIPIENT_ACK,
  TM_SMTP_EVENT_RESET,
  TM_SMTP_EVENT_SECURE_FAIL,
  TM_SMTP_EVENT_SECURE_OK,
  TM_SMTP_EVENT_SENDER_ACK,
  TM_SMTP_EVENT_SERVER_ERROR,
  TM_SMTP_EVENT_SERVER_RETRY,
  TM_SMTP_EVENT_TIMEOUT,
} from './events.ts';
export type { SmtpHandle, ttSmtpClientHandle } from './handle.ts';
export {
  tfSmtpUserSendBody,
  tfSmtpUserSendBom,
  tfSmtpUserSendEom,
  tfSmtpUserSendRecipientInfo,
  tfSmtpUserSendSenderInfo,
} from './message.ts';
export {
  type MimeContent,
  type MimeMessage,
  type MimePart,
  tfMimeGetBody,
  tfMimeGetHeader,
  tfMimeNewMessage,
} from './mime.ts';
export type { EventCallback, NotifyCallback, SessionOptions } from './session.ts';
export {
  tfSmtpUserFreeSession,
  tfSmtpUserGetPointer,
  tfSmtpUserGetSessionOption,
  tfSmtpUserNewSession,
  tfSmtpUserSetAsyncCB,
  tfSmtpUserSetPointer,
  tfSmtpUserSetSessionOption,
} from './sessions.ts';
export { tfSmtpUserSetSockOpt } from './socket-options.ts';
export { type SslSession, tfSmtpUserSetSsl, tfSslNewSession } from './ssl.ts';
