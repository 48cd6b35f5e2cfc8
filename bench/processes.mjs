// @ts-check
/**
 * The processes of a run: a sink that answers, and a fresh child for each measurement. Bounded in time, and none
 * outlives the run. It knows nothing of what they measure.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { have } from './peers/have.mjs';

const childLimitMs = 20_000;
const childFile = fileURLToPath(new URL('child.mjs', import.meta.url));
const tlsSinkFile = fileURLToPath(new URL('sink/tls.mjs', import.meta.url));
const sinkFile = fileURLToPath(new URL('sink/server.mjs', import.meta.url));

export class Processes {
  /** What is said of it in the header of the report. */
  pinning = 'not pinned';
  /** Have sink and client a core each? */
  apart = false;
  /** @type {Set<import('node:child_process').ChildProcess>} */
  #living = new Set();
  /** @type {string[]} */
  #sinkPrefix = [];
  /** @type {string[]} */
  #childPrefix = [];
  #profile;
  /** The sink in C, where it is wanted and can be had. @type {import('./peers/have.mjs').Tool | undefined} */
  #native;

  /** @param {{ pin: string, sink: string, profile?: string }} options */
  constructor({ pin, sink, profile }) {
    this.#profile = profile;
    const tool = sink === 'c' ? have('sink') : undefined;
    if (typeof tool === 'object') this.#native = tool;
    if (pin === 'none' || spawnSync('taskset', ['-V']).error !== undefined) return;
    this.apart = pin === 'two' && availableParallelism() > 1;
    this.#sinkPrefix = ['taskset', '-c', '0'];
    this.#childPrefix = ['taskset', '-c', this.apart ? '1' : '0'];
    this.pinning = this.apart ? 'sink on core 0, client on core 1' : 'sink and client on core 0';
  }

  get sinkIn() {
    return this.#native === undefined ? 'Node' : 'C';
  }

  /**
   * @param {{ chunking?: boolean, delayMs?: number }} [options]
   * @returns {Promise<Sink>}
   */
  async sink(options = {}) {
    const process = this.#start(this.#sinkPrefix, [sinkFile, JSON.stringify(options)]);
    const [{ port }] = await answer(process);
    return new Sink(process, port);
  }

  /** The sink behind STARTTLS. @param {{ key: string, cert: string, maxVersion: string }} options */
  async tlsSink(options) {
    const process = this.#start(this.#sinkPrefix, [tlsSinkFile, JSON.stringify(options)]);
    const [{ port }] = await answer(process);
    return new Sink(process, port);
  }

  /**
   * The sink in C, or the one in Node where that is asked for or there is no compiler.
   * @param {{ chunking?: boolean }} [options]
   */
  async fastSink(options = {}) {
    const tool = this.#native;
    if (tool === undefined) return this.sink(options);
    const process = this.#spawn([...this.#sinkPrefix, tool.command, options.chunking ? 'chunking' : ''], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: /** @type {any} */ (process.stdout) })[Symbol.asyncIterator]();
    return new NativeSink(process, lines, JSON.parse((await lines.next()).value).port);
  }

  /**
   * Runs a command to its end.
   * @param {import('./peers/have.mjs').Tool} tool @param {string[]} args
   * @returns {Promise<{ output: string, seconds: number, cpu: number }>} both in seconds, of the whole process
   */
  async command({ command, env }, args) {
    const time = 'TIMEFORMAT="%R %U %S"; time "$@"';
    const child = this.#spawn([...this.#childPrefix, 'bash', '-c', time, 'bash', command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env, LC_ALL: 'C' },
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), childLimitMs);
    let output = '';
    let times = '';
    child.stdout?.on('data', (text) => {
      output += text;
    });
    child.stderr?.on('data', (text) => {
      times += text;
    });
    const [code] = await once(child, 'close');
    clearTimeout(timer);
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${output}${times}`);
    const [seconds = 0, user = 0, system = 0] = times.trim().split(/\s+/).slice(-3).map(Number);
    return { output, seconds, cpu: user + system };
  }

  /**
   * Runs `measure(spec)` of a module of measure/ in a process of its own.
   * @param {string} module @param {object} spec @param {boolean} [pinned] to its core
   * @returns {Promise<any>} what it returned
   */
  async measure(module, spec, pinned = true) {
    const flags = ['--expose-gc'];
    if (this.#profile !== undefined) flags.push('--cpu-prof', `--cpu-prof-dir=${this.#profile}`);
    const prefix = pinned ? this.#childPrefix : [];
    const process = this.#start(prefix, [...flags, childFile, module, JSON.stringify(spec)]);
    const [result] = await answer(process, childLimitMs);
    await gone(process);
    return result;
  }

  killAll() {
    for (const child of this.#living) child.kill('SIGKILL');
  }

  /** @param {string[]} prefix @param {string[]} args */
  #start(prefix, args) {
    return this.#spawn([...prefix, process.execPath, ...args], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  }

  /** @param {string[]} words @param {import('node:child_process').SpawnOptions} options */
  #spawn([command = '', ...rest], options) {
    const child = spawn(command, rest, options);
    this.#living.add(child);
    child.once('exit', () => this.#living.delete(child));
    return child;
  }
}

/** The sink's process, seen from here. */
class Sink {
  #process;

  /** @param {import('node:child_process').ChildProcess} process @param {number} port */
  constructor(process, port) {
    this.#process = process;
    this.port = port;
  }

  /**
   * What was counted since the last call.
   * @returns {Promise<{ messages: number, octets: number, reads: number, trips: number }>}
   */
  async take() {
    this.#process.send('take');
    const [counts] = await answer(this.#process);
    return counts;
  }

  close() {
    this.#process.kill('SIGKILL');
  }
}

/** The sink in C: counts are asked for by a line. */
class NativeSink {
  #process;
  #lines;

  /** @param {import('node:child_process').ChildProcess} process @param {AsyncIterator<string>} lines @param {number} port */
  constructor(process, lines, port) {
    this.#process = process;
    this.#lines = lines;
    this.port = port;
  }

  /** @returns {Promise<{ messages: number, octets: number, reads: number, trips: number }>} since the last call */
  async take() {
    this.#process.stdin?.write('\n');
    return JSON.parse((await this.#lines.next()).value);
  }

  close() {
    this.#process.kill('SIGKILL');
  }
}

/**
 * The next message of a child; its end, or too long a silence, is an error.
 * @param {import('node:child_process').ChildProcess} child
 * @returns {Promise<any[]>}
 */
async function answer(child, limitMs = 5000) {
  const stop = new AbortController();
  const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
  try {
    return await Promise.race([
      once(child, 'message', { signal: stop.signal }),
      once(child, 'exit', { signal: stop.signal }).then(([code, signal]) => {
        throw new Error(`${child.spawnargs.slice(-3).join(' ')} ended without a result (${code ?? signal})`);
      }),
    ]);
  } finally {
    clearTimeout(timer);
    stop.abort();
  }
}

/** A child that has answered ends by itself, and writes its profile; one that hangs is killed. @param {import('node:child_process').ChildProcess} child */
async function gone(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await once(child, 'exit');
  clearTimeout(timer);
}
