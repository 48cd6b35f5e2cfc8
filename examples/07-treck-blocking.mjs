// @ts-check
/**
 * The Treck names in blocking mode: each call returns when the server has answered. The calls and their order are
 * those of the manual's blocking sample; after a failure the line is left before the session is freed.
 * `node examples/07-treck-blocking.mjs` talks to a server in another thread; with `--host …` to yours.
 */
import {
  TM_BLOCKING_ON,
  TM_ENOERROR,
  TM_SMTP_RECIPIENT_TYPE_BCC,
  TM_SMTP_RECIPIENT_TYPE_CC,
  TM_SMTP_RECIPIENT_TYPE_TO,
  tfSmtpUserConnect,
  tfSmtpUserDisconnect,
  tfSmtpUserFreeSession,
  tfSmtpUserNewSession,
  tfSmtpUserSendBody,
  tfSmtpUserSendBom,
  tfSmtpUserSendEom,
  tfSmtpUserSendRecipientInfo,
  tfSmtpUserSendSenderInfo,
  tfStrError,
} from 'smtpump/treck';
import { findServer } from './support/elsewhere.mjs';

const { server, from, to, close } = await findServer();
const recipients = /** @type {const} */ ([
  [TM_SMTP_RECIPIENT_TYPE_TO, to],
  [TM_SMTP_RECIPIENT_TYPE_CC, 'bob@receiver.example'],
  [TM_SMTP_RECIPIENT_TYPE_BCC, 'cid@receiver.example'],
]);
const body = Buffer.from('Measured: 21.5 degrees.\r\n'.repeat(1000));

let turns = 0;
setImmediate(() => turns++);

const error = { value: TM_ENOERROR };
const session = tfSmtpUserNewSession('device-7.example', null, 30, TM_BLOCKING_ON, error);
let errorCode = error.value;
if (errorCode === TM_ENOERROR) errorCode = sendSimple();
tfSmtpUserFreeSession(session);

console.log(`result: ${tfStrError(errorCode)}; the event loop turned ${turns} times`);
process.exitCode = errorCode === TM_ENOERROR ? 0 : 1;
for (const message of await close()) console.log(`received: ${message.length} octets`);

/** One mail on one connection; the first error ends it. */
function sendSimple() {
  let code = tfSmtpUserConnect(session, server, null, null);
  if (code === TM_ENOERROR) code = tfSmtpUserSendSenderInfo(session, 'Device 7', from, null, null);
  for (const [type, address] of recipients) {
    if (code === TM_ENOERROR) code = tfSmtpUserSendRecipientInfo(session, null, address, type);
  }
  if (code === TM_ENOERROR)
    code = tfSmtpUserSendBom(session, 'Blocking', 'Sun, 22 Nov 2026 05:15:00 +0000', 0);

  let rest = body;
  while (code === TM_ENOERROR && rest.length > 0) {
    const sent = tfSmtpUserSendBody(session, rest, rest.length, error);
    code = error.value;
    rest = rest.subarray(sent);
  }
  if (code === TM_ENOERROR) code = tfSmtpUserSendEom(session);

  const left = tfSmtpUserDisconnect(session);
  return code === TM_ENOERROR ? left : code;
}
