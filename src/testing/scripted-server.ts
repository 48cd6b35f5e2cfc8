/**
 * An SMTP or LMTP server in memory: polite by itself, overruled by a script, and with a memory of all that was said.
 * It stores mail nowhere else.
 */
import type { SimLine, SimServer } from '../transport/exchange.ts';
import { Random } from '../transport/random.ts';
import type { ServerMessage, ServerOptions } from './script.ts';
import { type Recorder, ServerSession } from './session.ts';

export class ScriptedServer implements SimServer {
  /** Command lines and answers to challenges as received. */
  commands: string[] = [];
  /** Messages taken over. */
  messages: ServerMessage[] = [];
  /** One for each arrival: with no latency and no cuts, the client's writes. */
  reads: Uint8Array[] = [];
  /** Each connection that was accepted, oldest first. */
  connections: ServerSession[] = [];
  /** The dialogue: `S: …`, `C: …`. Contents stand in it as their size only. */
  log: string[] = [];
  /** Rules that the client broke: bare line ends, something sent behind DATA, EHLO and the like. */
  violations: string[] = [];
  /** Counted even when nothing is recorded. */
  delivered = 0;
  accepted = 0;
  readonly #options: ServerOptions;
  readonly #random: Random;

  constructor(options: ServerOptions = {}) {
    this.#options = options;
    this.#random = new Random(options.seed ?? 1);
  }

  accept(line: SimLine): void {
    this.accepted++;
    const session = new ServerSession(line, this.#options, this.#recorder(), this.#random);
    if (this.#options.record !== false) this.connections.push(session);
  }

  /** Connections that neither side has closed. */
  get open(): number {
    return this.connections.filter(({ closed }) => !closed).length;
  }

  /** Forgets what was recorded. */
  forget(): void {
    this.commands = [];
    this.messages = [];
    this.reads = [];
    this.log = [];
    this.violations = [];
    this.connections = this.connections.filter(({ closed }) => !closed);
  }

  #recorder(): Recorder {
    const keep = this.#options.record !== false;
    return {
      // A copy: the client may use its buffer again.
      arrived: (bytes) => keep && this.reads.push(bytes.slice()),
      heard: (line) => keep && this.commands.push(line),
      said: (line) => keep && this.log.push(line),
      violated: (text) => this.violations.push(text),
      delivered: (message) => {
        this.delivered++;
        if (keep) this.messages.push(message);
      },
    };
  }
}
