/**
 * The life of one mail transaction, in two regions: `asked` is what the caller has issued and decides what is legal;
 * `answered` is what the server has said and decides the outcome. No guards and no context: whatever hangs on a
 * count (was a recipient accepted? is an answer still due?) is a word of its own, chosen by the ledger.
 */
import { setup } from 'xstate';
import type { MailDeed, MailTag, MailWord, Notice } from './vocabulary.ts';

const mailSetup = setup({
  types: {
    events: {} as MailWord,
    tags: {} as MailTag,
  },
  actions: {
    do: (_, _deed: MailDeed) => {},
    tell: (_, _notice: Notice) => {},
  },
});

const act = <const D extends MailDeed>(deed: D): { type: 'do'; params: D } => ({ type: 'do', params: deed });
const tell = <const N extends Notice>(notice: N): { type: 'tell'; params: N } => ({
  type: 'tell',
  params: notice,
});
const refused = (step: Extract<Notice, { step: unknown }>['step']) => tell({ tell: 'REFUSED', step });

const nothing = { actions: act({ do: 'nothing' }) } as const;
/** Only what has not ended can be taken back; what the server has been told by then is for `answered` to see to. */
const backOut = {
  'step.reset': { target: '#mail.asked.withdrawn', actions: mailSetup.raise({ type: 'taken.reset' }) },
  'step.leave': { target: '#mail.asked.withdrawn', actions: mailSetup.raise({ type: 'taken.leave' }) },
} as const;
const next = { 'step.next': nothing } as const;

/** What kills a message before its content, and what kills it from the content on. */
const lateFailures = {
  'mail.refused': { target: 'dead' },
  'mail.unsupported': { target: 'dead' },
  'data.refused': { target: 'dead' },
  'data.nobody': { target: 'dead' },
  'data.goNobody': { target: 'dead' },
  'chunk.refused': { target: 'dead' },
} as const;
const earlyFailures = {
  'mail.refused': { target: 'dead' },
  'mail.unsupported': { target: 'dead' },
} as const;

const asked = mailSetup.createStateConfig({
  initial: 'new',
  states: {
    new: {
      on: { 'step.sender': { target: 'sender', actions: act({ do: 'send', command: 'MAIL' }) } },
    },
    sender: {
      initial: 'live',
      on: backOut,
      states: {
        live: {
          tags: ['public:sender'],
          on: {
            ...earlyFailures,
            'step.recipient': {
              target: '#mail.asked.recipients.live',
              actions: act({ do: 'send', command: 'RCPT' }),
            },
          },
        },
        dead: {
          tags: ['swallowing'],
          on: { ...next, 'step.recipient': { target: '#mail.asked.recipients.dead' } },
        },
      },
    },
    recipients: {
      initial: 'live',
      on: backOut,
      states: {
        live: {
          tags: ['public:recipients'],
          on: {
            ...earlyFailures,
            'step.recipient': { actions: act({ do: 'send', command: 'RCPT' }) },
            'step.bom': { target: '#mail.asked.body.live', actions: act({ do: 'send', command: 'DATA' }) },
          },
        },
        dead: {
          tags: ['swallowing'],
          on: { ...next, 'step.recipient': nothing, 'step.bom': { target: '#mail.asked.body.dead' } },
        },
      },
    },
    body: {
      initial: 'live',
      on: backOut,
      states: {
        live: {
          tags: ['public:body', 'contentOpen'],
          on: {
            ...lateFailures,
            'step.eom': { target: '#mail.asked.ended', actions: act({ do: 'send', command: 'END' }) },
          },
        },
        dead: {
          tags: ['swallowing', 'contentOpen'],
          on: { ...next, 'step.eom': { target: '#mail.asked.ended' } },
        },
      },
    },
    ended: { tags: ['public:sent'], on: next },
    withdrawn: { on: next },
  },
});

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
        'data.go': { actions: act({ do: 'accuse' }) },
        'data.goNobody': emptyContent,
        settled: { target: 'refused' },
        lost: { target: 'refused' },
      },
    },
    retreating: {
      tags: ['settling', 'retreating'],
      on: {
        ...takeBack,
        'in.vain': nothing,
        'rcpt.unsupported': nothing,
        'data.go': emptyContent,
        'data.goNobody': emptyContent,
        settled: { target: 'silent', actions: act({ do: 'again' }) },
        lost: { target: 'unsent' },
      },
    },
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
