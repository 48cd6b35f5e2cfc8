/**
 * What a message has waiting in the ledger: an entry for each of its commands, once or once more. It knows no reply.
 */
import { commands } from '../wire/command.ts';
import { type Entry, entry, type Ledger, rcpts } from './ledger.ts';
import type { Mail } from './mail.ts';

const data = commands.data();

/** A step of the caller takes its place in the order. */
export function queue(command: 'MAIL' | 'RCPT' | 'DATA' | 'END', mail: Mail, ledger: Ledger): void {
  // what is added while it retreats goes with the rest of it
  if (mail.position.is.retreating && command !== 'END') return;
  switch (command) {
    case 'MAIL':
      return ledger.push(entry('mail', undefined, mail));
    case 'RCPT':
      return ledger.pushRecipient(mail);
    case 'DATA':
      return ledger.push(entry('data', data, mail));
    case 'END':
      if (mail.content) mail.content.ended = true;
      return;
    default:
      return command satisfies never;
  }
}

/** The whole message once more, as if it had not left: behind what was begun before it, and what has begun to leave. */
export function queueAgain(mail: Mail, ledger: Ledger): void {
  mail.goBack();
  const whole: Entry[] = [entry('mail', undefined, mail)];
  if (mail.recipients.length > 0) whole.push(rcpts(mail, 0, mail.recipients.length));
  if (mail.content !== undefined) whole.push(entry('data', data, mail));
  const { id } = mail.message;
  const goesAhead = ({ mail: other }: Entry): boolean =>
    other !== undefined && (other.message.id < id || other.hasBegun);
  ledger.pushBehind(whole, goesAhead);
}
