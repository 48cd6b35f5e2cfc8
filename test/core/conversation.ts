/**
 * All conversations between a caller, the client and a server within some bounds: the caller calls what is legal, the
 * server answers yes or no, the line is lost, in every order. Each is made by playing it from the start, and two that
 * have come to the same are followed once. What must be true of a conversation is the test's business.
 */
import { SmtpClient, type SmtpEvent } from '../../src/index.ts';
import { VirtualClock } from '../../src/testing/index.ts';
import { HandServer } from './hand.ts';

export interface Bounds {
  readonly pipelining: boolean;
  readonly lmtp: boolean;
  readonly messages: number;
  readonly recipients: number;
  readonly resets: number;
  /** Is CHUNKING offered? Each body then goes in two chunks. */
  readonly chunking?: boolean;
  /** How often the server may answer 503 to MAIL. */
  readonly early?: number;
}

export type Move =
  | 'sendSender'
  | 'sendRecipient'
  | 'sendBom'
  | 'sendEom'
  | 'reset'
  | 'disconnect'
  | 'yes'
  | 'no'
  | 'early'
  | 'lost';

/** What may be called, in a conversation or to see it refused. */
export type CallerStep =
  | Extract<Move, `send${string}` | 'reset' | 'disconnect'>
  | 'connect'
  | 'sendBody'
  | 'noop';

const steps = ['sendSender', 'sendRecipient', 'sendBom', 'sendEom', 'reset', 'disconnect'] as const;

export class Conversation {
  readonly server: HandServer;
  readonly client: SmtpClient;
  readonly events: SmtpEvent[] = [];
  /** Of each message, the ids of its recipients. */
  readonly messages: { readonly id: number; readonly recipients: number[] }[] = [];
  /** Positions of the mail chart that were met, in order. */
  readonly positions: string[] = [];
  /** Where each message is in its chart, by its id. */
  readonly at = new Map<number, string>();
  readonly moves: Move[] = [];
  readonly #bounds: Bounds;
  #connection = '';

  constructor(bounds: Bounds, moves: readonly Move[]) {
    this.#bounds = bounds;
    const { lmtp } = bounds;
    this.server = new HandServer(lmtp, bounds.pipelining);
    this.client = new SmtpClient({
      host: 'mx.example.test',
      localName: 'client.example.test',
      // a header is worth a chunk of its own
      bodyBufferBytes: 1,
      protocol: lmtp ? 'lmtp' : 'smtp',
      tls: 'never',
      transport: this.server.transport,
      clock: new VirtualClock(),
      pump: 'manual',
    });
    this.client.on('event', (event: SmtpEvent) => {
      this.events.push(event);
    });
    this.client.on('STATE', ({ chart, message, to }) => {
      if (chart === 'connection') this.#connection = to;
      else this.positions.push(to);
      if (message !== undefined) this.at.set(message.id, to);
    });
    this.client.connect();
    this.#pump();
    this.server.say('220 mx.example.test');
    this.#pump();
    this.server.forget();
    const offers = [...(bounds.pipelining ? ['PIPELINING'] : []), ...(bounds.chunking ? ['CHUNKING'] : [])];
    const lines = ['mx.example.test', ...offers];
    this.server.say(lines.map((line, at) => `250${at < offers.length ? '-' : ' '}${line}`).join('\r\n'));
    this.#pump();
    for (const move of moves) this.move(move);
  }

  count(move: Move): number {
    return this.moves.filter((made) => made === move).length;
  }

  /** DISCONNECTED was told. */
  get ended(): boolean {
    return this.events.at(-1)?.name === 'DISCONNECTED';
  }

  /** All that can happen next. */
  get open(): Move[] {
    if (this.ended) return [];
    const { server, client } = this;
    const called = steps.filter((step) => client.can(step) && this.#within(step));
    const answers: Move[] = server.due.length === 0 ? [] : [...(server.mayAgree ? ['yes' as const] : [])];
    if (server.due.length > 0 && server.mayRefuse) answers.push('no');
    if (server.due[0] === 'MAIL' && this.count('early') < (this.#bounds.early ?? 0)) answers.push('early');
    return [...called, ...answers, 'lost'];
  }

  /** What has come about; conversations that agree in it go on in the same ways. */
  get key(): string {
    const { server, messages } = this;
    const told = this.events.map(({ name, ...event }) => [name, 'step' in event ? event.step : '']);
    const made = steps.map((step) => this.count(step));
    return JSON.stringify([[...this.at], this.#connection, told, made, messages, server.key]);
  }

  move(move: Move): void {
    this.moves.push(move);
    if (move === 'yes' || move === 'no') this.server.answer(move === 'yes');
    else if (move === 'early') this.server.answer(false, '503 5.5.1 not now');
    else if (move === 'lost') this.server.lose();
    else this.call(move);
    this.#pump();
  }

  /** Calls a step of the client, legal or not. */
  call(step: CallerStep): void {
    const { client, messages } = this;
    if (step === 'sendSender') {
      const { id } = client.sendSender(`m${messages.length + 1}@example.test`);
      messages.push({ id, recipients: [] });
    } else if (step === 'sendRecipient') {
      const { id } = client.sendRecipient('b@example.test');
      messages.at(-1)?.recipients.push(id);
    } else if (step === 'sendBom') client.sendBom({ subject: `m${messages.length}` });
    else if (step === 'sendBody') client.sendBody('x');
    else client[step]();
  }

  #within(step: (typeof steps)[number]): boolean {
    const { messages, recipients, resets } = this.#bounds;
    if (step === 'sendSender') return this.messages.length < messages;
    if (step === 'sendRecipient') return (this.messages.at(-1)?.recipients.length ?? 0) < recipients;
    return this.count(step) < (step === 'reset' ? resets : step === 'disconnect' ? 1 : Infinity);
  }

  #pump(): void {
    for (let turn = 0; this.client.execute() === 'more'; turn++) {
      if (turn > 50) throw new Error(`the pump never stops: ${this.moves.join(' ')}`);
    }
  }
}

/** Every conversation within the bounds, those that came to the same once; the shortest first. */
export function* conversations(bounds: Bounds): Generator<Conversation> {
  const seen = new Set<string>();
  const queue: (readonly Move[])[] = [[]];
  for (const moves of queue) {
    const conversation = new Conversation(bounds, moves);
    const { key } = conversation;
    if (seen.has(key)) continue;
    seen.add(key);
    const ways = conversation.open.map((move) => [...moves, move]);
    queue.push(...ways);
    yield conversation;
  }
}
