/**
 * The life of a connection: connect, secure, greet, introduce, log in, be ready, leave. Every decision about these is
 * here, and nothing else is: no count, text, socket or clock. NOOP and RSET are edges and not states, because
 * pipelining lets any number of them be under way at once.
 */
import { act, connectionSetup, errands, noFacts, opening, tell } from './opening.ts';

const cut = act({ do: 'close', graceful: false });
/** At the caller's wish. */
const hungUp = '#connection.hangingUp.asked';
const nothing = { actions: act({ do: 'nothing' }) } as const;

/** The answers to NOOP and RSET, which may still come while the connection is being left. */
const errandAnswers = {
  'noop.ok': { actions: tell({ tell: 'NOOP_ACK' }) },
  'noop.refused': { actions: tell({ tell: 'REFUSED', step: 'noop' }) },
  'reset.ok': { actions: tell({ tell: 'RESET' }) },
  'reset.refused': { actions: tell({ tell: 'REFUSED', step: 'reset' }) },
  cleared: nothing,
} as const;

export const connectionMachine = connectionSetup.createMachine({
  id: 'connection',
  context: noFacts,
  initial: 'disconnected',
  states: {
    disconnected: {
      tags: ['public:disconnected'],
      on: {
        'step.connect': { target: 'online', actions: ['adopt', act({ do: 'open' })] },
      },
    },
    online: {
      initial: 'opening',
      on: {
        'step.disconnect': { target: hungUp, actions: act({ do: 'close', graceful: true }) },
        'step.abort': { target: hungUp, actions: [act({ do: 'blame', on: 'caller' }), cut] },
        lost: { target: 'hangingUp', actions: [act({ do: 'blame', on: 'line' }), cut] },
        timeout: {
          target: 'hangingUp',
          actions: [tell({ tell: 'TIMEOUT' }), act({ do: 'blame', on: 'time' }), cut],
        },
        shutdown: {
          target: 'hangingUp',
          actions: [act({ do: 'blame', on: 'shutdown' }), act({ do: 'close', graceful: true })],
        },
        violation: { target: 'hangingUp', actions: [act({ do: 'blame', on: 'protocol' }), cut] },
      },
      states: {
        opening,
        ready: {
          tags: ['public:ready', 'open'],
          on: {
            ...errands,
            ...errandAnswers,
            'step.disconnect': [
              { guard: 'contentStandsOpen', target: hungUp, actions: cut },
              { target: 'quitting', actions: act({ do: 'send', command: 'QUIT' }) },
            ],
            stuck: {
              target: hungUp,
              actions: [act({ do: 'blame', on: 'caller' }), cut],
            },
          },
        },
        quitting: {
          tags: ['public:closing', 'open'],
          on: {
            ...errandAnswers,
            'step.disconnect': nothing,
            'quit.answered': {
              target: hungUp,
              actions: act({ do: 'close', graceful: true }),
            },
            stuck: { target: hungUp, actions: cut },
            lost: [
              { guard: 'onlyQuitWasDue', target: hungUp, actions: cut },
              { target: hungUp, actions: [act({ do: 'blame', on: 'line' }), cut] },
            ],
          },
        },
      },
    },
    // the line is being given up, and DISCONNECTED is still to be told
    hangingUp: {
      tags: ['public:closing'],
      initial: 'unasked',
      on: {
        closed: { target: 'disconnected', actions: ['forget', tell({ tell: 'DISCONNECTED' })] },
        'step.disconnect': nothing,
        'step.abort': nothing,
      },
      states: {
        // the caller cannot know yet: steps come to nothing, and their messages are told unsent
        unasked: {
          on: { 'step.message': nothing, 'step.noop': nothing, 'step.reset': nothing },
        },
        asked: {},
      },
    },
  },
});
