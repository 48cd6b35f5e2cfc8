/**
 * One world out of one seed: a caller, a client, its lines and their servers, in virtual time. It runs to its end, and
 * says what was not as it must be. The same seed is the same world, to the byte.
 */
import { createHash } from 'node:crypto';
import { type SmtpClientOptions, SmtpError, type SmtpEvent } from 'smtpump';
import {
  type Call,
  type Exchange,
  memory,
  Random,
  type ServerCommand,
  type ServerSession,
  type Target,
  type Transport,
  VirtualClock,
  withFaults,
} from 'smtpump/testing';
import { short } from '../client/support.ts';
import { falsehoods } from '../faults/truths.ts';
import { WatchedClient } from '../faults/watched.ts';
import { Caller } from './caller.ts';
import { disagreements } from './deliveries.ts';
import { drawClient, drawHabits, drawLine, type Habits, type LinePlan } from './draw.ts';
import { copyProblems } from './saving.ts';
import { leaks } from './secrets.ts';
import { RandomServer, type Witness } from './server.ts';
import { throwing } from './throwing.ts';

/** What a run came to. */
export interface Report {
  readonly seed: number;
  readonly wrong: readonly string[];
  /** Of all bytes, steps and events, with their times; only where they were written down. */
  readonly digest: string | undefined;
  readonly transcript: readonly string[];
  /** How many messages ended how, and what else was met. */
  readonly met: Readonly<Record<string, number>>;
}

/** One line that was dialled. */
interface Dialled {
  readonly plan: LinePlan;
  readonly server: RandomServer;
  readonly life: number;
  /** MAILs that were heard. */
  mails: number;
  /** What is offered counts. */
  limited: boolean;
  lied: boolean;
  injected: boolean;
}

const mostTurns = 300_000;
/** Ten days. */
const longestMs = 10 * 24 * 3_600_000;

export class World implements Exchange, Witness {
  readonly clock = new VirtualClock();
  readonly client: WatchedClient;
  readonly #seed: number;
  readonly #random: Random;
  readonly #options: SmtpClientOptions;
  readonly #habits: Habits;
  readonly #caller: Caller;
  readonly #lines: Dialled[] = [];
  readonly #wrong: string[] = [];
  readonly #transcript: string[] | undefined;
  readonly #ended: Set<number> | undefined;
  /** Node's own ticks are needed: promises, streams. */
  readonly ticks: boolean;
  #inside = false;
  #rung = false;
  #told = 0;
  #copies = 0;
  /** The life that the world itself has left by disconnect(). */
  #left = 0;

  constructor(seed: number, record = false) {
    this.#seed = seed;
    this.#random = new Random(seed);
    this.#transcript = record ? [] : undefined;
    const options = drawClient(this.#random.fork(1));
    const habits = drawHabits(this.#random.fork(2));
    const token = options.auth?.token;
    this.ticks = this.#random.chance(0.06) || typeof token === 'function';
    this.#options = options;
    this.#habits = habits;
    const chance = this.#random.fork(3);
    const transport = this.#wrapped(memory(this));
    this.client = new WatchedClient({
      host: 'mx.example.test',
      pump: 'manual',
      random: (bytes) => chance.bytes(bytes),
      ...options,
      transport,
      clock: this.clock,
    });
    this.client.setAsyncCallback(() => this.#ring());
    this.client.on('event', (event) => this.#hear(event));
    this.#ended = habits.traced ? this.#trace() : undefined;
    this.#caller = new Caller({
      client: this.client,
      random: this.#random.fork(4),
      ticks: this.ticks,
      refusesBareLineEnds: options.bareLineEnds === 'refuse',
      wrong: (what) => this.#accuse(what),
      note: (text) => this.#note(text),
      wake: (ms, fn) => void this.clock.wake(this.clock.now() + ms, fn),
    });
  }

  // ── the network ──

  dial(target: Target): Call {
    const number = this.#lines.length + 1;
    const random = this.#random.fork(100 + number);
    const plan = drawLine(random, this.#options);
    if (this.#transcript) this.#note(`line ${number} to port ${target.port}: ${JSON.stringify(plan)}`);
    const server = new RandomServer(number, plan, random.fork(1), this, this.#options.protocol === 'lmtp');
    const life = this.client.lives.length - 1;
    this.#lines.push({ plan, server, life, mails: 0, limited: true, lied: false, injected: false });
    const { shape, fault, missing } = plan;
    return { number, shape, random: random.fork(2), server: missing ? { missing } : server, fault };
  }

  passed(direction: 'C' | 'S', what: Uint8Array | string): void {
    if (this.#transcript === undefined) return;
    const bytes = typeof what === 'string' ? undefined : Buffer.from(what).toString('latin1');
    this.#note(`${direction}: ${bytes === undefined ? what : JSON.stringify(bytes)}`);
  }

  lies(line: number): void {
    this.#note('(the server lies)');
    this.#line(line).lied = true;
  }

  injects(line: number): void {
    this.#line(line).injected = true;
  }

  heard({ verb, line }: ServerCommand, session: ServerSession): void {
    const dialled = this.#line(session.number);
    const { tls = 'optional', auth } = this.#options;
    if (verb === 'HELO') dialled.limited = false; // nothing is offered, nothing limited
    if (verb === 'MAIL') dialled.mails++;
    if (session.secure) return;
    const allowed = tls === 'implicit' ? /^CONNECT$/ : /^(?:CONNECT|[EL]HLO|STARTTLS)$/;
    if ((tls === 'implicit' || tls === 'always') && !allowed.test(verb)) this.#accuse(`${verb} in clear`);
    if (auth?.allowPlaintext !== true && (verb === 'AUTH' || verb === 'RESPONSE' || leaks(line)))
      this.#accuse(`credentials in clear: ${line}`);
  }

  #line(number: number): Dialled {
    const line = this.#lines[number - 1];
    if (line === undefined) throw new Error(`there is no line ${number}`);
    return line;
  }

  // ── the client ──

  #wrapped(transport: Transport): Transport {
    const { wrapper, throwsAt } = this.#habits;
    if (wrapper !== undefined) return withFaults(transport, { ...wrapper, clock: this.clock });
    return throwsAt === undefined ? transport : throwing(transport, throwsAt);
  }

  #ring(): void {
    if (this.#inside) this.#accuse('the async callback is called inside execute()');
    if (this.#rung) this.#accuse('the async callback is called twice');
    this.#rung = true;
  }

  #hear(event: SmtpEvent): void {
    this.#told++;
    if (!this.#inside) this.#accuse(`${event.name} is told outside execute()`);
    if (this.#transcript !== undefined) this.#note(`→ ${short(event)}${reasonOf(event)}`);
    const error = 'error' in event ? event.error : 'reason' in event ? event.reason : undefined;
    if (error instanceof SmtpError && (leaks(error.message) || leaks(error.command ?? '')))
      this.#accuse(`${event.name} tells the password`);
  }

  #trace(): Set<number> {
    const ended = new Set<number>();
    this.client.on('COMMAND', ({ line, message }) => {
      if (message !== undefined && (line === '.' || line.endsWith(' LAST'))) ended.add(message.id);
      if (leaks(line)) this.#accuse('COMMAND tells the password');
      if (!this.#inside) this.#accuse('COMMAND is told outside execute()');
    });
    this.client.on('REPLY', () => {});
    this.client.on('STATE', () => {});
    return ended;
  }

  // ── the loop ──

  /** Runs to the end; gives way where Node's own ticks are needed. */
  *run(): Generator<void, Report> {
    const { clock, client } = this;
    const { sleeps, lateMs } = this.#habits;
    const until = clock.now() + longestMs;
    let said: ReturnType<WatchedClient['execute']> = 'idle';
    let turns = 0;
    for (; turns < mostTurns && clock.now() < until; turns++) {
      if (this.#random.chance(0.7)) this.#caller.go();
      if (!sleeps || this.#rung || said === 'more') said = this.#turn();
      if (turns === this.#habits.savesAt) this.#copy();
      yield;
      if (said === 'more' || this.#rung) continue;
      const at = sleeps ? clock.next : Math.min(clock.next, clock.now() + client.readTimer());
      if (at !== Number.POSITIVE_INFINITY) clock.advanceTo(at + (lateMs && this.#random.int(lateMs)));
      else if (!this.#rest()) break;
    }
    if (turns >= mostTurns) this.#accuse(`it goes on after ${turns} turns`);
    if (clock.now() >= until) this.#accuse('it goes on after ten days');
    this.#judge();
    return this.#report();
  }

  #turn(): ReturnType<WatchedClient['execute']> {
    this.#inside = true;
    this.#rung = false;
    try {
      return this.client.execute(this.#habits.budget);
    } catch (error) {
      this.#accuse(`execute() threw ${error instanceof Error ? error.stack : String(error)}`);
      return 'idle';
    } finally {
      this.#inside = false;
    }
  }

  /** A copy of the client, saved and restored, stands where the client stands. */
  #copy(): void {
    const { wrapper, throwsAt } = this.#habits;
    if (this.ticks || wrapper !== undefined || throwsAt !== undefined) return;
    this.#copies++;
    for (const what of copyProblems(this.client, this.#options, this.clock.now())) this.#accuse(what);
  }

  /** Nothing can happen by itself. False: that was all. */
  #rest(): boolean {
    const { client } = this;
    const told = this.#told;
    if (this.#turn() === 'more' || this.#told > told) this.#accuse('a wake-up was lost');
    if (client.readTimer() !== Number.POSITIVE_INFINITY) this.#accuse('a deadline does not ring');
    if (this.#caller.waitsForDrain && this.#finite && client.can('sendBody')) this.#accuse('no DRAIN came');
    if (this.#caller.nudge()) {
      this.#caller.go();
      return true;
    }
    if (client.state === 'disconnected') return false;
    this.#note(`(the world leaves, from '${client.state}')`);
    if (this.#left < client.lives.length && client.can('disconnect')) {
      this.#left = client.lives.length;
      client.disconnect();
      return true;
    }
    if (!client.can('abort')) {
      this.#accuse(`it cannot be left in '${client.state}'`);
      return false;
    }
    if (this.#finite) this.#accuse(`it hangs in '${client.state}'`);
    client.abort();
    return true;
  }

  /** Every wait has a limit. */
  get #finite(): boolean {
    return this.#options.timeouts?.commandMs !== Number.POSITIVE_INFINITY;
  }

  // ── the verdict ──

  #judge(): void {
    const { client } = this;
    const { tls, protocol } = this.#options;
    const lmtp = protocol === 'lmtp';
    this.#wrong.push(...falsehoods(client, { lmtp, secure: tls === 'always' || tls === 'implicit' }));
    if (this.clock.waiting > 0) this.#accuse(`${this.clock.waiting} wake-ups are left`);
    const liars = new Set(this.#lines.filter(({ lied }) => lied).map(({ life }) => life));
    this.#wrong.push(
      ...disagreements({
        client,
        written: this.#caller.written,
        messages: this.#lines.flatMap(({ server }) => server.kit.messages),
        lied: (life) => liars.has(life),
        mayEndEmpty: (life) =>
          this.#lines.some((line) => line.life === life && line.plan.server.extensions.includes('XEXCH50')),
        ended: this.#ended,
      }),
    );
    for (const line of this.#lines) if (!line.lied) this.#judgeLine(line);
  }

  /** What the client did on a line whose server said only what it did. */
  #judgeLine({ plan, server, life, limited, mails, injected }: Dialled): void {
    const mismatch = (this.#options.tls === 'implicit') !== (plan.server.tls === 'implicit');
    if (!mismatch) for (const one of server.kit.violations) this.#accuse(`the client broke a rule: ${one}`);
    const most = Number(/MAILMAX=(\d)/.exec(String(plan.server.extensions))?.[1] ?? Number.POSITIVE_INFINITY);
    if (limited && mails > most) this.#accuse(`${mails} messages, and the server takes ${most}`);
    if (injected && this.client.lives[life]?.events.some(({ name }) => name === 'CONNECTED'))
      this.#accuse('what was slipped in before TLS was not noticed');
  }

  #accuse(what: string): void {
    this.#note(`WRONG ${what}`);
    if (this.#wrong.length < 20) this.#wrong.push(what);
  }

  #note(text: string): void {
    this.#transcript?.push(`${(this.clock.now() - Date.UTC(2026, 0, 1)).toFixed(0).padStart(7)} ${text}`);
  }

  #report(): Report {
    const met: Record<string, number> = { copies: this.#copies };
    for (const { events } of this.client.lives)
      for (const { name } of events) met[name] = (met[name] ?? 0) + 1;
    const transcript = this.#transcript ?? [];
    const digest = this.#transcript && createHash('sha256').update(transcript.join('\n')).digest('hex');
    const head = [`seed ${this.#seed}`, JSON.stringify(this.#options), JSON.stringify(this.#habits)];
    return { seed: this.#seed, wrong: this.#wrong, digest, transcript: [...head, ...transcript], met };
  }
}

function reasonOf(event: SmtpEvent): string {
  if ('error' in event) return ` (${event.error.message})`;
  return 'reason' in event && event.reason !== undefined ? ` (${event.reason.message})` : '';
}
