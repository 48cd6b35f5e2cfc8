/**
 * What the caller has issued of one mail transaction: the region `asked` of the mail chart, which decides what is legal.
 * It also holds the chart's shared set-up. A refusal that comes from the server makes it dead: the rest is swallowed.
 */
import { setup } from 'xstate';
import type { MailDeed, MailTag, MailWord, Notice } from './vocabulary.ts';

export const mailSetup = setup({
  types: {
    events: {} as MailWord,
    tags: {} as MailTag,
  },
  actions: {
    do: (_, _deed: MailDeed) => {},
    tell: (_, _notice: Notice) => {},
  },
});

export const act = <const D extends MailDeed>(deed: D): { type: 'do'; params: D } => ({
  type: 'do',
  params: deed,
});
export const tell = <const N extends Notice>(notice: N): { type: 'tell'; params: N } => ({
  type: 'tell',
  params: notice,
});

export const nothing = { actions: act({ do: 'nothing' }) } as const;
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

export const asked = mailSetup.createStateConfig({
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
