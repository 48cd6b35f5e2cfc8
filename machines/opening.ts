/**
 * The opening phase of a connection, from the open line to the moment when mail can be sent: greeting, introduction,
 * TLS by policy, login. It also holds the chart's shared set-up. A failure here closes the line without QUIT.
 */
import { assign, setup } from 'xstate';
import type {
  ConnectionDeed,
  ConnectionPolicy,
  ConnectionTag,
  ConnectionWord,
  Notice,
} from './vocabulary.ts';

export interface ConnectionFacts extends ConnectionPolicy {
  /** TLS is on. */
  readonly secure: boolean;
}

/** Before and after a connection. */
export const noFacts: ConnectionFacts = {
  tls: 'never',
  auth: false,
  token: false,
  lmtp: false,
  secure: false,
};

type Facts = { context: ConnectionFacts };

export const connectionSetup = setup({
  types: {
    context: {} as ConnectionFacts,
    events: {} as ConnectionWord,
    tags: {} as ConnectionTag,
  },
  actions: {
    do: (_, _deed: ConnectionDeed) => {},
    tell: (_, _notice: Notice) => {},
    /** The policy of this connection, whatever the last one's was. */
    adopt: assign(({ event }) =>
      event.type === 'step.connect'
        ? { tls: event.tls, auth: event.auth, token: event.token, lmtp: event.lmtp, secure: false }
        : {},
    ),
    markSecure: assign({ secure: true }),
    forget: assign(() => noFacts),
  },
  guards: {
    isImplicit: ({ context }: Facts) => context.tls === 'implicit',
    mustUpgrade: ({ context }: Facts) => context.tls === 'always' && !context.secure,
    canUpgrade: ({ context, event }) =>
      context.tls === 'optional' && !context.secure && event.type === 'ehlo.ok' && event.starttls,
    /** Credentials, and no mechanism that they may be used with on this line. */
    cannotLogIn: ({ context, event }) => context.auth && !(event.type === 'ehlo.ok' && event.auth),
    needsToken: ({ context }: Facts) => context.auth && context.token,
    wantsAuth: ({ context }: Facts) => context.auth,
    mayTryHelo: ({ context, event }) => !context.lmtp && event.type === 'ehlo.refused' && event.helo,
    hasAnotherMechanism: ({ event }) => event.type === 'auth.refused' && event.more,
    onlyQuitWasDue: ({ event }) => event.type === 'lost' && event.quit,
    contentStandsOpen: ({ event }) => event.type === 'step.disconnect' && event.open,
  },
});

export const act = <const D extends ConnectionDeed>(deed: D): { type: 'do'; params: D } => ({
  type: 'do',
  params: deed,
});
export const tell = <const N extends Notice>(notice: N): { type: 'tell'; params: N } => ({
  type: 'tell',
  params: notice,
});

const hangingUp = '#connection.hangingUp';
const ready = '#connection.online.ready';
const rejected = '#connection.online.opening.rejected';

const cut = act({ do: 'close', graceful: false });
const hangUp = act({ do: 'close', graceful: true });
const blame = (on: Extract<ConnectionDeed, { do: 'blame' }>['on']) => act({ do: 'blame', on });
const hello = {
  type: 'do',
  params: ({ context }: Facts) => ({ do: 'send', command: context.lmtp ? 'LHLO' : 'EHLO' }) as const,
} as const;

/** The server said no to connecting: its reply is the cause. */
const refused = {
  target: hangingUp,
  actions: [tell({ tell: 'REFUSED', step: 'connect' }), blame('reply'), hangUp],
} as const;
/** TLS was required or begun and did not come about: not one byte more is written. */
const insecure = {
  target: hangingUp,
  actions: [tell({ tell: 'SECURE_FAIL' }), blame('tls'), cut],
} as const;
const admitted = { target: ready, actions: [act({ do: 'admit' }), tell({ tell: 'CONNECTED' })] } as const;
const loginRefused = {
  target: rejected,
  actions: [act({ do: 'giveUpConnecting' }), tell({ tell: 'AUTH_FAIL' })],
} as const;

/** Steps that are legal while mail can be, or is going to be, sent. */
export const errands = {
  'step.message': { actions: act({ do: 'nothing' }) },
  'step.noop': { actions: act({ do: 'send', command: 'NOOP' }) },
  'step.reset': { actions: act({ do: 'send', command: 'RSET' }) },
} as const;

export const opening = connectionSetup.createStateConfig({
  tags: ['public:connecting'],
  initial: 'connecting',
  on: {
    ...errands,
    // a 421 here answers what was due for connecting
    shutdown: {
      target: hangingUp,
      actions: [tell({ tell: 'REFUSED', step: 'connect' }), blame('shutdown'), hangUp],
    },
  },
  states: {
    connecting: {
      tags: ['awaits:connect'],
      on: {
        opened: [
          { guard: 'isImplicit', target: 'securing', actions: act({ do: 'secure' }) },
          { target: 'greeting', actions: act({ do: 'expectGreeting' }) },
        ],
      },
    },
    securing: {
      tags: ['awaits:tls'],
      on: {
        secured: [
          {
            guard: 'isImplicit',
            target: 'greeting',
            actions: ['markSecure', tell({ tell: 'SECURE_OK' }), act({ do: 'expectGreeting' })],
          },
          { target: 'ehlo', actions: ['markSecure', tell({ tell: 'SECURE_OK' }), hello] },
        ],
        'secure.failed': insecure,
      },
    },
    greeting: {
      on: {
        'greeting.ok': { target: 'ehlo', actions: hello },
        'greeting.refused': refused,
      },
    },
    ehlo: {
      on: {
        'ehlo.ok': [
          { guard: 'mustUpgrade', target: 'upgrading', actions: act({ do: 'send', command: 'STARTTLS' }) },
          { guard: 'canUpgrade', target: 'upgrading', actions: act({ do: 'send', command: 'STARTTLS' }) },
          { guard: 'cannotLogIn', ...loginRefused },
          { guard: 'needsToken', target: 'fetching', actions: act({ do: 'fetchToken' }) },
          { guard: 'wantsAuth', target: 'authenticating', actions: act({ do: 'login' }) },
          admitted,
        ],
        'ehlo.refused': [
          { guard: 'mustUpgrade', ...insecure },
          { guard: 'mayTryHelo', target: 'helo', actions: act({ do: 'send', command: 'HELO' }) },
          refused,
        ],
      },
    },
    helo: {
      on: {
        'helo.ok': [{ guard: 'cannotLogIn', ...loginRefused }, admitted],
        'helo.refused': refused,
      },
    },
    upgrading: {
      on: {
        'starttls.ok': { target: 'securing', actions: act({ do: 'secure' }) },
        'starttls.refused': [
          { guard: 'mustUpgrade', ...insecure },
          // optional: credentials are not shown to a line that lost its TLS
          { guard: 'wantsAuth', ...insecure },
          { target: ready, actions: [tell({ tell: 'SECURE_FAIL' }), ...admitted.actions] },
        ],
      },
    },
    fetching: {
      tags: ['awaits:auth'],
      on: {
        'token.ready': { target: 'authenticating', actions: act({ do: 'login' }) },
        'token.failed': loginRefused,
      },
    },
    authenticating: {
      on: {
        'auth.challenge': { actions: act({ do: 'respond' }) },
        'auth.invalid': { target: 'cancelling', actions: act({ do: 'cancelLogin' }) },
        'auth.ok': { target: ready, actions: [tell({ tell: 'AUTH_OK' }), ...admitted.actions] },
        'auth.unproved': loginRefused,
        'auth.refused': [{ guard: 'hasAnotherMechanism', actions: act({ do: 'login' }) }, loginRefused],
        'auth.deferred': refused,
      },
    },
    // a server that talked nonsense gets no second, weaker try
    cancelling: {
      on: {
        'auth.refused': loginRefused,
        'auth.deferred': loginRefused,
        'auth.ok': loginRefused,
        'auth.unproved': loginRefused,
        'auth.challenge': { target: hangingUp, actions: [blame('protocol'), cut] },
      },
    },
    // the caller may disconnect and connect again with other credentials
    rejected: {
      on: {
        'step.message': {},
        'step.noop': {},
        'step.reset': {},
        shutdown: { target: hangingUp, actions: [blame('shutdown'), hangUp] },
      },
    },
  },
});
