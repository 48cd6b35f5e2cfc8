/**
 * The life of one mail transaction, in two regions: `asked` is what the caller has issued and decides what is legal;
 * `answered` is what the server has said and decides the outcome. No guards and no context: whatever hangs on a
 * count (was a recipient accepted? is an answer still due?) is a word of its own, chosen by the ledger.
 */
import { act, asked, mailSetup, nothing, tell } from './asked.ts';
import type { Notice } from './vocabulary.ts';

const refused = (step: Extract<Notice, { step: unknown }>['step']) => tell({ tell: 'REFUSED', step });

/** Answers that change nothing any more. */
const stale = {
  'mail.ok': nothing,
  'mail.refused': nothing,
  'mail.tooEarly': nothing,
  'rcpt.ok': nothing,
  'rcpt.refused': nothing,
  'rcpt.unsupported': nothing,
  'data.refused': nothing,
  'data.nobody': nothing,
  chunking: nothing,
  'chunk.ok': nothing,
  'chunk.refused': nothing,
  'verdict.ok': nothing,
  'verdict.refused': nothing,
  'verdicts.none': nothing,
  'content.ok': nothing,
  'content.refused': nothing,
  'end.left': nothing,
} as const;
/** 354 for a message without recipients: the content is over as soon as it began. */
const emptyContent = { actions: act({ do: 'dot' }) } as const;

/** Answers for a message that was taken back: content that opens all the same can only be cut off. */
const takenBack = {
  ...stale,
  'data.go': { target: 'stuck', actions: act({ do: 'drop' }) },
  'data.goNobody': emptyContent,
} as const;

const forget = act({ do: 'forget' });
const spoil = act({ do: 'spoil' });
const senderRefused = { target: '#mail.answered.failing', actions: [refused('sendSender'), forget] } as const;
const bomRefused = {
  target: '#mail.answered.failing',
  actions: [refused('sendBom'), forget, spoil],
} as const;
const chunkRefused = {
  target: '#mail.answered.failing',
  actions: [refused('sendEom'), forget, spoil],
} as const;
/** Nothing of it was taken: once what is on the wire is answered, it goes again by itself. */
const tooEarly = { target: '#mail.answered.retreating', actions: act({ do: 'recall' }) } as const;
const accuse = { actions: act({ do: 'accuse' }) } as const;
const contradiction = { target: '#mail.answered.contradicted', actions: act({ do: 'accuse' }) } as const;
const recipientAnswers = {
  'rcpt.ok': { actions: tell({ tell: 'RECIPIENT_ACK' }) },
  'rcpt.refused': { actions: refused('sendRecipient') },
  'rcpt.unsupported': { actions: refused('sendRecipient') },
} as const;
const senderAck = tell({ tell: 'SENDER_ACK' });
const bomAck = tell({ tell: 'BOM_ACK' });
/** Taken back by `reset()`, or left behind by `disconnect()`. */
const takeBack = {
  'taken.reset': { target: '#mail.answered.withdrawing', actions: [forget, spoil] },
  'taken.leave': { target: '#mail.answered.leaving', actions: [forget, spoil] },
} as const;

const answered = mailSetup.createStateConfig({
  initial: 'silent',
  states: {
    silent: {
      on: {
        ...takeBack,
        'mail.ok': { target: 'open', actions: senderAck },
        'mail.refused': senderRefused,
        'mail.tooEarly': tooEarly,
        'mail.unsupported': { target: 'refused', actions: [refused('sendSender'), forget] },
        'end.left': { target: 'judging.silent' },
        lost: { target: 'unsent' },
      },
    },
    open: {
      on: {
        ...takeBack,
        ...recipientAnswers,
        'data.go': { target: 'flowing', actions: bomAck },
        'data.goNobody': {
          target: 'failing',
          actions: [refused('sendBom'), forget, spoil, act({ do: 'dot' })],
        },
        'data.refused': bomRefused,
        'data.nobody': bomRefused,
        chunking: { target: 'chunks', actions: bomAck },
        'end.left': { target: 'judging.open' },
        lost: { target: 'unsent' },
      },
    },
    // the text after a 354: only its end, or the end of the line, can stop it
    flowing: {
      tags: ['text'],
      on: {
        'end.left': { target: 'judging.content' },
        'taken.reset': { target: 'stuck', actions: [forget, act({ do: 'drop' })] },
        'taken.leave': { target: 'stuck', actions: [forget, act({ do: 'drop' })] },
        lost: { target: 'unsent' },
      },
    },
    chunks: {
      on: {
        ...takeBack,
        'chunk.ok': nothing,
        'chunk.refused': chunkRefused,
        'end.left': { target: 'judging.content' },
        lost: { target: 'unsent' },
      },
    },
    // the end of the message is on the wire: a lost line leaves its fate unknown
    judging: {
      initial: 'content',
      on: { lost: { target: 'unknown' } },
      states: {
        silent: {
          on: {
            'mail.ok': { target: 'open', actions: senderAck },
            'mail.refused': senderRefused,
            'mail.tooEarly': tooEarly,
          },
        },
        open: {
          on: {
            ...recipientAnswers,
            chunking: { target: 'content', actions: bomAck },
            'data.nobody': bomRefused,
          },
        },
        content: {
          on: {
            'chunk.ok': nothing,
            'chunk.refused': chunkRefused,
            'verdict.ok': nothing,
            'verdict.refused': { actions: refused('sendEom') },
            'verdicts.none': { target: '#mail.answered.refused', actions: spoil },
            'content.ok': { target: '#mail.answered.delivered', actions: tell({ tell: 'EOM_ACK' }) },
            'content.refused': { target: '#mail.answered.refused', actions: [refused('sendEom'), spoil] },
          },
        },
      },
    },
    failing: {
      tags: ['settling'],
      on: {
        ...stale,
        // a dot would deliver an empty message to those whom the server took all the same
        'data.go': accuse,
        'data.goNobody': emptyContent,
        settled: { target: 'refused' },
        lost: { target: 'refused' },
      },
    },
    // a server that refused MAIL and takes what follows it contradicts itself: sent again, it might arrive twice
    retreating: {
      tags: ['settling', 'retreating'],
      initial: 'empty',
      on: {
        ...takeBack,
        'in.vain': nothing,
        'rcpt.unsupported': nothing,
        'verdict.ok': contradiction,
        'content.ok': contradiction,
        settled: { target: 'silent', actions: act({ do: 'again' }) },
        lost: { target: 'unsent' },
      },
      states: {
        empty: {
          on: { 'rcpt.ok': { target: 'somebody' }, 'data.go': emptyContent, 'data.goNobody': emptyContent },
        },
        somebody: { on: { 'rcpt.ok': nothing, 'data.go': accuse, 'data.goNobody': accuse } },
      },
    },
    contradicted: { on: { lost: { target: 'unknown' } } },
    withdrawing: {
      tags: ['settling'],
      on: { ...takenBack, settled: { target: 'withdrawn' }, lost: { target: 'unsent' } },
    },
    leaving: {
      tags: ['settling'],
      on: { ...takenBack, settled: { target: 'unsent' }, lost: { target: 'unsent' } },
    },
    /** Taken back too late: the line is being cut. */
    stuck: { on: { lost: { target: 'unsent' } } },
    delivered: { tags: ['over', 'delivered'] },
    refused: { tags: ['over', 'refused'] },
    withdrawn: { tags: ['over', 'withdrawn'] },
    unsent: { tags: ['over', 'unsent'] },
    unknown: { tags: ['over', 'unknown'] },
  },
});

export const mailMachine = mailSetup.createMachine({
  id: 'mail',
  type: 'parallel',
  states: { asked, answered },
});
