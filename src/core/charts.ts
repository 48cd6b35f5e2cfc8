/**
 * The two charts as this process walks them, and their words. Whoever wants a decision takes a word from here.
 */
import { connectionMachine } from '../../machines/connection.ts';
import { mailMachine } from '../../machines/mail.ts';
import type { ConnectionFacts } from '../../machines/opening.ts';
import type {
  ConnectionDeed,
  ConnectionTag,
  ConnectionWord,
  MailDeed,
  MailTag,
  MailWord,
  Notice,
} from '../../machines/vocabulary.ts';
import { type Position, Walker, type Word } from './walk.ts';

export type ConnectionEffect = ConnectionDeed | Notice;
export type MailEffect = MailDeed | Notice;
export type ConnectionPosition = Position<ConnectionEffect, ConnectionTag, ConnectionFacts>;
export type MailPosition = Position<MailEffect, MailTag, unknown>;

export const connectionChart: Walker<ConnectionWord, ConnectionEffect, ConnectionTag, ConnectionFacts> =
  new Walker(connectionMachine);
export const mailChart: Walker<MailWord, MailEffect, MailTag, unknown> = new Walker(mailMachine);

/** The types of the words that carry no facts. */
type Plain<E extends { readonly type: string }> = E extends unknown
  ? [Exclude<keyof E, 'type'>] extends [never]
    ? E['type']
    : never
  : never;

/** Makes each word without facts once, so that using one is a property look-up. */
function plainWords<E extends { readonly type: string }, K extends Plain<E>>(
  chart: { word(event: E): Word<E> },
  types: readonly K[],
): Readonly<Record<K, Word<E>>> {
  // a type from `Plain` is the whole event
  const entries = types.map((type) => [type, chart.word({ type } as unknown as E)]);
  return Object.fromEntries(entries) as Record<K, Word<E>>;
}

export const connectionWords: Readonly<Record<Plain<ConnectionWord>, Word<ConnectionWord>>> = plainWords(
  connectionChart,
  [
    'step.message',
    'step.noop',
    'step.reset',
    'step.abort',
    'opened',
    'secured',
    'secure.failed',
    'greeting.ok',
    'greeting.refused',
    'helo.ok',
    'helo.refused',
    'starttls.ok',
    'starttls.refused',
    'token.ready',
    'token.failed',
    'auth.challenge',
    'auth.invalid',
    'auth.ok',
    'auth.unproved',
    'auth.deferred',
    'noop.ok',
    'noop.refused',
    'reset.ok',
    'reset.refused',
    'cleared',
    'quit.answered',
    'stuck',
    'timeout',
    'shutdown',
    'violation',
    'closed',
  ],
);

export const mailWords: Readonly<Record<Plain<MailWord>, Word<MailWord>>> = plainWords(mailChart, [
  'step.sender',
  'step.recipient',
  'step.bom',
  'step.eom',
  'step.reset',
  'step.leave',
  'step.next',
  'mail.ok',
  'mail.refused',
  'mail.tooEarly',
  'in.vain',
  'rcpt.ok',
  'rcpt.refused',
  'data.go',
  'data.goNobody',
  'data.refused',
  'data.nobody',
  'chunking',
  'chunk.ok',
  'chunk.refused',
  'verdict.ok',
  'verdict.refused',
  'verdicts.none',
  'content.ok',
  'content.refused',
  'taken.reset',
  'taken.leave',
  'mail.unsupported',
  'rcpt.unsupported',
  'end.left',
  'settled',
  'lost',
]);
