/** Drives the client through mails, step by step from its events or all steps ahead, and keeps all it told. */
import { SmtpClient, type SmtpEvent } from 'smtpump';

type Options = ConstructorParameters<typeof SmtpClient>[0];

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly body: Buffer;
}

export interface Session {
  readonly events: readonly SmtpEvent[];
  /** Wire lines of the client, secrets masked. */
  readonly commands: readonly string[];
  /** Mails whose end had left and whose verdict was due, at the most. */
  readonly mostInFlight: number;
}

/** Sends the mails over one connection and leaves; resolves at DISCONNECTED, with whatever came before. */
export function mailStepByStep(options: Options, mails: readonly Mail[]): Promise<Session> {
  const client = new SmtpClient(options);
  const waiting = [...mails];
  let recipients: string[] = [];
  let body: Buffer = Buffer.alloc(0);

  const nextMail = (): void => {
    const mail = waiting[0];
    if (mail === undefined) {
      client.disconnect();
      return;
    }
    recipients = [...mail.to];
    body = mail.body;
    client.sendSender(mail.from);
  };
  const nextRecipient = (): void => {
    const recipient = recipients.shift();
    const subject = waiting[0]?.subject;
    if (recipient !== undefined) client.sendRecipient(recipient);
    else client.sendBom({ subject, headers: plainText });
  };
  const moreBody = (): void => {
    body = body.subarray(client.sendBody(body));
    if (body.length > 0) return;
    waiting.shift();
    client.sendEom();
  };
  return hear(client, (event) => {
    if (event.name === 'CONNECTED' || event.name === 'EOM_ACK') nextMail();
    else if (event.name === 'SENDER_ACK' || event.name === 'RECIPIENT_ACK') nextRecipient();
    else if (event.name === 'BOM_ACK') moreBody();
    else if (event.name === 'DRAIN') moreBody();
    else if (event.name === 'SERVER_ERROR' && event.step === 'sendRecipient') nextRecipient();
    else if (event.name === 'SERVER_ERROR' || event.name === 'SERVER_RETRY') client.disconnect();
    else if (event.name === 'AUTH_FAIL') client.disconnect();
  });
}

/** Calls every step at once, before the line is up. The bodies must be small enough to be taken whole. */
export function mailAhead(options: Options, mails: readonly Mail[]): Promise<Session> {
  const client = new SmtpClient(options);
  // QUIT then waits for the verdicts of all that has ended
  const done = hear(client, (event) => {
    if (event.name === 'CONNECTED') client.disconnect();
  });
  for (const mail of mails) {
    client.sendSender(mail.from);
    for (const recipient of mail.to) client.sendRecipient(recipient);
    client.sendBom({ subject: mail.subject, headers: plainText });
    if (client.sendBody(mail.body) !== mail.body.length) throw new Error('the body is too long for this');
    client.sendEom();
  }
  return done;
}

const plainText = { 'MIME-Version': '1.0', 'Content-Type': 'text/plain; charset=utf-8' };

const over = (event: SmtpEvent): boolean =>
  event.name === 'EOM_ACK' || ('step' in event && (event.step === 'sendBom' || event.step === 'sendEom'));

function hear(client: SmtpClient, act: (event: SmtpEvent) => void): Promise<Session> {
  return new Promise((resolve, reject) => {
    const events: SmtpEvent[] = [];
    const commands: string[] = [];
    const inFlight = new Set<number>();
    let mostInFlight = 0;
    client.on('COMMAND', ({ line, message }) => {
      commands.push(line);
      if (message && (line === '.' || line.endsWith(' LAST'))) inFlight.add(message.id);
      mostInFlight = Math.max(mostInFlight, inFlight.size);
    });
    client.on('event', (event) => {
      events.push(event);
      if ('message' in event && event.message && over(event)) inFlight.delete(event.message.id);
      if (event.name === 'DISCONNECTED') resolve({ events, commands, mostInFlight });
      try {
        act(event);
      } catch (error) {
        reject(error);
      }
    });
    client.connect();
  });
}

/** The names in order, DRAIN left out: how often it comes is up to the sockets. */
export function namesOf(session: Session): string[] {
  return session.events.map((event) => event.name).filter((name) => name !== 'DRAIN');
}
