/**
 * An SMTP or LMTP server in memory: polite by itself, overruled by a script, and with a memory of all that was said.
 * It stores mail nowhere else.
 */

import { checkOptionsOf } from '../checks.ts';
import { fromJson, type Json, seal, toJson, unseal } from '../json.ts';
import type { SimLine, SimServer } from '../transport/exchange.ts';
import { Random } from '../transport/random.ts';
import { type ServerMessage, type ServerOptions, serverChecks } from './script.ts';
import { ServerSession } from './session.ts';
import type { Recorder } from './step.ts';

type SavedSession = ReturnType<ServerSession['save']>;

interface SavedServer {
  readonly records: Partial<ScriptedServer>;
  readonly random: readonly number[];
  readonly sessions: readonly { readonly number: number; readonly session: SavedSession }[];
}

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
  readonly #sessions = new Set<ServerSession>();
  /** So many are looked through for those whose line broke, which nobody tells. */
  #lookAt = 8;
  /** Sessions that were restored and have no line yet. */
  #parked: { readonly number: number; readonly session: SavedSession }[] = [];

  /** @throws SmtpUsageError EINVAL, naming the option */
  constructor(options: ServerOptions = {}) {
    checkOptionsOf(options, serverChecks, 'ScriptedServer');
    this.#options = options;
    this.#random = new Random(options.seed ?? 1);
  }

  accept(line: SimLine): void {
    this.accepted++;
    this.#serve(line).start();
  }

  #serve(line: SimLine): ServerSession {
    const session = new ServerSession(line, this.#options, this.#recorder(), this.#random);
    if (this.#sessions.size >= this.#lookAt) {
      for (const one of this.#sessions) if (one.line.over) this.#sessions.delete(one);
      this.#lookAt = Math.max(8, 2 * this.#sessions.size);
    }
    this.#sessions.add(session);
    if (this.#options.record !== false) this.connections.push(session);
    return session;
  }

  /**
   * All that it knows but its options: what it has recorded, and where each open connection stands. What was said is
   * in it, logins too.
   */
  save(): Json {
    const { commands, messages, reads, log, violations, delivered, accepted } = this;
    const records = { commands, messages, reads, log, violations, delivered, accepted };
    const lasting = [...this.#sessions].filter(({ line }) => !line.over);
    const sessions = lasting.map((session) => ({
      number: session.number,
      session: session.save(),
    }));
    return seal('server', toJson({ records, random: this.#random.save(), sessions }));
  }

  /**
   * Goes on where another server stood, which had the same options. Of its connections the open ones come back, each
   * with the client whose line it is.
   * @throws SmtpUsageError EINVAL
   */
  restore(json: Json): void {
    const saved = fromJson(unseal('server', json)) as SavedServer;
    Object.assign(this, saved.records);
    this.#random.load(saved.random);
    this.#parked = [...saved.sessions];
  }

  resume(line: SimLine): void {
    const at = this.#parked.findIndex(({ number }) => number === line.number);
    const [parked] = at < 0 ? [] : this.#parked.splice(at, 1);
    if (parked === undefined)
      throw new Error(`restore the server first: it has no connection ${line.number}`);
    this.#serve(line).load(parked.session);
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
      delivered: (message, again) => {
        if (!again) this.delivered++;
        if (!keep) return;
        const at = this.messages.findLastIndex(({ connection }) => connection === message.connection);
        if (again && at >= 0) this.messages[at] = message;
        else this.messages.push(message);
      },
      left: (session) => this.#sessions.delete(session),
    };
  }
}
