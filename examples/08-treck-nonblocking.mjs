// @ts-check
/**
 * The Treck names in non-blocking mode: a callback that answers each event with the next call, and a foreground loop
 * that does nothing but `tfSmtpUserExecute` and never returns to Node's event loop. The calls and their order are those
 * of the manual's non-blocking sample; here a refused recipient does not end the mail, a full line is waited for, and
 * every result is looked at.
 * `node examples/08-treck-nonblocking.mjs` talks to a server in another thread; with `--host …` to yours.
 */
import * as tm from 'smtpump/treck';
import { findServer } from './support/elsewhere.mjs';

const { server, from, to, close } = await findServer();
const recipients = [
  { address: to, type: tm.TM_SMTP_RECIPIENT_TYPE_TO },
  { address: 'bob@receiver.example', type: tm.TM_SMTP_RECIPIENT_TYPE_CC },
  { address: 'cid@receiver.example', type: tm.TM_SMTP_RECIPIENT_TYPE_BCC },
];
const text = ['Hello.\r\n', 'Measured: 21.5 degrees.\r\n'.repeat(20_000), 'Bye-bye.\r\n'];
/** What is left to send; undefined unless the body is open. @type {Buffer | undefined} */
let rest;
/** The sender was accepted, and the message has not begun. */
let addressing = false;
let inProgress = true;
let errorCode = tm.TM_ENOERROR;
let accepted = 0;

let turns = 0;
setImmediate(() => turns++);

const error = { value: tm.TM_ENOERROR };
const session = tm.tfSmtpUserNewSession('device-7.example', onEvent, 30, tm.TM_BLOCKING_OFF, error);
check(error.value);
check(tm.tfSmtpUserConnect(session, server, null, null));

while (inProgress) {
  const code = tm.tfSmtpUserExecute(session);
  // the line is free again, or an action has its result, which is good unless the callback knew what to do about it
  if (rest !== undefined && code === tm.TM_ENOERROR) sendBody();
  else check(code);
}

console.log(
  `result: ${tm.tfStrError(errorCode)}; ${accepted} recipients; the event loop turned ${turns} times`,
);
if (errorCode !== tm.TM_ENOERROR) console.log(tm.tfSmtpUserGetLastServerResponse(session)?.code);
tm.tfSmtpUserFreeSession(session);
process.exitCode = errorCode === tm.TM_ENOERROR ? 0 : 1;
for (const message of await close()) console.log(`received: ${message.length} octets`);

/** @type {tm.EventCallback} */
function onEvent(handle, event) {
  switch (event) {
    case tm.TM_SMTP_EVENT_CONNECTED:
      return check(tm.tfSmtpUserSendSenderInfo(handle, 'Device 7', from, null, null));
    case tm.TM_SMTP_EVENT_RECIPIENT_ACK:
      accepted++;
      return nextRecipient();
    case tm.TM_SMTP_EVENT_SENDER_ACK:
      addressing = true;
      return nextRecipient();
    case tm.TM_SMTP_EVENT_SERVER_ERROR:
    case tm.TM_SMTP_EVENT_SERVER_RETRY:
      if (addressing) nextRecipient(); // any other refusal is the loop's to see
      return;
    case tm.TM_SMTP_EVENT_BOM_ACK:
      rest = Buffer.from(text.join(''));
      return sendBody();
    case tm.TM_SMTP_EVENT_EOM_ACK:
      return check(tm.tfSmtpUserDisconnect(handle));
    case tm.TM_SMTP_EVENT_DISCONNECTED:
      inProgress = false;
  }
}

/** After the last one the message begins. With nobody accepted it does not, and the loop sees the last refusal. */
function nextRecipient() {
  const next = recipients.shift();
  if (next !== undefined)
    return check(tm.tfSmtpUserSendRecipientInfo(session, null, next.address, next.type));
  addressing = false;
  if (accepted > 0) {
    check(tm.tfSmtpUserSendBom(session, 'Non-blocking', 'Sun, 22 Nov 2026 05:15:00 +0000', 0));
  }
}

/** As much as the line takes, then the end; a full line is for the loop to wait for. */
function sendBody() {
  while (rest !== undefined && rest.length > 0) {
    rest = rest.subarray(tm.tfSmtpUserSendBody(session, rest, rest.length, error));
    if (error.value === tm.TM_EINPROGRESS) return;
    if (error.value !== tm.TM_ENOERROR) return check(error.value);
  }
  rest = undefined;
  check(tm.tfSmtpUserSendEom(session));
}

/** Anything but good or in progress ends the loop. @param {number} code */
function check(code) {
  if (code === tm.TM_ENOERROR || code === tm.TM_EINPROGRESS) return;
  errorCode = code;
  inProgress = false;
}
