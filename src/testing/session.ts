/**
 * One connection of a scripted server: cuts what arrives into lines, texts and chunks, asks the script and else the
 * {@link Dialogue} for the answers, and sends them in order. It also notes where the client breaks the rules of
 * pipelining or of line ends. It decides no answer itself.
 */
import type { SimLine } from '../transport/exchange.ts';
import { joinBytes } from '../transport/pipe.ts';
import type { Random } from '../transport/random.ts';
import { ContentReader } from './content.ts';
import { Dialogue } from './dialogue.ts';
import {
  barriers,
  codeOf,
  longestLine,
  planOf,
  type ReplyPlan,
  replyLines,
  type ServerCommand,
  type ServerMessage,
  type ServerOptions,
} from './script.ts';
import type { Reading, Recorder, Step } from './step.ts';

const decoder = new TextDecoder();
const nothing = new Uint8Array(0);

export class ServerSession {
  readonly line: SimLine;
  /** Did the client or the server close? */
  closed = false;
  readonly #options: ServerOptions;
  readonly #recorder: Recorder;
  readonly #dialogue: Dialogue;
  #rest: Uint8Array = nothing;
  #content = new ContentReader();
  #chunk: Uint8Array[] = [];
  #chunkBytes = 0;
  /** Answers that are due before any more is read. */
  #steps: Step[] = [];
  /** Waiting for a delay or a handshake; `deaf` for ever. */
  #busy = false;
  #deaf = false;
  /** The answer that is being delayed, and until when. */
  #thinking: { readonly step: Step; readonly plan: ReplyPlan; readonly until: number } | undefined;
  #working = false;
  #out: (string | Uint8Array)[] = [];

  constructor(line: SimLine, options: ServerOptions, recorder: Recorder, random: Random) {
    this.line = line;
    this.#options = options;
    this.#recorder = recorder;
    const host = {
      startTls: () => this.#startTls(),
      end: () => this.#end(),
      deliver: (message: ServerMessage, again: boolean) => recorder.delivered(message, again),
    };
    this.#dialogue = new Dialogue(options, this, host, random);
    line.onBytes = (bytes) => this.#arrived(bytes);
    line.onSecure = () => this.#secured();
    line.onClose = () => {
      this.closed = true;
      recorder.left(this);
    };
  }

  /** A new connection. */
  start(): void {
    if (this.#options.tls === 'implicit') this.#startTls();
    else this.#greet();
  }

  save() {
    const thinking = this.#thinking;
    return {
      closed: this.closed,
      rest: this.#rest,
      content: this.#content.save(),
      chunk: this.#chunk,
      chunkBytes: this.#chunkBytes,
      steps: this.#steps,
      busy: this.#busy,
      deaf: this.#deaf,
      thinking: thinking && { ...thinking, until: thinking.until - this.line.clock.now() },
      dialogue: this.#dialogue.save(),
    };
  }

  /** Goes on where another one stood, in place of {@link start}. */
  load(saved: ReturnType<ServerSession['save']>): void {
    this.closed = saved.closed;
    this.#rest = saved.rest;
    this.#content.load(saved.content);
    this.#chunk = saved.chunk;
    this.#chunkBytes = saved.chunkBytes;
    this.#steps = saved.steps;
    this.#busy = saved.busy;
    this.#deaf = saved.deaf;
    this.#dialogue.load(saved.dialogue);
    if (saved.thinking !== undefined)
      this.#think(saved.thinking.step, saved.thinking.plan, saved.thinking.until);
  }

  /** The number of the connection, from 1. */
  get number(): number {
    return this.line.number;
  }

  get secure(): boolean {
    return this.line.secure;
  }

  /** Who is logged in. */
  get user(): string | undefined {
    return this.#dialogue.login.user;
  }

  /** Name given with EHLO, LHLO or HELO. */
  get clientName(): string | undefined {
    return this.#dialogue.clientName;
  }

  /** Sends octets out of turn, as they are. */
  say(raw: string | Uint8Array): void {
    this.#out.push(raw);
    this.#flush();
  }

  #greet(): void {
    this.#steps.push(this.#dialogue.greet());
    this.#work();
  }

  #arrived(bytes: Uint8Array): void {
    this.#recorder.arrived(bytes);
    if (this.#deaf) return;
    const early = this.#thinking;
    this.#rest = this.#rest.length === 0 ? bytes : joinBytes([this.#rest, bytes]);
    if (early !== undefined) this.#checkGroup(early.step.command.verb);
    this.#work();
  }

  /** Answers what is due and reads what is there, until something is awaited. */
  #work(): void {
    if (this.#working) return;
    this.#working = true;
    while (!this.#busy && !this.#deaf) {
      const step = this.#steps.shift();
      if (step !== undefined) this.#answer(step);
      else if (!this.#read(this.#dialogue.reading)) break;
    }
    this.#working = false;
    this.#flush();
  }

  /** Reads one unit; false when it is not all there. */
  #read(reading: Reading): boolean {
    if (reading === 'content') return this.#readContent();
    if (reading === 'line') return this.#readLine();
    return this.#readChunk(reading.chunk, reading.command);
  }

  #readLine(): boolean {
    const end = this.#rest.indexOf(10);
    if (end < 0) {
      if (this.#rest.length > longestLine) this.#end('a line without end');
      return false;
    }
    const bare = end === 0 || this.#rest[end - 1] !== 13;
    const bytes = this.#rest.subarray(0, bare ? end : end - 1);
    this.#rest = this.#rest.subarray(end + 1);
    const line = decoder.decode(bytes);
    if (bare || bytes.includes(13)) this.#recorder.violated(`a bare CR or LF in ${JSON.stringify(line)}`);
    this.#recorder.heard(line);
    this.#recorder.said(`C: ${line}`);
    this.#steps.push(...this.#dialogue.line(line));
    const verb = this.#steps[0]?.command.verb;
    if (verb !== undefined) this.#checkGroup(verb);
    return true;
  }

  #readContent(): boolean {
    if (this.#rest.length === 0) return false;
    const { taken, done } = this.#content.take(this.#rest);
    this.#rest = this.#rest.subarray(taken);
    if (!done) return false;
    const data = this.#content.content();
    if (this.#content.bareLineEnds > 0) this.#recorder.violated('a bare CR or LF in the text after DATA');
    this.#recorder.said(`C: <text of ${data.length} octets>`);
    this.#content = new ContentReader();
    this.#steps.push(...this.#dialogue.content(data));
    this.#checkGroup('CONTENT');
    return true;
  }

  #readChunk(size: number, command: ServerCommand): boolean {
    const wanted = size - this.#chunkBytes;
    if (this.#rest.length > 0 && wanted > 0) {
      // The client may use its buffer again once the bytes are here.
      const part = this.#rest.slice(0, wanted);
      this.#chunk.push(part);
      this.#chunkBytes += part.length;
      this.#rest = this.#rest.subarray(part.length);
    }
    if (this.#chunkBytes < size) return false;
    this.#recorder.said(`C: <chunk of ${size} octets>`);
    const data = joinBytes(this.#chunk);
    this.#chunk = [];
    this.#chunkBytes = 0;
    this.#steps.push(...this.#dialogue.chunk(data, command));
    this.#checkGroup('BDAT');
    return true;
  }

  /** What follows in the same arrival was sent before our answer. */
  #checkGroup(verb: string): void {
    if (this.#rest.length === 0) return;
    if (barriers.has(verb)) this.#recorder.violated(`something follows ${verb} in its group`);
    else if (!this.#dialogue.announces('PIPELINING'))
      this.#recorder.violated(`something follows ${verb} without PIPELINING`);
  }

  #answer(step: Step): void {
    const plan = planOf(this.#options.reply?.(step.command, this, step.reply), step.reply);
    const delayMs = plan.delayMs ?? this.#options.delayMs ?? 0;
    if (delayMs === 0) {
      this.#carryOut(plan, step);
      return;
    }
    this.#busy = true;
    this.#flush();
    this.#think(step, plan, delayMs);
  }

  #think(step: Step, plan: ReplyPlan, delayMs: number): void {
    this.#thinking = { step, plan, until: this.line.clock.now() + delayMs };
    this.line.after(delayMs, () => {
      this.#busy = false;
      this.#thinking = undefined;
      this.#carryOut(plan, step);
      this.#work();
    });
  }

  #carryOut(plan: ReplyPlan, step: Step): void {
    const text = this.#send(plan);
    if (text !== undefined) this.#dialogue.act(step, codeOf(text));
    if (plan.drop === true) this.#end();
    if (plan.reset === true || plan.stall === true) this.#flush();
    if (plan.stall === true) this.#deaf = true;
    if (plan.reset === true) {
      this.#deaf = this.closed = true;
      this.line.reset();
      this.#recorder.left(this);
    }
  }

  /** @returns the text that was sent */
  #send({ raw, reply }: ReplyPlan): string | undefined {
    if (raw !== undefined) {
      this.#out.push(raw);
      const text = typeof raw === 'string' ? raw : decoder.decode(raw);
      this.#recorder.said(`S: ${text}`);
      return text;
    }
    if (reply === undefined) return undefined;
    const lines = replyLines(reply);
    for (const line of lines) this.#recorder.said(`S: ${line}`);
    this.#out.push(`${lines.join('\r\n')}\r\n`);
    return lines.at(-1);
  }

  #flush(): void {
    const out = this.#out;
    if (out.length === 0) return;
    this.#out = [];
    this.line.write(joinBytes(out.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))));
  }

  #startTls(): void {
    this.#flush();
    this.#busy = true;
    if (this.#rest.length > 0) this.#rest = nothing;
    this.line.startTls(this.#options.handshake ?? 'ok');
  }

  #secured(): void {
    this.#recorder.said('-- tls');
    this.#busy = false;
    this.#dialogue.startAnew();
    if (this.#options.tls === 'implicit') this.#greet();
  }

  #end(violation?: string): void {
    if (violation !== undefined) this.#recorder.violated(violation);
    this.#flush();
    this.#deaf = this.closed = true;
    this.line.end();
  }
}
