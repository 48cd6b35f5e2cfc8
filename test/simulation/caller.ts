/**
 * A caller who follows a plan drawn by chance: step by step, ahead, or now so and now so; and who tries, now and then,
 * what is not allowed. Every step is checked against `can()`. It knows the client's public face only.
 */
import type { Writable } from 'node:stream';
import { type SmtpEvent, SmtpUsageError } from 'smtpump';
import type { Random } from 'smtpump/testing';
import type { WatchedClient } from '../faults/watched.ts';
import { answeredSteps } from '../support/steps.ts';
import { drawBody, type Written } from './bodies.ts';

type Step = Parameters<WatchedClient['can']>[0];

/** One thing to do; true: done, false: it goes on when something has happened. */
type Deed = () => boolean;

export interface CallerHost {
  readonly client: WatchedClient;
  readonly random: Random;
  /** Body streams and promises need Node's own ticks. */
  readonly ticks: boolean;
  /** A body of this world is checked for bare line ends. */
  readonly refusesBareLineEnds: boolean;
  wrong(what: string): void;
  note(text: string): void;
  /** Calls back after so many ms. */
  wake(ms: number, fn: () => void): void;
}

const allEnds = ['disconnect', 'disconnect', 'disconnect', 'abort', 'nothing'] as const;

export class Caller {
  /** What was written into each message, by its id. */
  readonly written = new Map<number, Written>();
  readonly #host: CallerHost;
  /** How likely it waits for an answer after a step: 0 calls all ahead, 1 goes step by step. */
  readonly #patience: number;
  /** Steps are called by listeners, not only between turns. */
  readonly #listens: boolean;
  readonly #mischief: number;
  #deeds: Deed[] = [];
  #waits: 'no' | 'answer' | 'drain' | 'wake' | 'stream' | 'quiet' = 'no';
  #lives: number;
  #senders = 0;
  #recipients = 0;
  #stream: Writable | undefined;

  constructor(host: CallerHost) {
    const { random } = host;
    this.#host = host;
    this.#patience = random.pick([0, 0, 1, 0.1, 0.5]);
    this.#listens = random.chance(0.6);
    this.#mischief = random.pick([0, 0, 0.05]);
    this.#lives = 1 + random.pick([0, 0, 0, 1, 2]);
    host.client.on('event', (event) => this.#hear(event));
    this.#planLife();
  }

  /** Waits for bytes of a body to be wanted. */
  get waitsForDrain(): boolean {
    return this.#waits === 'drain';
  }

  get done(): boolean {
    return this.#deeds.length === 0 && this.#lives === 0;
  }

  /** Goes on with the plan as far as it likes. */
  go(): void {
    const { random } = this.#host;
    while (this.#waits === 'no') {
      const [deed] = this.#deeds;
      if (deed === undefined) return;
      if (random.chance(this.#mischief)) this.#stray();
      if (deed()) this.#deeds.shift();
      if (this.#waits === 'no' && random.chance(this.#patience)) this.#waits = 'answer';
      if (random.chance(0.1)) return;
    }
  }

  /** Nothing can happen by itself: waits no longer. False where nothing can be done. */
  nudge(): boolean {
    if (this.#waits === 'drain') return false;
    if (this.#stream !== undefined && this.#waits === 'stream') this.#stream.destroy();
    this.#waits = 'no';
    return this.#deeds.length > 0;
  }

  #hear(event: SmtpEvent): void {
    if (event.name === 'DISCONNECTED') {
      this.#deeds = [];
      this.#waits = 'no';
      this.#stream = undefined;
      if (this.#lives > 0) this.#planLife();
    } else if (event.name === 'DRAIN') {
      if (this.#waits === 'drain') this.#waits = 'no';
    } else if (this.#waits === 'answer') this.#waits = 'no';
    if (this.#listens && this.#host.random.chance(0.7)) this.go();
  }

  // ── the plan ──

  #planLife(): void {
    const { client, random } = this.#host;
    this.#lives--;
    const count = random.pick([0, 1, 1, 2, 3, 6]);
    this.#do('connect', () => client.connect());
    for (let n = 0; n < count; n++) this.#planMessage();
    this.#sometimes();
    const end = random.pick(allEnds);
    if (end === 'nothing') return;
    if (random.chance(0.8)) this.#deeds.push(() => this.#rest());
    else if (random.chance(0.5)) this.#pause();
    this.#do(end, () => client[end]());
    if (random.chance(0.1)) this.#do('disconnect', () => client.disconnect());
  }

  #planMessage(): void {
    const { client, random } = this.#host;
    const rare = random.chance(0.12);
    // where the message is left off, or taken back, if it is
    const until = rare ? random.int(5) : 5;
    const how = random.pick(['raw', 'raw', 'mime', 'generated'] as const);
    const binary = random.chance(0.06);
    this.#do('sendSender', () => this.#sender(binary));
    for (let n = random.pick([0, 1, 1, 1, 2, 3, random.chance(0.05) ? 40 : 1]); n > 0 && until > 0; n--)
      this.#do('sendRecipient', () => this.#recipient());
    this.#sometimes();
    if (until > 1) this.#do('sendBom', () => this.#bom(how));
    if (until > 2) this.#planBody(until > 3);
    if (rare && random.chance(0.6)) this.#do('reset', () => client.reset());
    this.#sometimes();
  }

  #planBody(ends: boolean): void {
    const { client, random, ticks } = this.#host;
    const chunks = drawBody(random);
    if (ticks && random.chance(0.4)) {
      this.#deeds.push(() => this.#pour(chunks, ends));
      return;
    }
    for (const chunk of chunks) {
      let left: Uint8Array | string =
        random.chance(0.2) && isText(chunk) ? Buffer.from(chunk).toString() : chunk;
      this.#deeds.push(() => {
        left = this.#give(left);
        if (left.length > 0) this.#waits = 'drain';
        return left.length === 0;
      });
      this.#sometimes(0.02);
    }
    if (ends) this.#deeds.push(() => this.#end(client));
  }

  /** What may stand between any two answeredSteps. */
  #sometimes(p = 0.06): void {
    const { client, random } = this.#host;
    if (!random.chance(p)) return;
    const kind = random.int(6);
    if (kind < 2) this.#pause();
    else if (kind < 4) this.#do('noop', () => client.noop());
    else if (kind === 4) this.#do('reset', () => client.reset());
    else this.#deeds.push(() => !this.#stray());
  }

  #pause(): void {
    const { random, wake } = this.#host;
    const ms = random.pick([0, 1, 30, 1000, 400_000]);
    this.#deeds.push(() => {
      this.#waits = 'wake';
      wake(ms, () => {
        if (this.#waits === 'wake') this.#waits = 'no';
      });
      return true;
    });
  }

  /** Until nothing happens any more. */
  #rest(): boolean {
    this.#waits = 'quiet';
    return true;
  }

  // ── the steps ──

  #do(step: Step, call: () => unknown): void {
    this.#deeds.push(() => {
      this.#attempt(step, call);
      return true;
    });
  }

  /** Calls the step, and checks that `can()` said what came of it. Undefined: it threw. */
  #attempt<T>(step: Step, call: () => T): { readonly result: T } | { readonly code: string } {
    const { client, wrong, note } = this.#host;
    const legal = client.can(step);
    let code: string | undefined;
    let result: T | undefined;
    try {
      result = call();
    } catch (error) {
      if (!(error instanceof SmtpUsageError)) {
        wrong(`${step}() threw ${error instanceof Error ? error.stack : String(error)}`);
        code = 'not ours';
      } else code = error.code;
    }
    note(`  ${step}() ${code ?? ''}`);
    const forbidden = code === 'EPERM' || code === 'ENOTCONN' || code === 'EISCONN';
    if (legal === forbidden)
      wrong(`can('${step}') is ${legal}, and it ${code ? `throws ${code}` : 'does not throw'}`);
    if (code === 'EINVAL' && !this.#host.refusesBareLineEnds) wrong(`${step}() throws EINVAL`);
    // without a code nothing was thrown, and the result is there
    return code === undefined ? { result: result as T } : { code };
  }

  #sender(binary: boolean): void {
    const { client, random } = this.#host;
    const extra = random.chance(0.1)
      ? random.pick([
          { ret: 'hdrs' as const },
          { size: 1200 },
          { body: '8bitmime' as const },
          { smtputf8: true },
        ])
      : {};
    const address = `from${++this.#senders}@a.example`;
    const { id } = client.sendSender({ address, ...extra, ...(binary && { body: 'binarymime' as const }) });
    this.written.set(id, { from: address, how: 'raw', binary, taken: [] });
  }

  #recipient(): void {
    const { client, random } = this.#host;
    const domain = random.pick(['b.example', 'c.example']);
    client.sendRecipient({
      address: `to${++this.#recipients}@${domain}`,
      type: random.pick(['to', 'cc', 'bcc']),
      ...(random.chance(0.05) && { notify: 'never' as const }),
    });
  }

  #bom(how: Written['how']): void {
    const { client } = this.#host;
    if (how === 'raw') client.sendBom({ raw: true });
    else client.sendBom({ subject: 'a subject', ...(how === 'mime' && { mime: true }) });
    const written = this.#newest;
    if (written !== undefined) written.how = how;
  }

  /** What is left of the chunk. */
  #give(chunk: Uint8Array | string): Uint8Array | string {
    const { client } = this.#host;
    const took = this.#attempt('sendBody', () => client.sendBody(chunk));
    if ('code' in took) return '';
    if (typeof chunk === 'string') {
      const octets = Buffer.from(chunk);
      if (took.result === octets.length) this.#took(octets);
      else if (took.result !== 0)
        this.#host.wrong(`sendBody() took ${took.result} of a string of ${octets.length}`);
      return took.result === 0 ? chunk : '';
    }
    this.#took(chunk.subarray(0, took.result));
    return chunk.subarray(took.result);
  }

  #took(octets: Uint8Array): void {
    this.#newest?.taken.push(octets);
  }

  get #newest(): Written | undefined {
    const begun = this.#host.client.lives.at(-1)?.begun.at(-1);
    return begun && this.written.get(begun.message.id);
  }

  /** A lone CR at the end gets its LF. */
  #end(client: WatchedClient): boolean {
    const ended = this.#attempt('sendEom', () => client.sendEom());
    if (!('code' in ended) || ended.code !== 'EINVAL') return true;
    return this.#give('\n').length > 0 || this.#end(client);
  }

  /** The body as a stream. */
  #pour(chunks: readonly Uint8Array[], ends: boolean): boolean {
    const { client, random } = this.#host;
    const made = this.#attempt('sendBody', () => client.bodyStream());
    if ('code' in made) return true;
    const stream = made.result;
    this.#stream = stream;
    this.#waits = 'stream';
    stream.on('error', () => {});
    stream.on('close', () => {
      if (this.#waits === 'stream' && this.#stream === stream) this.#waits = 'no';
    });
    for (const chunk of chunks) {
      this.#took(chunk);
      stream.write(chunk);
    }
    if (ends) stream.end();
    else if (random.chance(0.5)) stream.destroy();
    return true;
  }

  /** A step that is out of place more often than not. */
  #stray(): boolean {
    const { client, random } = this.#host;
    const step = random.pick(answeredSteps) ?? 'noop';
    const calls: Partial<Record<Step, () => unknown>> = {
      connect: () => client.connect(),
      sendSender: () => this.#sender(false),
      sendRecipient: () => this.#recipient(),
      sendBom: () => this.#bom('raw'),
      sendEom: () => client.sendEom(),
      reset: () => client.reset(),
      noop: () => client.noop(),
    };
    const call = calls[step];
    if (step === 'sendBody') this.#give('stray\r\n');
    else if (call !== undefined) this.#attempt(step, call);
    return false;
  }
}

const isText = (chunk: Uint8Array): boolean =>
  Buffer.from(chunk)
    .toString('latin1')
    .search(/[^ -~\r\n\t]/) < 0;
