/**
 * Many messages called ahead on one connection, with a scripted server on a virtual clock; writes down how each ended.
 * What must be true of that is said by {@link Flight.wrongs}, and the rest is the test's business.
 */
import { SmtpClient, type SmtpClientOptions, type SmtpEvent } from 'smtpump';
import {
  type LineShape,
  memory,
  runUntil,
  ScriptedServer,
  type ServerOptions,
  VirtualClock,
} from 'smtpump/testing';
import { settle, short } from '../client/support.ts';

const rttMs = 20;
export const chunking = ['PIPELINING', 'CHUNKING', '8BITMIME'];
export const groups = ['PIPELINING', '8BITMIME'];

export interface FlightPlan {
  readonly server: ServerOptions;
  readonly client?: SmtpClientOptions;
  readonly line?: LineShape;
}

export class Flight {
  readonly clock = new VirtualClock();
  readonly server: ScriptedServer;
  readonly client: SmtpClient;
  readonly events: SmtpEvent[] = [];
  /** How each message ended, by its id. */
  readonly outcomes = new Map<number, string>();
  /** Those whose end has left. */
  readonly endLeft = new Set<number>();
  down = false;
  /** When DISCONNECTED was told, ms. */
  endedAt = 0;
  #connectedAt = 0;
  #overAt = 0;

  constructor({ server, client, line }: FlightPlan) {
    this.server = new ScriptedServer(server);
    const { clock } = this;
    const transport = memory(this.server, { clock, latencyMs: rttMs / 2, ...line });
    this.client = new SmtpClient({ transport, clock, pump: 'manual', localName: 'c.example', ...client });
    this.client.on('event', (event) => this.#hear(event));
    this.client.on('COMMAND', ({ line, message }) => {
      if (message && (line === '.' || line.endsWith(' LAST'))) this.endLeft.add(message.id);
    });
  }

  /** Calls all steps of these messages, and goes on until each has its outcome. */
  fly(first: number, last: number): this {
    for (let n = first; n <= last; n++) send(this.client, n);
    this.until(() => this.outcomes.size >= last || this.down);
    return this;
  }

  until(done: () => boolean): void {
    runUntil(this.client, this.clock, done);
  }

  /** Until nothing more can happen for half a minute. */
  settle(): void {
    settle(this.client, this.clock, 30_000);
  }

  /** The ids of those that ended so. */
  ended(how: string): number[] {
    return [...this.outcomes].filter(([, is]) => is === how).map(([id]) => id);
  }

  /** What was told of a message, in short. */
  told(id: number): string[] {
    return this.events.filter((event) => 'message' in event && event.message?.id === id).map(short);
  }

  /** Round trips from CONNECTED to the last outcome. */
  get trips(): number {
    return (this.#overAt - this.#connectedAt) / rttMs;
  }

  /** The texts that the server took over, in its order. */
  get stored(): string[] {
    return this.server.messages.map(({ data }) => Buffer.from(data).toString());
  }

  /** What is not as it must be, when messages 1 to `count` have been sent by {@link send}. */
  wrongs(count: number): string[] {
    const wrong = [...this.server.violations];
    for (let id = 1; id <= count; id++) {
      const how = this.outcomes.get(id) ?? 'no outcome';
      const copies = this.server.messages.filter(({ data }) => Buffer.from(data).toString() === textOf(id));
      const right = how === 'delivered' ? copies.length === 1 : how === 'unknown' || copies.length === 0;
      if (!right || copies.length > 1 || how === 'no outcome')
        wrong.push(`${id}: ${how}, ${copies.length} copies`);
      if (how === 'unknown' && !this.endLeft.has(id)) wrong.push(`${id}: unknown, and its end never left`);
      if (how === 'unsent' && this.endLeft.has(id)) wrong.push(`${id}: unsent, and its end has left`);
      for (const { from, to } of copies)
        if (from !== `from${id}@a.example` || to.join() !== `to${id}@b.example`)
          wrong.push(`${id} went from ${from} to ${to}`);
    }
    const known = new Set(Array.from({ length: count }, (_, at) => textOf(at + 1)));
    for (const text of this.stored)
      if (!known.has(text)) wrong.push(`the server has ${JSON.stringify(text)}`);
    return wrong;
  }

  #hear(event: SmtpEvent): void {
    this.events.push(event);
    if (event.name === 'CONNECTED') this.#connectedAt = this.clock.now();
    if (event.name === 'EOM_ACK') this.#over(event.message.id, 'delivered');
    if (event.name === 'SERVER_ERROR' || event.name === 'SERVER_RETRY') {
      const lmtpVerdict = event.step === 'sendEom' && event.recipient !== undefined;
      const ends = event.step !== 'sendRecipient' && !lmtpVerdict;
      if (ends && event.message) this.#over(event.message.id, `${event.step} ${event.reply?.code}`);
    }
    if (event.name !== 'DISCONNECTED') return;
    for (const { message, outcome } of event.messages) this.#over(message.id, outcome);
    this.down = true;
    this.endedAt = this.clock.now();
  }

  #over(id: number, how: string): void {
    if (this.outcomes.has(id)) throw new Error(`message ${id} ended twice: ${this.outcomes.get(id)}, ${how}`);
    this.outcomes.set(id, how);
    this.#overAt = this.clock.now();
  }
}

/** Connects and sends that many messages. */
export function fly(count: number, server: ServerOptions, client: SmtpClientOptions = {}): Flight {
  const flight = new Flight({ server, client });
  flight.client.connect();
  return flight.fly(1, count);
}

/** All steps of the n-th message. */
export function send(client: SmtpClient, n: number): void {
  client.sendSender(`from${n}@a.example`);
  client.sendRecipient(`to${n}@b.example`);
  client.sendBom({ raw: true });
  client.sendBody(`Subject: ${n}\r\n\r\n.text ${n}\n`);
  client.sendEom();
}

/** The n-th message as the server should have it. */
export const textOf = (n: number): string => `Subject: ${n}\r\n\r\n.text ${n}\r\n`;

export const texts = (first: number, last: number): string[] =>
  Array.from({ length: last - first + 1 }, (_, at) => textOf(first + at));

/** 1 to `count`, but for some. */
export const ids = (count: number, ...without: number[]): number[] =>
  Array.from({ length: count }, (_, at) => at + 1).filter((id) => !without.includes(id));
