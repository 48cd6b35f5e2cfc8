/**
 * Is a step legal now? Asks the charts, and puts their no into words. There is no second table of what is legal:
 * here stands only which word each step is.
 */
import type { ConnectionWord, MailWord, Step } from '../../machines/vocabulary.ts';
import { connectionChart, mailChart, mailWords, connectionWords as words } from '../core/charts.ts';
import type { Connection } from '../core/connection.ts';
import type { Mail } from '../core/mail.ts';
import type { Word } from '../core/walk.ts';
import { SmtpUsageError } from '../errors.ts';
import { quoted } from '../wire/characters.ts';

/** A step, and what it needs to be legal. */
export interface StepFacts {
  readonly name: Step;
  /** What the connection is asked. Facts of a word do not matter to legality. */
  readonly connection: Word<ConnectionWord>;
  /** What the newest message is asked. */
  readonly mail?: Word<MailWord>;
  /** What to do first, when the step came too early or too late. */
  readonly advice: string;
}

const onlyLeave = 'the login failed, or the connection is being closed';
export const steps: Readonly<Record<Step, StepFacts>> = {
  connect: {
    name: 'connect',
    connection: connectionChart.word({
      type: 'step.connect',
      tls: 'never',
      auth: false,
      token: false,
      lmtp: false,
    }),
    advice: 'disconnect() or abort() first, and wait for DISCONNECTED',
  },
  sendSender: {
    name: 'sendSender',
    connection: words['step.message'],
    mail: mailWords['step.next'],
    advice: 'end the message before with sendEom() or reset()',
  },
  sendRecipient: {
    name: 'sendRecipient',
    connection: words['step.message'],
    mail: mailWords['step.recipient'],
    advice: 'it follows sendSender(), and comes before sendBom()',
  },
  sendBom: {
    name: 'sendBom',
    connection: words['step.message'],
    mail: mailWords['step.bom'],
    advice: 'it comes once, after sendSender() and sendRecipient()',
  },
  // body bytes go round the chart: a tag says whether they may be given
  sendBody: {
    name: 'sendBody',
    connection: words['step.message'],
    advice: 'it follows sendBom(), and comes before sendEom()',
  },
  sendEom: {
    name: 'sendEom',
    connection: words['step.message'],
    mail: mailWords['step.eom'],
    advice: 'it comes once, after sendBom() and sendBody()',
  },
  reset: { name: 'reset', connection: words['step.reset'], advice: onlyLeave },
  noop: { name: 'noop', connection: words['step.noop'], advice: onlyLeave },
  disconnect: {
    name: 'disconnect',
    connection: connectionChart.word({ type: 'step.disconnect', open: false }),
    advice: 'call connect() first',
  },
  abort: { name: 'abort', connection: words['step.abort'], advice: 'call connect() first' },
};

/** Throws SmtpUsageError EINVAL for what is no step. */
export function stepNamed(step: Step): StepFacts {
  if (Object.hasOwn(steps, step)) return steps[step];
  throw new SmtpUsageError('EINVAL', `${quoted(step)} is not a step`, 'step');
}

export function isLegal(step: StepFacts, connection: Connection): boolean {
  // DISCONNECTED of the connection before is still to be told
  if (step === steps.connect && connection.outbox.hasEvents) return false;
  return connection.can(step.connection) && mailTakes(step, connection.transactions.newest);
}

function mailTakes(step: StepFacts, newest: Mail | undefined): boolean {
  if (step === steps.sendBody) return newest?.position.is.contentOpen === true;
  if (step.mail === undefined) return true;
  if (newest === undefined) return step === steps.sendSender;
  return mailChart.step(newest.position, step.mail) !== undefined;
}

/** The error of a step that is not legal, with the state that it met. */
export function illegal(step: StepFacts, state: string, connection: Connection): SmtpUsageError {
  const at = `${step.name}() in state '${state}'`;
  if (step === steps.connect) return new SmtpUsageError('EISCONN', `${at}: ${step.advice}`);
  const { is } = connection.position;
  if (is['public:disconnected']) return new SmtpUsageError('ENOTCONN', `${at}: call connect() first`);
  if (is['public:closing']) return new SmtpUsageError('ENOTCONN', `${at}: the connection is being closed`);
  if (!connection.can(words['step.message'])) {
    return new SmtpUsageError('EPERM', `${at}: the login failed; disconnect() or abort()`);
  }
  return new SmtpUsageError('EPERM', `${at}: ${step.advice}`);
}
