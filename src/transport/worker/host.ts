/**
 * The pump's side of the thread of sockets: starts it when the first line is opened, shares it among all clients of
 * the process, and lets the process end without it. It knows no bytes.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type ThreadData, type ToPump, type ToSockets, threadEnded } from './messages.ts';

/** Who is told what happens to a line. */
export interface Guest {
  /** There may be something in shared memory. */
  signalled(): void;
  /** The thread is gone, and the line with it. */
  gone(error: Error): void;
}

/** A line's place in the thread. */
export interface Seat {
  readonly line: number;
  readonly thread: Thread;
}

/** A client that connects again soon finds the thread, and the TLS sessions that it remembers. */
const lingerDefaultMs = 5000;
const endedText = 'the thread of the sockets has ended';

let thread: Thread | undefined;
let lastLine = 0;

/** A place for one line, in the thread that runs or in a new one. @param keeps the line keeps the process alive */
export function takeSeat(guest: Guest, keeps: boolean): Seat {
  if (thread?.enter() !== true) {
    thread = new Thread();
    thread.enter();
  }
  const line = ++lastLine;
  thread.seat(line, guest, keeps);
  return { line, thread };
}

/**
 * The file that the thread runs: the built one also where this file is not, because Node 20 runs no `.ts` in a worker.
 * All that is built lies in one folder (build.mjs).
 * @throws Error where it is missing
 */
export function threadFile(): URL {
  const here = import.meta.url;
  const built = here.endsWith('.ts') ? '../../../dist/thread.js' : './thread.js';
  const file = new URL(built, here);
  if (existsSync(file)) return file;
  const advice = here.endsWith('.ts')
    ? 'run `npm run build` first'
    : 'a bundle has to leave the package smtpump outside';
  throw new Error(`worker(): the file of its thread is missing: ${fileURLToPath(file)}; ${advice}`);
}

export class Thread {
  readonly #worker: Worker;
  /** How many lines are open, or {@link threadEnded} or less. */
  readonly #open = new Int32Array(new SharedArrayBuffer(4));
  readonly #guests = new Map<number, Guest>();
  /** Lines that keep the process alive. */
  readonly #keepers = new Set<number>();

  constructor(lingerMs: number = lingerDefaultMs) {
    const workerData: ThreadData = { lines: this.#open, lingerMs };
    // a loader or a profiler of the program is none of its business
    this.#worker = new Worker(threadFile(), { name: 'smtpump', execArgv: [], workerData });
    this.#worker.on('message', (message: ToPump) => this.#hear(message));
    this.#worker.on('error', (error: Error) => this.#fail(error));
    this.#worker.on('exit', () => this.#fail(new Error(endedText)));
    this.#worker.unref();
  }

  /** Resolves when the thread has ended. */
  get ended(): Promise<void> {
    return new Promise((resolve) => {
      this.#worker.once('exit', () => resolve());
    });
  }

  /** Why no line lives any more, where that is so: Node's event loop hears of it later, or never. */
  get death(): Error | undefined {
    return Atomics.load(this.#open, 0) <= threadEnded ? new Error(endedText) : undefined;
  }

  /** Counts one line more; false when the thread has ended, or is about to. */
  enter(): boolean {
    for (;;) {
      const open = Atomics.load(this.#open, 0);
      if (open <= threadEnded) return false;
      if (Atomics.compareExchange(this.#open, 0, open, open + 1) === open) return true;
    }
  }

  seat(line: number, guest: Guest, keeps: boolean): void {
    this.#guests.set(line, guest);
    if (!keeps) return;
    this.#keepers.add(line);
    this.#worker.ref();
  }

  post(message: ToSockets): void {
    this.#worker.postMessage(message);
  }

  #hear({ type, line }: ToPump): void {
    if (type === 'signal') this.#guests.get(line)?.signalled();
    else this.#leave(line);
  }

  #leave(line: number): void {
    this.#guests.delete(line);
    this.#keepers.delete(line);
    if (this.#keepers.size === 0) this.#worker.unref();
  }

  #fail(error: Error): void {
    if (thread === this) thread = undefined;
    Atomics.store(this.#open, 0, threadEnded);
    for (const [line, guest] of [...this.#guests]) {
      this.#leave(line);
      guest.gone(error);
    }
  }
}
