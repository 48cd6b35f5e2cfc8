/**
 * Plays a recorded session: a new client is called as the old one was, at the same times, and gets the same octets, the
 * same chance. What it writes and tells must be the same too. The format is in recording.ts.
 */
import { fromJson, type Json } from '../json.ts';
import type { Target, TlsOptions, Transport, TransportEvent } from '../transport/transport.ts';
import { codeOf, plainResult, type RecordingParts } from './record.ts';
import {
  type CallName,
  type Deed,
  hashOf,
  type Line,
  type Recordable,
  recordingFormat,
  Sealer,
  sha256,
} from './recording.ts';

/** What came of it. */
export interface Replayed<C> {
  readonly client: C;
  /** All that the client wrote, on all its lines. Logins are in it. */
  readonly octets: Uint8Array;
  readonly events: readonly { readonly name: string }[];
}

/** The recording cannot be read, or the client went another way: `line` of the file, from 1. */
export class ReplayError extends Error {
  override readonly name = 'ReplayError';
  readonly line: number;

  constructor(line: number, message: string) {
    super(`recording, line ${line}: ${message}`);
    this.line = line;
  }
}

/**
 * Plays the text of a recording to its end.
 * @param make makes the client as it was made for {@link record}; credentials come from here
 * @param target `auth` and `tlsOptions` that `connect()` was given: they are not in the file
 * @throws ReplayError
 */
export function replay<C extends Recordable>(
  text: string,
  make: (parts: RecordingParts) => C,
  target: object = {},
): Replayed<C> {
  const player = new Player(read(text), target);
  const client = make(player.parts);
  client.on('event', (event) => player.told(event));
  player.play(client);
  return { client, octets: Buffer.concat(player.written), events: player.events };
}

interface Numbered {
  readonly number: number;
  readonly line: Line;
}

class Player {
  readonly written: Uint8Array[] = [];
  readonly events: { readonly name: string }[] = [];
  readonly parts: RecordingParts;
  readonly #lines: readonly Numbered[];
  readonly #target: object;
  #at = 0;
  #now = 0;
  #client: Recordable | undefined;
  /** A divergence must come out, though the client takes what its transport throws for the line's fault. */
  #failure: ReplayError | undefined;

  constructor(lines: readonly Numbered[], target: object) {
    this.#lines = lines;
    this.#target = target;
    this.parts = {
      transport: this.#transport(),
      clock: { now: () => this.#now },
      random: (bytes) => {
        const line = this.#take(`${bytes} random octets`, (next) => ('random' in next ? next : undefined));
        return line.random;
      },
    };
  }

  play(client: Recordable): void {
    this.#client = client;
    this.#take('the first line', (next) => ('smtpump' in next ? next : undefined));
    while (this.#playCall());
    this.#take('a call', (next) => ('end' in next ? next : undefined));
  }

  told(event: { readonly name: string }): void {
    // a stream of a body hears first
    while (this.#playCall());
    const heard = `the event ${event.name}`;
    const { told, sha256: hash } = this.#take(heard, (next) => ('told' in next ? next : undefined));
    if (told !== event.name || hash !== hashOf(event)) this.#differ(heard, -1);
    this.events.push(event);
    while (this.#playCall());
    const name = this.#threwHere();
    if (name !== undefined) throw Object.assign(new Error('a listener threw'), { name });
  }

  /** A turn that throws has told its last event: what it threw was a listener's of that one. */
  #threwHere(): string | undefined {
    for (let at = this.#at, depth = 0; at < this.#lines.length; at++) {
      const line = this.#lines[at]?.line;
      if (line === undefined || 'told' in line) return undefined;
      if ('call' in line) depth++;
      if ('done' in line && depth-- === 0) return line.threw;
    }
    return undefined;
  }

  /** Makes the call that comes next; false where none does. */
  #playCall(): boolean {
    const next = this.#lines[this.#at]?.line;
    if (next === undefined || !('call' in next)) return false;
    this.#at++;
    this.#now = next.now;
    const { done, threw } = this.#run(next.call, next.args);
    if (this.#failure !== undefined) throw this.#failure;
    const outcome = threw ?? JSON.stringify(done);
    const was = this.#take(`${next.call}() gives ${outcome}`, (line) => ('done' in line ? line : undefined));
    if (was.threw !== threw || JSON.stringify(was.done) !== JSON.stringify(done)) {
      this.#differ(`${next.call}() gives ${outcome}`, -1);
    }
    return true;
  }

  #run(
    name: CallName,
    args: readonly unknown[],
  ): { readonly done: Json; readonly threw: string | undefined } {
    const method: unknown = this.#client && Reflect.get(this.#client, name);
    if (typeof method !== 'function' || this.#client === undefined)
      throw new TypeError(`the client has no ${name}()`);
    const given = args.map((one) => argumentAgain(name, one, this.#target));
    if (name === 'connect' && given.length === 0) given.push(this.#target);
    try {
      return { done: plainResult(Reflect.apply(method, this.#client, given)), threw: undefined };
    } catch (error) {
      return { done: null, threw: codeOf(error) };
    }
  }

  #transport(): Transport {
    return {
      onReady: undefined,
      open: (target: Target) => this.#deed({ out: 'open', target }),
      secure: ({ servername }: TlsOptions) => this.#deed({ out: 'secure', servername }),
      close: (graceful) => this.#deed({ out: 'close', graceful }),
      write: (bytes) => {
        const next = this.#lines[this.#at]?.line;
        const room = next !== undefined && 'room' in next ? next.room : true;
        this.#deed({ out: 'write', octets: bytes.length, sha256: sha256(bytes), room });
        this.written.push(bytes.slice());
        return room;
      },
      poll: () => this.#poll(),
    };
  }

  #poll(): TransportEvent | undefined {
    const next = this.#lines[this.#at]?.line;
    if (next !== undefined && 'poll' in next) {
      this.#at++;
      return next.poll;
    }
    if (next !== undefined && 'out' in next && next.out === 'poll') this.#deed({ out: 'poll' });
    return undefined;
  }

  #deed(deed: Deed): void {
    const what = describe(deed);
    const { threw, ...was } = this.#take(what, (next) => ('out' in next ? next : undefined));
    if (JSON.stringify(sorted(was)) !== JSON.stringify(sorted(deed))) this.#differ(what, -1);
    if (threw !== undefined) throw threw;
  }

  #take<L extends Line>(what: string, pick: (next: Line) => L | undefined): L {
    const next = this.#lines[this.#at]?.line;
    const picked = next && pick(next);
    if (picked === undefined) return this.#differ(what, 0);
    this.#at++;
    return picked;
  }

  #differ(what: string, by: number): never {
    const at = Math.min(this.#at + by, this.#lines.length - 1);
    const { number = 0, line } = this.#lines[at] ?? {};
    const expected = line === undefined ? 'nothing more' : describe(line);
    this.#failure ??= new ReplayError(
      number,
      `the replay goes another way: expected ${expected}, got ${what}`,
    );
    throw this.#failure;
  }
}

/** Checks every line before the first call is made. */
function read(text: string): Numbered[] {
  const sealer = new Sealer();
  const lines = text
    .split('\n')
    .flatMap((one, index) => (one.trim() === '' ? [] : [readLine(one, index + 1, sealer)]));
  const [first] = lines;
  const last = lines.at(-1);
  if (first === undefined || !('smtpump' in first.line)) throw new ReplayError(1, 'it is no recording');
  if (first.line.format !== recordingFormat) {
    throw new ReplayError(1, `its format is ${first.line.format}, this version reads ${recordingFormat}`);
  }
  if (last === undefined || !('end' in last.line))
    throw new ReplayError((last?.number ?? 0) + 1, 'it was cut: no end');
  return lines;
}

function readLine(text: string, number: number, sealer: Sealer): Numbered {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ReplayError(number, 'it is no JSON: cut or changed');
  }
  if (typeof json !== 'object' || json === null || !('seal' in json))
    throw new ReplayError(number, 'it has no seal');
  const { seal, ...line } = json;
  // JSON.parse gives nothing else
  const plain = line as Json;
  if (sealer.seal(plain) !== seal)
    throw new ReplayError(number, 'it, or a line before it, was changed or lost');
  // sealed: written by `record`
  return { number, line: fromJson(plain) as Line };
}

function argumentAgain(name: CallName, value: unknown, target: object): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if ('$nothing' in value) return undefined;
  if (name === 'connect') return { ...value, ...target };
  const date = 'date' in value ? value.date : undefined;
  if (typeof date === 'object' && date !== null && '$date' in date)
    return { ...value, date: new Date(Number(date.$date)) };
  return value;
}

function describe(line: Line | Deed): string {
  const [key = '', value] = Object.entries(line)[0] ?? [];
  if (key === 'out') return `the client's ${JSON.stringify({ ...line, out: undefined })} (${value})`;
  return `${key} ${JSON.stringify(value)}`.slice(0, 200);
}

const sorted = (object: object): unknown[] =>
  Object.entries(object)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [key, typeof value === 'object' ? sorted(Object(value)) : value])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
