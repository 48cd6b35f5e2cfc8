/**
 * A strict player of written dialogues: what the client says must be what stands there, to the octet. It has no
 * opinion about SMTP.
 *
 * ```
 * S: 220 mx.example ESMTP          the server says it
 * C: EHLO client.example           the client must say it (`C:` alone is an empty line)
 * C\ no line end                   the same, with no CRLF behind it
 * -- tls [ok|fail|stall|…]         a handshake
 * -- close | reset | stall         the server does it
 * -- closed                        the client must close before it says anything else
 * -- connection                    the rest is the next connection
 * # a remark
 * ```
 */
import type { Handshake, SimLine, SimServer } from '../transport/exchange.ts';
import type { Random } from '../transport/random.ts';

export interface TranscriptOptions {
  /** Send the server's bytes in pieces of so many. @default as long as possible */
  readonly chunk?: number | undefined;
  /** Cut them at random places. */
  readonly random?: Random | undefined;
}

export interface Mismatch {
  /** Of the transcript, from 1; 0 = past its end. */
  readonly line: number;
  readonly expected: string;
  readonly got: string;
}

interface Entry {
  readonly line: number;
  readonly kind: 'S' | 'C' | 'tls' | 'close' | 'reset' | 'stall' | 'closed';
  readonly text: string;
}

/** Shorthand for `new TranscriptServer(text, options)`. */
export function transcript(text: string, options: TranscriptOptions = {}): TranscriptServer {
  return new TranscriptServer(text, options);
}

export class TranscriptServer implements SimServer {
  readonly mismatches: Mismatch[] = [];
  readonly #sections: readonly (readonly Entry[])[];
  readonly #options: TranscriptOptions;
  readonly #players: Player[] = [];

  constructor(text: string, options: TranscriptOptions = {}) {
    this.#sections = parse(text);
    this.#options = options;
  }

  accept(line: SimLine): void {
    const entries = this.#sections[this.#players.length];
    if (entries === undefined) {
      this.mismatches.push({ line: 0, expected: 'no more connections', got: `connection ${line.number}` });
      line.reset();
      return;
    }
    this.#players.push(new Player(line, entries, this.#options, this.mismatches));
  }

  /** Has the whole transcript been played? */
  get finished(): boolean {
    return (
      this.#players.length === this.#sections.length && this.#players.every(({ rest }) => rest === undefined)
    );
  }

  /** Throws, with the first difference, unless all was said as it stands there. */
  verify(): void {
    const [first] = this.mismatches;
    if (first !== undefined) {
      const { line, expected, got } = first;
      throw new Error(
        `transcript, line ${line}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`,
      );
    }
    if (this.finished) return;
    const open = this.#players.find(({ rest }) => rest !== undefined)?.rest;
    const where =
      open === undefined ? 'the next connection' : `line ${open.line}: ${open.kind}: ${open.text}`;
    throw new Error(`transcript: the dialogue stopped before ${where}`);
  }
}

/** One connection's part. */
class Player {
  readonly #line: SimLine;
  readonly #entries: readonly Entry[];
  readonly #options: TranscriptOptions;
  readonly #mismatches: Mismatch[];
  #next = 0;
  #heard: Buffer = Buffer.alloc(0);
  #shaking = false;

  constructor(line: SimLine, entries: readonly Entry[], options: TranscriptOptions, mismatches: Mismatch[]) {
    this.#line = line;
    this.#entries = entries;
    this.#options = options;
    this.#mismatches = mismatches;
    line.onBytes = (bytes) => {
      this.#heard = Buffer.concat([this.#heard, bytes]);
      if (this.#shaking) this.#differ(this.rest, 'a TLS handshake', this.#heard.toString());
      else this.#play();
    };
    line.onSecure = () => {
      this.#shaking = false;
      this.#next++;
      this.#play();
    };
    line.onClose = () => this.#closed();
    this.#play();
  }

  /** What has not been played. */
  get rest(): Entry | undefined {
    return this.#entries[this.#next];
  }

  #play(): void {
    let said = '';
    while (!this.#shaking) {
      const entry = this.rest;
      if (entry?.kind === 'S') {
        said += `${entry.text}\r\n`;
        this.#next++;
        continue;
      }
      this.#say(said);
      said = '';
      if (!this.#turn(entry)) return;
    }
  }

  /** Does one entry that is not the server's talk; false when something is awaited. */
  #turn(entry: Entry | undefined): boolean {
    if (entry === undefined || entry.kind === 'closed') {
      if (this.#heard.length > 0) this.#differ(entry, entry?.text ?? '', this.#heard.toString());
      return false;
    }
    if (entry.kind === 'C') return this.#listen(entry);
    if (entry.kind === 'tls') {
      if (this.#heard.length > 0) this.#differ(entry, 'a TLS handshake', this.#heard.toString());
      this.#shaking = true;
      this.#line.startTls(handshakeOf(entry.text));
      // Without an answer to it the transcript has done its part.
      if (entry.text === 'fail' || entry.text === 'stall') this.#next++;
      return false;
    }
    this.#next++;
    if (entry.kind === 'close') this.#line.end();
    else if (entry.kind === 'reset') this.#line.reset();
    else this.#line.stall();
    return entry.kind === 'close';
  }

  #listen(entry: Entry): boolean {
    const expected = Buffer.from(entry.text);
    const got = this.#heard.subarray(0, expected.length);
    if (!got.equals(expected.subarray(0, got.length))) {
      this.#differ(entry, entry.text, this.#heard.toString());
      return false;
    }
    if (got.length < expected.length) return false;
    this.#heard = this.#heard.subarray(expected.length);
    this.#next++;
    return true;
  }

  #say(text: string): void {
    const bytes = Buffer.from(text);
    const { chunk = bytes.length, random } = this.#options;
    for (let from = 0; from < bytes.length; ) {
      const size = random === undefined ? chunk : 1 + random.int(bytes.length - from);
      this.#line.write(bytes.subarray(from, from + size));
      from += size;
    }
  }

  #closed(): void {
    // A client that refused the certificate closes in the middle of the handshake.
    if (this.#shaking) this.#next++;
    const entry = this.rest;
    if (entry?.kind === 'closed') this.#next++;
    else if (entry !== undefined) this.#differ(entry, entry.text, 'the client closed');
  }

  #differ(entry: Entry | undefined, expected: string, got: string): void {
    this.#mismatches.push({ line: entry?.line ?? 0, expected, got });
    this.#line.reset();
  }
}

function parse(text: string): readonly (readonly Entry[])[] {
  const sections: Entry[][] = [[]];
  text.split(/\r?\n/).forEach((source, i) => {
    const entry = parseLine(source, i + 1);
    if (entry === 'connection') sections.push([]);
    else if (entry !== undefined) sections.at(-1)?.push(entry);
  });
  return sections;
}

function parseLine(source: string, line: number): Entry | 'connection' | undefined {
  if (source.trim() === '' || source.startsWith('#')) return undefined;
  const spoken = /^([SC])([:\\])(?: (.*))?$/.exec(source);
  if (spoken !== null) {
    const [, who, end, said = ''] = spoken;
    if (who === 'S') return { line, kind: 'S', text: said };
    return { line, kind: 'C', text: end === ':' ? `${said}\r\n` : said };
  }
  const [, act, detail = ''] = /^-- (\w+)(?: (\S+))?$/.exec(source) ?? [];
  switch (act) {
    case 'connection':
      return 'connection';
    case 'tls':
    case 'close':
    case 'reset':
    case 'stall':
    case 'closed':
      return { line, kind: act, text: detail };
    default:
      throw new Error(`transcript, line ${line}: cannot be read: ${source}`);
  }
}

function handshakeOf(text: string): Handshake {
  if (text === '') return 'ok';
  if (text === 'fail' || text === 'stall' || text === 'wrong-name' || text === 'untrusted') return text;
  if (text === 'ok') return 'ok';
  throw new Error(`transcript: no such handshake: ${text}`);
}
