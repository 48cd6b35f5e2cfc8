/**
 * What a seed makes of a world: the client's options, each line and each server, as plain data that can be printed.
 * Nothing here runs anything.
 */
import type { SmtpClientOptions } from 'smtpump';
import type { FaultOptions, Handshake, LineFault, LineShape, Random, ServerOptions } from 'smtpump/testing';

export const password = 'pa55-w0rd-of-ann';

/** How the loop around the client turns its crank. */
export interface Habits {
  /** Turn only when rung, or when `execute()` said 'more'; else at every chance. */
  readonly sleeps: boolean;
  readonly budget: number | undefined;
  /** Up to so many ms too late. */
  readonly lateMs: number;
  /** The client is saved, and a copy of it restored, after so many turns. */
  readonly savesAt: number | undefined;
  /** Somebody listens for COMMAND, REPLY and STATE. */
  readonly traced: boolean;
  /** The transport under the client breaks at its n-th call, or throws. */
  readonly wrapper: FaultOptions | undefined;
  readonly throwsAt: { readonly call: 'open' | 'secure' | 'write' | 'poll'; readonly n: number } | undefined;
}

/** One line and the server at its end. */
export interface LinePlan {
  readonly shape: LineShape;
  readonly fault: LineFault | undefined;
  readonly missing: 'refuse' | 'unreachable' | 'unknown' | undefined;
  readonly handshake: Handshake;
  readonly server: Pick<ServerOptions, 'tls' | 'auth' | 'delayMs'> & {
    readonly extensions: readonly string[];
  };
  readonly mood: Mood;
}

/** Where the server leaves the polite path. Probabilities are from 0 to 1. */
export interface Mood {
  /** A yes becomes a no. */
  readonly refusal: number;
  /** A reply has more lines, other texts, other codes of its class. */
  readonly ornament: number;
  /** A reply is late, by up to so many ms. */
  readonly delay: number;
  readonly delayMs: number;
  /** Said in place of the n-th reply, from 1. */
  readonly strike: { readonly n: number; readonly what: Strike } | undefined;
  /** Said when nobody asked, so many ms after the line is up. */
  readonly unasked: { readonly ms: number; readonly what: Unasked } | undefined;
  /** Each few octets so many ms after the last; 0 is at once. */
  readonly dripMs: number;
  /** Written in clear behind the 220 to STARTTLS. */
  readonly injected: string | undefined;
}

const strikes = [
  'silence',
  'half',
  'drop',
  'reset',
  'shutdown',
  'shutdownAndStay',
  'garbage',
  'wrongClass',
  'twice',
  'blankLines',
  'anyway',
] as const;
export type Strike = (typeof strikes)[number];

const unaskeds = ['shutdown', 'shutdown', 'garbage', 'reply', 'end', 'reset', 'stall', 'pause'] as const;
export type Unasked = (typeof unaskeds)[number];

export function drawClient(random: Random): SmtpClientOptions {
  const some = <T>(p: number, value: T): T | undefined => (random.chance(p) ? value : undefined);
  return {
    protocol: random.chance(0.15) ? 'lmtp' : 'smtp',
    tls: random.pick(['never', 'never', 'optional', 'optional', 'optional', 'always', 'always', 'implicit']),
    tlsOptions: some(0.1, { rejectUnauthorized: false }),
    auth: random.chance(0.2) ? drawCredentials(random) : undefined,
    localName: 'client.example.test',
    pipelining: some(0.2, false),
    chunking: some(0.25, false),
    messagesInFlight: some(0.4, random.pick([1, 2, 3])),
    bareLineEnds: some(0.1, 'refuse'),
    bodyBufferBytes: some(0.4, random.pick([7, 64, 300, 2000, 70_000])),
    timeouts: drawTimeouts(random),
  };
}

function drawCredentials(random: Random): NonNullable<SmtpClientOptions['auth']> {
  const allowPlaintext = random.chance(0.3);
  const user = 'ann';
  const right = random.chance(0.8) ? password : `${password}-wrong`;
  const how = random.int(6);
  if (how === 0) return { user, token: right, allowPlaintext };
  if (how === 1) return { user, token: () => right, allowPlaintext };
  if (how === 2) return { user, token: () => Promise.resolve(right), allowPlaintext };
  return { user, password: right, allowPlaintext };
}

const waits = [
  'connectMs',
  'secureMs',
  'greetingMs',
  'commandMs',
  'dataMs',
  'bodyMs',
  'verdictMs',
  'quitMs',
] as const;

function drawTimeouts(random: Random): SmtpClientOptions['timeouts'] {
  const kind = random.int(10);
  if (kind < 5) return undefined;
  const one = (): number => random.pick([1, 40, 500, 5000, 60_000, 1e6]);
  if (kind < 7) {
    return Object.fromEntries(waits.map((name) => [name, one()]));
  }
  if (kind < 9) return random.chance(0.5) ? { messageMs: one() } : { totalMs: one() };
  return Object.fromEntries(waits.map((name) => [name, Number.POSITIVE_INFINITY]));
}

export function drawHabits(random: Random): Habits {
  const fault = random.chance(0.12);
  const call = random.pick(['open', 'secure', 'write', 'write', 'poll', 'poll', 'poll'] as const);
  return {
    sleeps: random.chance(0.6),
    budget: random.chance(0.5) ? undefined : random.pick([1, 2, 7]),
    lateMs: random.chance(0.15) ? 1000 : 0,
    traced: random.chance(0.2),
    savesAt: random.chance(0.1) ? random.int(random.pick([8, 40, 200])) : undefined,
    wrapper: fault
      ? {
          seed: random.int(1e6),
          cut: random.chance(0.5),
          join: random.chance(0.5),
          ...(random.chance(0.6) && { failAt: { call, n: 1 + random.int(call === 'poll' ? 40 : 12) } }),
        }
      : undefined,
    throwsAt: !fault && random.chance(0.05) ? { call, n: 1 + random.int(12) } : undefined,
  };
}

export function drawLine(random: Random, client: SmtpClientOptions): LinePlan {
  const kind = random.int(60);
  return {
    shape: drawShape(random),
    fault: random.chance(0.2) ? drawFault(random) : undefined,
    missing: kind === 0 ? 'refuse' : kind === 1 ? 'unreachable' : kind === 2 ? 'unknown' : undefined,
    handshake: random.chance(0.85) ? 'ok' : random.pick(['fail', 'stall', 'wrong-name', 'untrusted']),
    server: {
      extensions: drawExtensions(random),
      tls: drawServerTls(random, client.tls),
      auth: random.chance(client.auth === undefined ? 0.1 : 0.9) ? drawServerAuth(random) : undefined,
      delayMs: random.chance(0.1) ? random.pick([1, 30, 700]) : 0,
    },
    mood: random.chance(0.25) ? polite : drawMood(random),
  };
}

function drawShape(random: Random): LineShape {
  const some = <T>(p: number, value: T): T | undefined => (random.chance(p) ? value : undefined);
  return {
    latencyMs: random.pick([0, 0, 1, 20, 300]),
    jitterMs: some(0.2, 50),
    bytesPerSecond: some(0.1, random.pick([500, 5000, 100_000])),
    cut: some(0.35, true),
    join: some(0.35, true),
    windowBytes: some(0.15, random.pick([1, 30, 300, 3000])),
    segmentBytes: some(0.05, random.pick([3, 11, 100])),
  };
}

function drawFault(random: Random): LineFault {
  const kind = random.pick(['stall', 'reset', 'end'] as const);
  const direction = random.pick(['toServer', 'toClient'] as const);
  return { kind, direction, after: random.int(random.pick([60, 400, 1500])) };
}

function drawServerTls(random: Random, policy: SmtpClientOptions['tls']): ServerOptions['tls'] {
  if (random.chance(0.1)) return random.pick(['none', 'starttls', 'implicit']);
  if (policy === 'implicit') return 'implicit';
  return policy === 'always' || random.chance(0.5) ? 'starttls' : 'none';
}

function drawServerAuth(random: Random): ServerOptions['auth'] {
  const all = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS', 'XOAUTH2'];
  return {
    mechanisms: [...all, 'OAUTHBEARER', 'X-UNKNOWN'].filter(() => random.chance(0.4)),
    users: { ann: password },
    required: random.chance(0.3),
    secureOnly: random.chance(0.3),
    iterations: 1 + random.int(3),
  };
}

function drawExtensions(random: Random): string[] {
  const size = random.pick(['SIZE', 'SIZE 0', 'SIZE 1000', 'SIZE 52428800']);
  const limits = random.pick(['LIMITS MAILMAX=1', 'LIMITS MAILMAX=2 RCPTMAX=2', 'LIMITS RCPTDOMAINMAX=1']);
  const often = ['PIPELINING', '8BITMIME', 'CHUNKING', size].filter(() => random.chance(0.6));
  const seldom = ['SMTPUTF8', 'DSN', 'BINARYMIME', 'ENHANCEDSTATUSCODES', 'HELP', 'x-odd =1 2'];
  return [
    ...often,
    ...seldom.filter(() => random.chance(0.35)),
    ...[limits, 'XEXCH50'].filter(() => random.chance(0.08)),
  ];
}

const polite: Mood = {
  refusal: 0,
  ornament: 0,
  delay: 0,
  delayMs: 0,
  strike: undefined,
  unasked: undefined,
  dripMs: 0,
  injected: undefined,
};

function drawMood(random: Random): Mood {
  const injections = ['250 injected\r\n', '250-a\r\n250 AUTH PLAIN\r\n', 'x', '421 no\r\n'];
  return {
    refusal: random.pick([0, 0, 0.02, 0.1, 0.3]),
    ornament: random.pick([0, 0, 0.3]),
    delay: random.pick([0, 0, 0.2, 0.6]),
    delayMs: random.pick([1, 100, 100, 5000, 700_000]),
    strike: random.chance(0.3) ? { n: 1 + random.int(18), what: random.pick(strikes) } : undefined,
    unasked: random.chance(0.15)
      ? { ms: random.pick([0, 1, 60, 500, 1200, 100_000]), what: random.pick(unaskeds) }
      : undefined,
    dripMs: random.chance(0.06) ? random.pick([1, 1, 300, 20_000]) : 0,
    injected: random.chance(0.08) ? random.pick(injections) : undefined,
  };
}
