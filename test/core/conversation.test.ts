/**
 * What must be true of every conversation (architecture §8), within bounds: whatever the caller calls, the server
 * answers and the line does, in whatever order. Here the charts meet the ledger, so only words come that can come.
 */
import { describe, expect, it } from 'vitest';
import { type SmtpEvent, SmtpUsageError } from '../../src/index.ts';
import { mailGraph } from '../machines/graph.ts';
import { answeredSteps } from '../support/steps.ts';
import { type Bounds, type Conversation, conversations } from './conversation.ts';

const bounds: readonly Bounds[] = [
  { pipelining: true, lmtp: false, messages: 1, recipients: 2, resets: 1 },
  { pipelining: false, lmtp: false, messages: 1, recipients: 2, resets: 1 },
  { pipelining: true, lmtp: true, messages: 1, recipients: 2, resets: 1 },
  { pipelining: true, lmtp: false, messages: 2, recipients: 1, resets: 0 },
  { pipelining: true, lmtp: false, messages: 2, recipients: 1, resets: 0, early: 1 },
  { pipelining: false, lmtp: false, messages: 2, recipients: 1, resets: 0 },
  { pipelining: true, lmtp: false, messages: 1, recipients: 2, resets: 1, chunking: true },
  { pipelining: false, lmtp: false, messages: 1, recipients: 2, resets: 1, chunking: true },
  { pipelining: true, lmtp: true, messages: 1, recipients: 2, resets: 1, chunking: true },
  { pipelining: true, lmtp: false, messages: 2, recipients: 1, resets: 0, chunking: true, early: 1 },
  ...(process.env.SMTPUMP_LONG === undefined
    ? []
    : [
        { pipelining: true, lmtp: false, messages: 2, recipients: 1, resets: 1 },
        { pipelining: true, lmtp: true, messages: 2, recipients: 2, resets: 0 },
        { pipelining: true, lmtp: false, messages: 2, recipients: 1, resets: 1, chunking: true, early: 1 },
        { pipelining: true, lmtp: true, messages: 2, recipients: 2, resets: 0, chunking: true, early: 1 },
      ]),
];

type Rule = (conversation: Conversation) => string | undefined;

const isOf = (id: number) => (event: SmtpEvent) => 'message' in event && event.message?.id === id;
const outcomeOf = ({ at }: Conversation, id: number): string =>
  /answered\.(delivered|refused|withdrawn|unsent|unknown)$/.exec(at.get(id) ?? '')?.[1] ?? 'open';

/** One letter an event: S R B E are acknowledged, s r b e refused. */
function story({ events }: Conversation, id: number): string {
  const letters: Readonly<Record<string, string>> = {
    SENDER_ACK: 'S',
    RECIPIENT_ACK: 'R',
    BOM_ACK: 'B',
    EOM_ACK: 'E',
    sendSender: 's',
    sendRecipient: 'r',
    sendBom: 'b',
    sendEom: 'e',
  };
  const mine = events.filter(isOf(id));
  return mine.map((event) => letters['step' in event ? event.step : event.name] ?? '?').join('');
}

const unfinished = ({ events }: Conversation): string[] =>
  events.flatMap((event) =>
    event.name === 'DISCONNECTED'
      ? event.messages.map(({ message, outcome }) => `${message.id} ${outcome}`)
      : [],
  );

/** Each says what is wrong with a conversation. */
const rules: Readonly<Record<string, Rule>> = {
  'the client says nothing that no client may say (TK34)': ({ server }) => server.wrongs[0],

  'no answer that may come is taken for a violation (TK61, S13)': ({ events }) => {
    const last = events.at(-1);
    return last?.name === 'DISCONNECTED' && last.reason?.code === 'ESERVERSYNC'
      ? String(last.reason)
      : undefined;
  },

  'connect() ends in one DISCONNECTED, the last thing told (truth 1)': ({ events, server }) => {
    const at = events.findIndex(({ name }) => name === 'DISCONNECTED');
    if (at < 0) return server.closed ? 'closed, and not told' : undefined;
    return at === events.length - 1 && server.closed ? undefined : 'something came after it';
  },

  'a line that is lost, or left when nothing is due, is disconnected (truth 4, TK17)': (conversation) => {
    const { ended, server, moves } = conversation;
    const left = moves.includes('lost') || (moves.includes('disconnect') && server.due.length === 0);
    return left && !ended ? 'still connected' : undefined;
  },

  'nothing hangs: when nothing is due, only the caller is waited for': (conversation) => {
    const { ended, server, client, messages, events } = conversation;
    if (ended || server.due.length > 0) return undefined;
    const building = /^(sender|recipients|body)$/.test(client.state);
    if (server.inContent && client.state !== 'body') return `the server waits for content, ${client.state}`;
    const hanging = messages.find(({ id }, i) => {
      const mayWait = building && i === messages.length - 1;
      return outcomeOf(conversation, id) === 'open' && !mayWait;
    });
    if (hanging) return `message ${hanging.id} has no outcome`;
    const resets = events.filter(({ name }) => name === 'RESET').length;
    return resets === conversation.count('reset') ? undefined : 'RESET was not told';
  },

  'every message has one outcome when all is over (truth 2, TK71)': (conversation) => {
    const { ended, messages } = conversation;
    const open = messages.filter(({ id }) => ended && outcomeOf(conversation, id) === 'open');
    return open.length === 0 ? undefined : `${open.length} without`;
  },

  'and the caller is told that outcome, and no other (truth 2, TK32, TK33, TK71)': (conversation) => {
    for (const { id } of conversation.messages) {
      const outcome = outcomeOf(conversation, id);
      const told = story(conversation, id);
      const listed = unfinished(conversation).filter((text) => text.startsWith(`${id} `));
      const isListed = outcome === 'unsent' || outcome === 'unknown';
      // a message can be taken back for good only where the line stays: unsent is told at its end
      const expected = isListed && conversation.ended ? [`${id} ${outcome}`] : [];
      if (listed.join() !== expected.join()) return `${outcome}, listed as ${listed.join() || 'nothing'}`;
      if (told.includes('E') !== (outcome === 'delivered')) return `${outcome}, told ${told}`;
      if (/[sbe]$/.test(told) && !['refused', 'open'].includes(outcome) && !/e/.test(told))
        return `${outcome}, told ${told}`;
      if (outcome === 'refused' && !/[sbe]$/.test(told)) return `${outcome}, told ${told}`;
    }
    return undefined;
  },

  'events of a message keep the order of its steps (TK34, TK36)': (conversation) => {
    const { client, messages } = conversation;
    const lmtp = conversation.server.lmtp;
    const whole = lmtp ? /^(?:s|S[Rr]*(?:b|Be*E?)?)?$/ : /^(?:s|S[Rr]*(?:b|B[Ee]?)?)?$/;
    const wrong = messages.map(({ id }) => story(conversation, id)).find((told) => !whole.test(told));
    return wrong && `${wrong}, ${client.state}`;
  },

  'each recipient is answered for once, in order, and stands once in EOM_ACK (truth 2, TK36, TK37)': ({
    events,
    messages,
  }) => {
    for (const { id, recipients } of messages) {
      const mine = events.filter(isOf(id));
      const answered = mine.flatMap((event) => {
        const isAnswer =
          event.name === 'RECIPIENT_ACK' || ('step' in event && event.step === 'sendRecipient');
        return isAnswer && 'recipient' in event ? [event.recipient?.id] : [];
      });
      if (answered.join() !== recipients.slice(0, answered.length).join())
        return `answered ${answered.join()}`;
      for (const event of mine) {
        if (event.name !== 'EOM_ACK') continue;
        const ids = [...event.accepted, ...event.rejected].map((recipient) => recipient.id);
        if (ids.sort().join() !== recipients.join() || event.accepted.length === 0)
          return `EOM_ACK of ${ids.join()}`;
      }
    }
    return undefined;
  },

  'what the server took is told as taken, as often as it took it (TK32)': ({ events, server }) => {
    const taken = events.map((event) => (event.name === 'EOM_ACK' ? event.accepted.length : 0));
    const told = server.lmtp ? taken.reduce((sum, count) => sum + count, 0) : taken.filter(Boolean).length;
    const midway = server.lmtp && (server.due[0] === '.' || events.at(-1)?.name === 'DISCONNECTED');
    return told === server.delivered || midway ? undefined : `${told} told, ${server.delivered} taken`;
  },

  'unknown is what has left whole and has no verdict, and nothing else (S20)': (conversation) => {
    const { server, ended } = conversation;
    if (!ended) return undefined;
    const unknown = unfinished(conversation).filter((text) => text.endsWith('unknown')).length;
    return unknown === server.undecided ? undefined : `${unknown} unknown, ${server.undecided} undecided`;
  },

  'after a refusal the next message may begin at once (TK33, TK37)': (conversation) => {
    const { client, messages, ended, moves } = conversation;
    const newest = messages.at(-1);
    if (newest === undefined || ended || moves.includes('disconnect')) return undefined;
    const refused = /[sbe]$/.test(story(conversation, newest.id));
    return refused && !client.can('sendSender') ? 'it may not' : undefined;
  },

  // last: it calls what is illegal
  'what can() denies throws, and changes nothing (TK29, TK30)': (conversation) => {
    const { client } = conversation;
    const before = conversation.key;
    for (const step of answeredSteps) {
      if (client.can(step)) continue;
      try {
        conversation.call(step);
        return `${step} did not throw`;
      } catch (error) {
        if (!(error instanceof SmtpUsageError)) return `${step} threw ${String(error)}`;
      }
    }
    client.execute();
    return conversation.key === before ? undefined : 'something changed';
  },
};

interface Findings {
  readonly count: number;
  /** The first conversation that breaks each rule, the shortest. */
  readonly wrongs: Readonly<Record<string, string>>;
  readonly positions: ReadonlySet<string>;
}

const known = new Map<Bounds, Findings>();

function explore(bound: Bounds): Findings {
  const before = known.get(bound);
  if (before !== undefined) return before;
  const wrongs: Record<string, string> = {};
  const positions = new Set<string>();
  let count = 0;
  for (const conversation of conversations(bound)) {
    count++;
    for (const position of conversation.positions) positions.add(position);
    for (const [name, rule] of Object.entries(rules)) {
      const wrong = name in wrongs ? undefined : rule(conversation);
      if (wrong !== undefined) wrongs[name] = `${wrong}: ${conversation.moves.join(' ')}`;
    }
  }
  const findings = { count, wrongs, positions };
  known.set(bound, findings);
  return findings;
}

const patience = 300_000;

describe.each(bounds)(
  'messages: $messages, recipients: $recipients, pipelining: $pipelining, LMTP: $lmtp, resets: $resets, CHUNKING: $chunking, 503: $early',
  (bound) => {
    it('there are many', () => expect(explore(bound).count).toBeGreaterThan(1000), patience);

    it.each(Object.keys(rules))(
      '%s',
      (name) => expect(explore(bound).wrongs[name]).toBeUndefined(),
      patience,
    );
  },
);

describe('the mail chart in practice', () => {
  it(
    'is met in these positions: `asked` down, `answered` across',
    () => {
      const met = new Set(bounds.flatMap((bound) => [...explore(bound).positions]));
      const table: Record<string, string> = {};
      for (const name of [...met].sort()) {
        const [asked = '', answered = ''] = name.split(' ').map((part) => part.slice(part.indexOf('.') + 1));
        table[asked] = table[asked] === undefined ? answered : `${table[asked]} ${answered}`;
      }
      const [failed, unsent] = ['failing refused', 'open retreating.empty silent unsent'];
      expect(table).toEqual({
        'sender.live': unsent,
        'sender.dead': failed,
        'recipients.live': unsent,
        'recipients.dead': failed,
        'body.live': 'chunks flowing open retreating.empty silent unsent',
        'body.dead': failed,
        ended:
          'chunks delivered failing flowing judging.content judging.open judging.silent open refused ' +
          'retreating.empty silent unknown unsent',
        withdrawn: 'failing leaving refused stuck unsent withdrawing withdrawn',
      });
      // with the start: the others need words in an order in which they cannot come
      expect([met.size, mailGraph.positions.length]).toEqual([40, 139]);
    },
    patience,
  );
});
