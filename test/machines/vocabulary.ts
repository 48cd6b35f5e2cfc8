/** Every word of both charts with every variant of its facts. A word that is missing here does not compile. */
import type { ConnectionPolicy, ConnectionWord, MailWord } from '../../machines/vocabulary.ts';

type Variants<E extends { readonly type: string }> = {
  readonly [K in E['type']]: readonly Extract<E, { readonly type: K }>[];
};

const either = [false, true] as const;
const plain = <const K extends string>(type: K): readonly [{ readonly type: K }] => [{ type }];

export const policies: readonly ConnectionPolicy[] = (
  ['never', 'optional', 'always', 'implicit'] as const
).flatMap((tls) =>
  either.flatMap((auth) => either.flatMap((token) => either.map((lmtp) => ({ tls, auth, token, lmtp })))),
);

const connectionVariants: Variants<ConnectionWord> = {
  'step.connect': policies.map((policy) => ({ type: 'step.connect', ...policy })),
  'step.message': plain('step.message'),
  'step.noop': plain('step.noop'),
  'step.reset': plain('step.reset'),
  'step.disconnect': either.map((open) => ({ type: 'step.disconnect', open })),
  'step.abort': plain('step.abort'),
  opened: plain('opened'),
  secured: plain('secured'),
  'secure.failed': plain('secure.failed'),
  'greeting.ok': plain('greeting.ok'),
  'greeting.refused': plain('greeting.refused'),
  'ehlo.ok': either.flatMap((starttls) => either.map((auth) => ({ type: 'ehlo.ok', starttls, auth }))),
  'ehlo.refused': either.map((helo) => ({ type: 'ehlo.refused', helo })),
  'helo.ok': plain('helo.ok'),
  'helo.refused': plain('helo.refused'),
  'starttls.ok': plain('starttls.ok'),
  'starttls.refused': plain('starttls.refused'),
  'token.ready': plain('token.ready'),
  'token.failed': plain('token.failed'),
  'auth.challenge': plain('auth.challenge'),
  'auth.invalid': plain('auth.invalid'),
  'auth.ok': plain('auth.ok'),
  'auth.unproved': plain('auth.unproved'),
  'auth.refused': either.map((more) => ({ type: 'auth.refused', more })),
  'auth.deferred': plain('auth.deferred'),
  'noop.ok': plain('noop.ok'),
  'noop.refused': plain('noop.refused'),
  'reset.ok': plain('reset.ok'),
  'reset.refused': plain('reset.refused'),
  cleared: plain('cleared'),
  'quit.answered': plain('quit.answered'),
  stuck: plain('stuck'),
  lost: either.map((quit) => ({ type: 'lost', quit })),
  timeout: plain('timeout'),
  shutdown: plain('shutdown'),
  violation: plain('violation'),
  closed: plain('closed'),
};

/** Words that the mail chart raises to itself: nobody else says them. */
export const raised = ['taken.reset', 'taken.leave'] as const;

const mailVariants: Variants<Exclude<MailWord, { readonly type: (typeof raised)[number] }>> = {
  'step.sender': plain('step.sender'),
  'step.recipient': plain('step.recipient'),
  'step.bom': plain('step.bom'),
  'step.eom': plain('step.eom'),
  'step.reset': plain('step.reset'),
  'step.leave': plain('step.leave'),
  'step.next': plain('step.next'),
  'mail.ok': plain('mail.ok'),
  'mail.refused': plain('mail.refused'),
  'mail.tooEarly': plain('mail.tooEarly'),
  'in.vain': plain('in.vain'),
  'rcpt.ok': plain('rcpt.ok'),
  'rcpt.refused': plain('rcpt.refused'),
  'data.go': plain('data.go'),
  'data.goNobody': plain('data.goNobody'),
  'data.refused': plain('data.refused'),
  'data.nobody': plain('data.nobody'),
  chunking: plain('chunking'),
  'chunk.ok': plain('chunk.ok'),
  'chunk.refused': plain('chunk.refused'),
  'verdict.ok': plain('verdict.ok'),
  'verdict.refused': plain('verdict.refused'),
  'verdicts.none': plain('verdicts.none'),
  'content.ok': plain('content.ok'),
  'content.refused': plain('content.refused'),
  'mail.unsupported': plain('mail.unsupported'),
  'rcpt.unsupported': plain('rcpt.unsupported'),
  'end.left': plain('end.left'),
  settled: plain('settled'),
  lost: plain('lost'),
};

export const connectionEvents: readonly ConnectionWord[] = Object.values(connectionVariants).flat();
export const mailEvents: readonly MailWord[] = Object.values(mailVariants).flat();
