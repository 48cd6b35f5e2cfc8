/**
 * One watched client, a scripted server whose first connection can be held and broken, a tapped line and a virtual
 * clock. It runs until the client is disconnected, and then proves that the same client can still send mail.
 */
import type { SmtpClientOptions } from 'smtpump';
import {
  type LineFault,
  type ReplyPlan,
  runUntil,
  ScriptedServer,
  type ServerCommand,
  type ServerOptions,
  type ServerSession,
  SimNetwork,
  type Transport,
  VirtualClock,
} from 'smtpump/testing';
import { short } from '../client/support.ts';
import { Tap } from './tap.ts';
import { falsehoods } from './truths.ts';
import { sendWhole, WatchedClient } from './watched.ts';

export interface RigOptions {
  readonly client?: SmtpClientOptions;
  readonly server?: ServerOptions;
  /** Answers on the first connection, before the polite server does. */
  readonly script?: (command: ServerCommand, session: ServerSession) => ReplyPlan | string | undefined;
  /** The handshake of the first connection. */
  readonly handshake?: ServerOptions['handshake'];
  /** The fault of the first line. */
  readonly fault?: LineFault | undefined;
  readonly wrap?: (transport: Transport, clock: VirtualClock) => Transport;
  /** The server says what is not so: its mail is not compared. @default false */
  readonly lying?: boolean;
}

export class Rig {
  readonly clock = new VirtualClock();
  readonly server: ScriptedServer;
  readonly tap: Tap;
  readonly client: WatchedClient;
  /** What listeners threw. */
  readonly thrown: unknown[] = [];
  lying: boolean;
  readonly #options: RigOptions;

  constructor(options: RigOptions = {}) {
    const { script, handshake, fault, wrap } = options;
    this.#options = options;
    this.lying = options.lying ?? false;
    // asked for once more when the server is made
    const first = (): boolean => ((this.server as ScriptedServer | undefined)?.accepted ?? 0) <= 1;
    this.server = new ScriptedServer({
      ...options.server,
      get handshake() {
        return first() ? handshake : 'ok';
      },
      reply: (command, session) => (session.number === 1 ? script?.(command, session) : undefined),
    });
    const net = new SimNetwork({ clock: this.clock });
    net.listen('*', this.server, { fault: (n) => (n === 1 ? fault : undefined) });
    const inner = net.transport();
    this.tap = new Tap(wrap?.(inner, this.clock) ?? inner);
    this.client = new WatchedClient({
      host: 'mx.example.test',
      localName: 'client.example.test',
      pump: 'manual',
      random: (n) => new Uint8Array(n).fill(7),
      ...options.client,
      transport: this.tap,
      clock: this.clock,
    });
  }

  /** The server's end of the newest line. */
  get session(): ServerSession | undefined {
    return this.server.connections.at(-1);
  }

  /** Does all that can be done without time passing. */
  settle(): void {
    for (let turn = 0; this.#crank() === 'more' || this.clock.next <= this.clock.now(); turn++) {
      if (turn > 10_000) throw new Error('it never comes to rest');
      this.clock.advance(0);
    }
  }

  /** Runs until DISCONNECTED; where nothing can happen any more, the caller leaves, and that must do. */
  finish(): void {
    for (const help of [undefined, () => this.client.disconnect()]) {
      if (this.client.state !== 'disconnected' && help !== undefined) help();
      try {
        const crank = { execute: () => this.#crank(), readTimer: () => this.client.readTimer() };
        runUntil(crank, this.clock, () => this.ended, 50_000);
      } catch (error) {
        if (help !== undefined) throw error;
      }
      if (this.ended) return;
    }
  }

  get ended(): boolean {
    return this.client.state === 'disconnected' && this.client.execute() === 'idle';
  }

  /** What is not as it must be, after the end and after one more mail on the same client. */
  verdict(): string[] {
    this.finish();
    const { lmtp } = this.#options.server ?? {};
    const { tls } = this.#options.client ?? {};
    const rules = { lmtp: lmtp === true, secure: tls === 'always' || tls === 'implicit' };
    const wrong = falsehoods(this.client, { ...rules, server: this.lying ? undefined : this.server });
    if (wrong.length > 0) return this.#explain(wrong);
    this.client.afterEvent = this.client.drive = undefined;
    this.client.connect();
    sendWhole(this.client);
    this.settle();
    this.client.disconnect();
    this.finish();
    const names = this.client.life.events.map(({ name }) => name);
    const end = this.client.life.events.at(-1);
    if (!names.includes('EOM_ACK') || (end?.name === 'DISCONNECTED' && end.reason !== undefined))
      wrong.push(`the next connection went wrong: ${names}`);
    wrong.push(...falsehoods(this.client, { ...rules, server: this.lying ? undefined : this.server }));
    wrong.push(...this.server.violations.map((text) => `the client broke a rule: ${text}`));
    return this.#explain(wrong);
  }

  /** The events of the first connection, in short. */
  get story(): string[] {
    return (this.client.lives[0]?.events ?? []).map(short);
  }

  #explain(wrong: string[]): string[] {
    if (wrong.length > 0)
      wrong.push(`events: ${this.story.join(', ')}`, `dialogue: ${this.server.log.join(' | ')}`);
    return wrong;
  }

  #crank(): ReturnType<WatchedClient['execute']> {
    try {
      return this.client.execute();
    } catch (error) {
      this.thrown.push(error);
      return 'more';
    }
  }
}
