/**
 * The server at the end of one line: the scripted server of the testing kit, overruled here and there by chance. What
 * it took over it knows itself; here stands only what it says. It knows nothing of the client.
 */
import {
  type Random,
  type ReplyPlan,
  ScriptedServer,
  type ServerCommand,
  type ServerSession,
  type SimLine,
  type SimServer,
} from 'smtpump/testing';
import type { LinePlan, Mood, Strike, Unasked } from './draw.ts';
import { type Manners, NastyLine } from './nasty-line.ts';

/** What a world wants to know of its servers while they run. */
export interface Witness extends Pick<Manners, 'passed'> {
  /** The server says yes to what it has not done: what the client believes from here on proves nothing. */
  lies(line: number): void;
  injects(line: number): void;
  heard(command: ServerCommand, session: ServerSession): void;
}

const refusals = [
  450, 451, 452, 455, 500, 501, 502, 503, 503, 504, 530, 535, 550, 552, 553, 554, 554, 599, 400,
];
const texts = [
  'no',
  '',
  '5.1.1 nobody here',
  '9.9.9 odd',
  '5.7',
  '2.0.0 is no no',
  'not ünïcode 漢字',
  ' 4.3.2  ',
];
const garbage = [
  'HTTP/1.1 400 Bad\r\n',
  '\x16\x03\x01\x02',
  '2500 hi\r\n',
  '25\r\n',
  '250_ok\r\n',
  '150 go\r\n',
];
const more = [
  '250-a\r\n550 b\r\n',
  `250 ${'x'.repeat(5000)}\r\n`,
  `${'250-x\r\n'.repeat(600)}250 x\r\n`,
  '\r\n'.repeat(9),
];
/** Codes that must stay what they are: the client has to understand them, not only their class. */
const exact = new Set(['CONNECT', 'EHLO', 'LHLO', 'HELO', 'STARTTLS', 'AUTH', 'RESPONSE', 'QUIT', 'DATA']);

export class RandomServer implements SimServer {
  readonly kit: ScriptedServer;
  readonly #plan: LinePlan;
  readonly #random: Random;
  readonly #witness: Witness;
  readonly #number: number;
  #answers = 0;

  constructor(number: number, plan: LinePlan, random: Random, witness: Witness, lmtp: boolean) {
    this.#number = number;
    this.#plan = plan;
    this.#random = random;
    this.#witness = witness;
    this.kit = new ScriptedServer({
      ...plan.server,
      lmtp,
      seed: number,
      reply: (command, session, own) => this.#reply(command, session, own),
    });
  }

  accept(line: SimLine): void {
    const { mood, handshake } = this.#plan;
    const nasty = new NastyLine(line, {
      handshake,
      dripMs: mood.dripMs,
      injected: mood.injected,
      passed: (direction, what) => this.#witness.passed(direction, what),
      onInjected: () => this.#witness.injects(this.#number),
    });
    const { unasked } = mood;
    if (unasked !== undefined) line.after(unasked.ms, () => this.#speakUp(unasked.what, nasty));
    this.kit.accept(nasty);
  }

  #speakUp(what: Unasked, line: NastyLine): void {
    switch (what) {
      case 'shutdown':
        return line.lastWord('421 4.3.2 closing\r\n');
      case 'garbage':
        this.#lie(); // the answers that follow are one behind
        return void line.write(this.#random.pick(garbage) ?? '');
      case 'reply':
        this.#lie();
        return void line.write('250 2.0.0 nobody asked\r\n');
      case 'end':
        return line.lastWord('');
      case 'reset':
        return line.reset();
      case 'stall':
        return line.stall();
      case 'pause':
        line.pause();
        return line.after(this.#random.int(1000), () => line.resume());
      default:
        what satisfies never;
    }
  }

  #reply(
    command: ServerCommand,
    session: ServerSession,
    own: string | readonly string[],
  ): ReplyPlan | undefined {
    const { mood } = this.#plan;
    this.#witness.heard(command, session);
    this.#answers++;
    const { strike } = mood;
    if (strike?.n === this.#answers) return this.#strike(strike.what, own);
    if (mood.delay + mood.refusal + mood.ornament === 0) return undefined;
    const reply = this.#words(command.verb, own, mood);
    const delayMs = this.#random.chance(mood.delay) ? this.#random.int(mood.delayMs + 1) : undefined;
    return delayMs === undefined ? { reply } : { reply, delayMs };
  }

  #words(verb: string, own: string | readonly string[], mood: Mood): string | readonly string[] {
    const yes = codeOf(own) < 400;
    if (yes && this.#random.chance(mood.refusal)) return this.#refusal();
    if (!this.#random.chance(mood.ornament)) return own;
    if (exact.has(verb)) return decorated(own);
    if (!yes) return this.#refusal();
    const code = this.#random.pick([250, 250, 251, 252, 299]) ?? 250;
    return this.#lines(code, this.#random.chance(0.1) ? 60 : 1 + this.#random.int(3));
  }

  #refusal(): string | readonly string[] {
    return this.#lines(this.#random.pick(refusals) ?? 500, this.#random.chance(0.2) ? 2 : 1);
  }

  #lines(code: number, count: number): readonly string[] {
    return Array.from({ length: count }, () => {
      const text = this.#random.pick(texts) ?? '';
      return `${code} ${text}`;
    });
  }

  #strike(what: Strike, own: string | readonly string[]): ReplyPlan {
    switch (what) {
      case 'silence':
        return { raw: '', stall: true };
      case 'half':
        return { raw: this.#random.pick(['2', '250-go', '250', '5', '354 go\r']) ?? '', stall: true };
      case 'drop':
        return this.#random.chance(0.5) ? { raw: '', drop: true } : { reply: own, drop: true };
      case 'reset':
        return this.#random.chance(0.5) ? { raw: '', reset: true } : { reply: own, reset: true };
      case 'shutdown':
        return { reply: this.#lines(421, 1 + this.#random.int(2)), drop: true };
      case 'shutdownAndStay':
        return { reply: '421 4.3.2 but I stay' };
      case 'garbage':
        return { raw: this.#random.pick([...garbage, ...more]) ?? '', stall: true };
      case 'wrongClass':
        // a 250 to EHLO would be a right one, that takes back what was offered
        return {
          reply: `${this.#random.pick(typeof own === 'string' ? [354, 299, 250, 220, 399] : [354, 299])} odd`,
        };
      case 'twice':
        this.#lie();
        return { raw: `${text(own)}${text(own)}` };
      case 'blankLines':
        return { raw: `\r\n\r\n${text(own)}` };
      case 'anyway':
        // content that nobody can get, or an answer that nobody can follow
        return { reply: '354 go on all the same' };
      default:
        return what satisfies never;
    }
  }

  #lie(): void {
    this.#witness.lies(this.#number);
  }
}

function codeOf(reply: string | readonly string[]): number {
  return Number((typeof reply === 'string' ? reply : (reply[0] ?? '')).slice(0, 3));
}

/** One line more in front, of the same code. */
function decorated(own: string | readonly string[]): string | readonly string[] {
  const lines = typeof own === 'string' ? [own] : own;
  const [first = ''] = lines;
  return first.startsWith('334') ? own : [`${first.slice(0, 3)} well …`, ...lines];
}

/** On the wire. */
function text(own: string | readonly string[]): string {
  const lines = typeof own === 'string' ? [own] : own;
  const last = lines.length - 1;
  return lines.map((line, at) => `${line.slice(0, 3)}${at < last ? '-' : ' '}${line.slice(4)}\r\n`).join('');
}
