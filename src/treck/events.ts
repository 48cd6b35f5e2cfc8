/** The events of the manual, and which of them an event of the client is. */
import type { SmtpEvent, SmtpEventName } from '../core/events.ts';

export const TM_SMTP_EVENT_CONNECTED = 1;
export const TM_SMTP_EVENT_SENDER_ACK = 2;
export const TM_SMTP_EVENT_RECIPIENT_ACK = 3;
export const TM_SMTP_EVENT_BOM_ACK = 4;
export const TM_SMTP_EVENT_EOM_ACK = 5;
/** The connection ended as asked. One that ended otherwise tells TIMEOUT, SECURE_FAIL or what is below. */
export const TM_SMTP_EVENT_DISCONNECTED = 6;
export const TM_SMTP_EVENT_SERVER_ERROR = 7;
export const TM_SMTP_EVENT_SERVER_RETRY = 8;
export const TM_SMTP_EVENT_TIMEOUT = 9;
export const TM_SMTP_EVENT_AUTH_OK = 10;
export const TM_SMTP_EVENT_AUTH_FAIL = 11;
export const TM_SMTP_EVENT_SECURE_OK = 12;
export const TM_SMTP_EVENT_SECURE_FAIL = 13;
export const TM_SMTP_EVENT_RESET = 14;
export const TM_SMTP_EVENT_NOOP_ACK = 15;
/**
 * Beyond the manual's fifteen: the connection has ended for a reason that none of them tells (the server closed it,
 * broke the protocol, cannot be reached). tfSmtpUserExecute returns which.
 */
export const TM_SMTP_EVENT_ERROR = 16;

const same: Readonly<Partial<Record<SmtpEventName, number>>> = {
  CONNECTED: TM_SMTP_EVENT_CONNECTED,
  SENDER_ACK: TM_SMTP_EVENT_SENDER_ACK,
  RECIPIENT_ACK: TM_SMTP_EVENT_RECIPIENT_ACK,
  BOM_ACK: TM_SMTP_EVENT_BOM_ACK,
  EOM_ACK: TM_SMTP_EVENT_EOM_ACK,
  SERVER_ERROR: TM_SMTP_EVENT_SERVER_ERROR,
  SERVER_RETRY: TM_SMTP_EVENT_SERVER_RETRY,
  AUTH_OK: TM_SMTP_EVENT_AUTH_OK,
  AUTH_FAIL: TM_SMTP_EVENT_AUTH_FAIL,
  SECURE_OK: TM_SMTP_EVENT_SECURE_OK,
  SECURE_FAIL: TM_SMTP_EVENT_SECURE_FAIL,
  RESET: TM_SMTP_EVENT_RESET,
  NOOP_ACK: TM_SMTP_EVENT_NOOP_ACK,
};

/**
 * Undefined where the manual has none.
 * @param refused the connection was refused by an event of its own
 */
export function eventNumber(event: SmtpEvent, refused: boolean): number | undefined {
  if (event.name !== 'DISCONNECTED') return same[event.name];
  const { reason } = event;
  if (reason === undefined) return TM_SMTP_EVENT_DISCONNECTED;
  // told when the line is closed, so that its callback may connect again
  if (reason.code === 'ETIMEDOUT') return TM_SMTP_EVENT_TIMEOUT;
  return refused || reason.code === 'ETLS' ? undefined : TM_SMTP_EVENT_ERROR;
}
