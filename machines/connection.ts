/**
 * The life of a connection: connect, secure, greet, introduce, log in, be ready, leave. Every decision about these is
 * here, and nothing else is: no count, text, socket or clock. NOOP and RSET are edges and not states, because
 * pipelining lets any number of them be under way at once.
 */
import { act, connectionSetup, errands, opening, tell } from './opening.ts';

const cut = act({ do: 'close', graceful: false });
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
  context: { tls: 'never', auth: false, token: false, lmtp: false, secure: false },
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
        'step.disconnect': { target: 'hangingUp', actions: act({ do: 'close', graceful: true }) },
        'step.abort': { target: 'hangingUp', actions: [act({ do: 'blame', on: 'caller' }), cut] },
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
              { guard: 'contentStandsOpen', target: '#connection.hangingUp', actions: cut },
              { target: 'quitting', actions: act({ do: 'send', command: 'QUIT' }) },
            ],
            stuck: {
              target: '#connection.hangingUp',
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
              target: '#connection.hangingUp',
              actions: act({ do: 'close', graceful: true }),
            },
            stuck: { target: '#connection.hangingUp', actions: cut },
            lost: [
              { guard: 'onlyQuitWasDue', target: '#connection.hangingUp', actions: cut },
              { target: '#connection.hangingUp', actions: [act({ do: 'blame', on: 'line' }), cut] },
            ],
          },
        },
      },
    },
    hangingUp: {
      tags: ['public:closing'],
      on: {
        closed: { target: 'disconnected', actions: tell({ tell: 'DISCONNECTED' }) },
        'step.disconnect': nothing,
        'step.abort': nothing,
      },
    },
  },
});
