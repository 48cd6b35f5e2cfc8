/**
 * One client, one scripted server and one virtual clock, put together for a test; what the client tells is kept as
 * objects and as short lines that can be compared whole. It checks nothing itself.
 */
import { SmtpClient, type SmtpClientOptions, type SmtpEvent, SmtpUsageError } from 'smtpump';
import {
  type LineFault,
  type LineShape,
  type MemoryTransport,
  memory,
  Random,
  type ReplyPlan,
  type ScriptedReply,
  ScriptedServer,
  type ServerCommand,
  type ServerOptions,
  type Transport,
  VirtualClock,
} from 'smtpump/testing';

export interface Setup {
  readonly server?: ServerOptions;
  readonly client?: SmtpClientOptions;
  readonly line?: LineShape;
  readonly fault?: LineFault;
  readonly seed?: number;
  /** Puts something between the client and the line. */
  readonly wrap?: (transport: Transport, clock: VirtualClock) => Transport;
}

export interface Bench {
  readonly client: SmtpClient;
  readonly server: ScriptedServer;
  readonly clock: VirtualClock;
  readonly transport: MemoryTransport;
  /** All but COMMAND, REPLY and STATE. */
  readonly events: SmtpEvent[];
  /** The events in short, see {@link short}. */
  readonly told: string[];
  /** Every command line that the server heard, in order. */
  readonly heard: string[];
  /** Runs until nothing more can happen within `ms` of virtual time. @default 30_000 */
  settle(ms?: number): void;
  /** The events told since the last call. */
  news(): string[];
}

/** A client whose crank the test turns. */
export function bench(setup: Setup = {}): Bench {
  const clock = new VirtualClock();
  const server = new ScriptedServer(setup.server);
  const { seed = 1, fault, line } = setup;
  const transport = memory(server, { clock, seed, ...line, ...(fault && { fault }) });
  const random = new Random(seed);
  const client = new SmtpClient({
    host: 'mx.example.test',
    localName: 'client.example.test',
    pump: 'manual',
    transport: setup.wrap?.(transport, clock) ?? transport,
    clock,
    random: (bytes) => Uint8Array.from({ length: bytes }, () => random.int(256)),
    ...setup.client,
  });
  const events: SmtpEvent[] = [];
  const told: string[] = [];
  let read = 0;
  client.on('event', (event) => {
    events.push(event);
    told.push(short(event));
  });
  return {
    client,
    server,
    clock,
    transport,
    events,
    told,
    get heard() {
      return server.commands;
    },
    settle: (ms = 30_000) => settle(client, clock, ms),
    news() {
      const fresh = told.slice(read);
      read = told.length;
      return fresh;
    },
  };
}

/** A bench that is CONNECTED, with nothing in its news. */
export function connected(setup: Setup = {}): Bench {
  const made = bench(setup);
  made.client.connect();
  made.settle();
  if (made.client.state !== 'ready') throw new Error(`not connected: ${made.told.join(', ')}`);
  made.news();
  return made;
}

/** Turns the crank and the clock until nothing more can happen within `ms`. The clock stops at what happened last. */
export function settle(client: SmtpClient, clock: VirtualClock, ms: number): void {
  const end = clock.now() + ms;
  for (let turn = 0; turn < 100_000; turn++) {
    if (client.execute() === 'more') continue;
    const at = Math.min(clock.next, clock.now() + client.readTimer());
    if (at > end) return;
    clock.advanceTo(at);
  }
  throw new Error('it never comes to rest');
}

/** A whole message in one go: all steps ahead. */
export function sendMail(
  client: SmtpClient,
  { from = 'a@example.test', to = ['b@example.test'], body = 'hello\r\n' } = {},
): void {
  client.sendSender(from);
  for (const address of to) client.sendRecipient(address);
  client.sendBom({ raw: true });
  client.sendBody(body);
  client.sendEom();
}

/** A script's answer that takes a second. */
export const late = (reply: string): ScriptedReply => ({ reply, delayMs: 1000 });

/** The verbs that the server heard after EHLO. */
export const verbs = (lines: readonly string[]): (string | undefined)[] =>
  lines.slice(1).map((line) => line.split(' ')[0]);

/** Steps of a message up to a point; none of them is turned. */
export function steps(client: SmtpClient, upTo: 'sender' | 'recipient' | 'bom' | 'body' | 'eom'): void {
  client.sendSender('a@example.test');
  if (upTo === 'sender') return;
  client.sendRecipient('b@example.test');
  if (upTo === 'recipient') return;
  client.sendBom({ raw: true });
  if (upTo === 'bom') return;
  client.sendBody('half a line');
  if (upTo === 'body') return;
  client.sendEom();
}

/** One line for an event: its name and what tells it from others of that name. */
export function short(event: SmtpEvent): string {
  switch (event.name) {
    case 'SENDER_ACK':
    case 'BOM_ACK':
      return `${event.name} ${event.message.id}`;
    case 'RECIPIENT_ACK':
      return `${event.name} ${event.message.id} ${localPart(event.recipient.address)}`;
    case 'EOM_ACK': {
      const list = (all: readonly { address: string }[]) => all.map((r) => localPart(r.address)).join('+');
      return `EOM_ACK ${event.message.id} ${list(event.accepted)}/${list(event.rejected)}`;
    }
    case 'SERVER_ERROR':
    case 'SERVER_RETRY': {
      const { step, message, recipient, reply, error } = event;
      const who = recipient === undefined ? '' : ` ${localPart(recipient.address)}`;
      return `${event.name} ${step}${message === undefined ? '' : ` ${message.id}`}${who} ${reply?.code ?? error.code}`;
    }
    case 'AUTH_OK':
      return `AUTH_OK ${event.mechanism}`;
    case 'AUTH_FAIL':
      return `AUTH_FAIL${event.reply === undefined ? '' : ` ${event.reply.code}`}`;
    case 'TIMEOUT':
      return `TIMEOUT ${event.phase}`;
    case 'DISCONNECTED': {
      const ends = event.messages.map(({ message, outcome }) => ` ${message.id}:${outcome}`);
      return `DISCONNECTED${event.reason === undefined ? '' : ` ${event.reason.code}`}${ends.join('')}`;
    }
    default:
      return event.name;
  }
}

const localPart = (address: string): string => address.split('@')[0] ?? '';

/** A script that answers these verbs so, and leaves the rest to the server. */
export function replies(
  script: Readonly<
    Record<string, ScriptedReply | ((command: ServerCommand, nth: number) => ScriptedReply | undefined)>
  >,
): { reply(command: ServerCommand): ScriptedReply | undefined } {
  const met = new Map<string, number>();
  return {
    reply(command) {
      const nth = (met.get(command.verb) ?? 0) + 1;
      met.set(command.verb, nth);
      const answer = script[command.verb];
      return typeof answer === 'function' ? answer(command, nth) : answer;
    },
  };
}

/** The server says nothing and never will. */
export const silence: ReplyPlan = { stall: true };

/** The code of what a call throws, or 'fine'. */
export function codeOf(call: () => unknown): string {
  try {
    call();
    return 'fine';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : `not ours: ${String(error)}`;
  }
}

/** The newest event of that name. */
export function last<N extends SmtpEvent['name']>(
  events: readonly SmtpEvent[],
  name: N,
): Extract<SmtpEvent, { name: N }> {
  const found = events.findLast((event) => event.name === name);
  if (found === undefined) throw new Error(`no ${name} among ${events.map(short).join(', ')}`);
  // the name was compared
  return found as Extract<SmtpEvent, { name: N }>;
}

/** The text that the server took over in its n-th message, from 0. */
export function textOf(server: ScriptedServer, n = 0): string {
  const message = server.messages[n];
  if (message === undefined) throw new Error(`the server has ${server.messages.length} messages`);
  return Buffer.from(message.data).toString();
}

export const plainLogin = { user: 'ann', password: 'secret' } as const;
export const plainServer: ServerOptions = {
  auth: { mechanisms: ['PLAIN'], users: { ann: 'secret' } },
};

/** Counts what is asked of a transport. */
export function counted(inner: Transport, calls: string[]): Transport {
  const count = <T>(name: string, result: T): T => {
    calls.push(name);
    return result;
  };
  return {
    open: (target) => count('open', inner.open(target)),
    secure: (options) => count('secure', inner.secure(options)),
    close: (graceful) => count('close', inner.close(graceful)),
    write: (bytes) => count('write', inner.write(bytes)),
    poll: () => count('poll', inner.poll()),
    get onReady() {
      return inner.onReady;
    },
    set onReady(fn) {
      inner.onReady = fn;
    },
  };
}

/** What was thrown, as code and option. */
export function refused(act: () => unknown): string {
  try {
    act();
    return 'nothing';
  } catch (error) {
    return error instanceof SmtpUsageError ? `${error.code} ${error.option}` : String(error);
  }
}
