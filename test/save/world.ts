/**
 * A random world in virtual time: a caller, a client, a line, a server; all of it follows from the seed. It can be
 * saved between any two of its turns, and another one made of that, on a clock that shows another time.
 */
import { type Json, SmtpClient, type SmtpClientOptions, type SmtpEvent } from 'smtpump';
import {
  type LineFault,
  type LineShape,
  Random,
  ScriptedServer,
  type ServerCommand,
  type ServerOptions,
  SimNetwork,
  VirtualClock,
} from 'smtpump/testing';

const secrets = { password: 'pa55-of-Ann', token: 'ya29.a-very-secret-token' };

interface Plan {
  readonly server: ServerOptions;
  readonly client: SmtpClientOptions;
  readonly shape: LineShape;
  readonly fault: LineFault | undefined;
  /** Of a hundred turns, so many in which the caller calls something. */
  readonly eagerness: number;
}

const mechanisms = ['SCRAM-SHA-256', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN', 'XOAUTH2', 'OAUTHBEARER'];
const extensions = [
  'PIPELINING',
  '8BITMIME',
  'SMTPUTF8',
  'CHUNKING',
  'BINARYMIME',
  'DSN',
  'SIZE 100000',
  'LIMITS RCPTMAX=3',
];
const start = Date.UTC(2026, 0, 1);

/** The same answer to the same words, whoever asks: a script without a memory. */
function scripted(seed: number, refusals: number): ServerOptions['reply'] {
  const spoken = new Set([
    'CONNECT',
    'EHLO',
    'MAIL',
    'RCPT',
    'DATA',
    'BDAT',
    'CONTENT',
    'AUTH',
    'NOOP',
    'RSET',
    'STARTTLS',
  ]);
  return ({ verb, line, address = '' }: ServerCommand) => {
    if (!spoken.has(verb)) return undefined;
    const words = [...`${seed} ${verb} ${verb === 'AUTH' ? '' : line} ${address}`];
    const random = new Random(words.reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 2 ** 31, 7));
    const early = ['CONNECT', 'EHLO', 'STARTTLS', 'AUTH'].includes(verb);
    if (!random.chance(early ? refusals / 5 : refusals))
      return random.chance(0.1) ? { delayMs: random.int(50) } : undefined;
    return random.pick([
      '550 5.7.1 no',
      '451 4.3.0 later',
      ['451 4.3.0 later', '451 4.3.0 much later'],
      { reply: '421 4.3.2 going down', drop: true },
      { delayMs: random.int(40_000) },
      { stall: true },
      { reset: true },
    ] as const);
  };
}

function planOf(seed: number): Plan {
  const random = new Random(seed);
  const tls = random.pick(['never', 'optional', 'optional', 'always', 'implicit'] as const);
  const auth = random.chance(0.5);
  const offered = mechanisms.filter(() => random.chance(0.4));
  const offers = extensions.filter(() => random.chance(0.6));
  const lmtp = random.chance(0.15);
  const withToken = random.chance(0.5);
  const users = { ann: withToken ? secrets.token : secrets.password };
  const refusals = random.pick([0, 0, 0.03, 0.15]);
  const kind = random.pick(['stall', 'reset', 'end'] as const);
  const direction = random.pick(['toServer', 'toClient'] as const);
  return {
    server: {
      lmtp,
      seed,
      tls: tls === 'implicit' ? 'implicit' : tls === 'never' ? 'none' : 'starttls',
      extensions: offers,
      delayMs: random.pick([0, 0, 3, 40]),
      handshake: random.chance(0.9) ? 'ok' : random.pick(['fail', 'stall', 'untrusted'] as const),
      reply: scripted(seed, refusals),
      ...(auth && offered.length > 0 && { auth: { mechanisms: offered, users, iterations: 4 } }),
    },
    client: {
      host: 'mx.example.test',
      protocol: lmtp ? 'lmtp' : 'smtp',
      tls,
      pipelining: random.chance(0.8),
      messagesInFlight: random.pick([1, 2, 16]),
      bodyBufferBytes: random.pick([64, 3000, 262_144]),
      timeouts: {
        commandMs: 30_000,
        verdictMs: 60_000,
        totalMs: 90_000,
        messageMs: random.pick([50_000, Infinity]),
      },
      ...(auth && {
        auth: {
          user: 'ann',
          allowPlaintext: true,
          ...(withToken ? { token: random.chance(0.5) ? () => secrets.token : secrets.token } : secrets),
          ...(!withToken && { token: undefined }),
        },
      }),
      ...(random.chance(0.7) && { localName: 'client.example.test' }),
      pump: 'manual',
    },
    shape: {
      latencyMs: random.pick([0, 1, 20, 200]),
      jitterMs: random.pick([0, 0, 30]),
      cut: random.chance(0.4),
      join: random.chance(0.4),
      bytesPerSecond: random.pick([Infinity, Infinity, 20_000, 900]),
      windowBytes: random.pick([16, 1000, 65_536]),
    },
    fault: random.chance(0.2) ? { kind, direction, after: random.int(20_000) } : undefined,
    eagerness: random.pick([5, 30, 90]),
  };
}

/** What a world is saved as; the caller is the test's own, and saved by it. */
interface Saved {
  readonly client: Json;
  readonly network: Json;
  readonly caller: readonly number[];
  readonly chance: readonly number[];
  readonly sent: number;
}

export class World {
  readonly clock: VirtualClock;
  readonly server: ScriptedServer;
  readonly network: SimNetwork;
  readonly client: SmtpClient;
  /** Events, the tracing ones too, with the times since the world was made. */
  readonly told: [at: number, what: unknown][] = [];
  readonly #plan: Plan;
  readonly #caller: Random;
  readonly #chance: Random;
  readonly #zero: number;
  #sent = 0;

  constructor(seed: number, saved?: Saved, at = start) {
    const plan = planOf(seed);
    this.#plan = plan;
    this.#zero = at;
    this.#caller = new Random(seed + 1);
    this.#chance = new Random(seed + 2);
    this.clock = new VirtualClock(at);
    this.server = new ScriptedServer(plan.server);
    const { clock } = this;
    this.network = new SimNetwork({ clock, seed, ...plan.shape });
    this.network.listen('*', this.server, { fault: (nth) => (nth === 1 ? plan.fault : undefined) });
    const chance = (length: number): Uint8Array => Uint8Array.from({ length }, () => this.#chance.int(256));
    const options = { ...plan.client, clock, random: chance };
    if (saved === undefined) {
      this.client = new SmtpClient({ ...options, transport: this.network.transport() });
    } else {
      this.#caller.load(saved.caller);
      this.#chance.load(saved.chance);
      this.#sent = saved.sent;
      this.network.restore(saved.network);
      this.client = SmtpClient.restore(saved.client, { ...options, transport: this.network.transport() });
    }
    const hear = (event: SmtpEvent): void => void this.told.push([clock.now() - this.#zero, plain(event)]);
    for (const name of ['event', 'COMMAND', 'REPLY', 'STATE'] as const) this.client.on(name, hear);
  }

  /** How much later it is than when the world was made. */
  get age(): number {
    return this.clock.now() - this.#zero;
  }

  save(): Saved {
    return {
      client: this.client.save(),
      network: this.network.save(),
      caller: this.#caller.save(),
      chance: this.#chance.save(),
      sent: this.#sent,
    };
  }

  /** The caller calls what it likes, the crank is turned once, and then whenever something has happened for a while. */
  turn(): void {
    const random = this.#caller;
    for (let n = 0; n < 6 && random.int(100) < this.#plan.eagerness; n++) this.#call();
    const budget = 1 + random.int(6);
    this.client.execute(budget);
    this.pass(random.pick([0, 0, 0, 1, 30, 30, 500, 20_000]), budget);
  }

  pass(ms: number, budget?: number): void {
    const { client, clock } = this;
    const end = clock.now() + ms;
    while (clock.now() < end) {
      while (client.execute(budget) === 'more');
      clock.advanceTo(Math.min(end, clock.next, clock.now() + client.readTimer()));
    }
  }

  #call(): void {
    const { client } = this;
    const random = this.#caller;
    const wanted = [
      ...([
        'connect',
        'sendSender',
        'sendRecipient',
        'sendRecipient',
        'sendBom',
        'sendBody',
        'sendBody',
      ] as const),
      ...(['sendBody', 'sendBody', 'sendBody', 'sendEom'] as const),
      ...(random.chance(0.02) ? (['reset', 'noop', 'disconnect', 'abort'] as const) : []),
    ].filter((one) => client.can(one));
    // after a login that failed nothing else is left
    const step = random.pick(wanted) ?? (random.chance(0.1) ? 'abort' : undefined);
    const n = random.int(1000);
    if (step === undefined || !client.can(step) || this.#sent >= 400) return;
    this.#sent++;
    try {
      if (step === 'sendSender') {
        client.sendSender(
          n % 3 > 0 ? `a${n}@example.test` : { address: `a${n}@example.test`, body: '7bit', name: 'Änn' },
        );
      } else if (step === 'sendRecipient')
        client.sendRecipient({ address: `b${n}@example.test`, type: 'bcc' });
      else if (step === 'sendBom') client.sendBom({ raw: true });
      else if (step === 'sendBody') {
        client.sendBody(Buffer.from(`.line ${n}\n..\r`.repeat(random.pick([1, 20, 500]))));
      } else client[step]();
    } catch (error) {
      this.told.push([this.age, String(error)]);
    }
  }
}

/** An event as data. */
export const plain = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, inner: unknown) => {
      if (inner instanceof Error) return { ...inner, message: inner.message, cause: inner.cause };
      if (inner instanceof Uint8Array) return Buffer.from(inner).toString('latin1');
      // a Buffer has made this of itself
      if (
        typeof inner === 'object' &&
        inner !== null &&
        'type' in inner &&
        inner.type === 'Buffer' &&
        'data' in inner
      ) {
        return Buffer.from(inner.data as number[]).toString('latin1');
      }
      return inner instanceof Map ? [...inner] : inner;
    }),
  );
