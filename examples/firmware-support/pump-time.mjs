// @ts-check
/**
 * The time that the pump lives in: the board's own time, and what went by while the board stood still. It turns
 * nothing; whoever runs the board tells it what has passed.
 *
 *     virtual   it follows the board, as fast as the machine can
 *     real      the board is held to the machine's time: it is never ahead of it
 */
import { VirtualClock } from 'smtpump/testing';

const cell = new Int32Array(new SharedArrayBuffer(4));

export class PumpTime {
  #boardMs = 0;
  #awaitedMs = 0;
  #began = performance.now();

  /**
   * @param {'virtual' | 'real'} kind
   * @param {import('smtpump').WaitingTransport} [line] to somebody else; without it all is in memory
   */
  constructor(kind, line) {
    this.real = kind === 'real';
    this.line = line;
    this.clock = new VirtualClock(this.real ? Date.now() : undefined);
    this.start = this.clock.now();
  }

  /** The board has run up to this time of its own. @param {number} ms */
  follow(ms) {
    this.#boardMs = ms;
    if (this.real) sleep(this.#boardMs + this.#awaitedMs - this.#machineMs());
    this.#set();
  }

  /** The board stands still until something arrives, or for so long. @param {number} ms */
  wait(ms) {
    const before = this.#machineMs();
    if (this.line !== undefined) this.line.wait(ms);
    else if (this.real) sleep(ms);
    const jump = this.line === undefined && !this.real;
    this.#awaitedMs += jump ? ms : this.#machineMs() - before;
    this.#set();
  }

  #set() {
    this.clock.advanceTo(this.start + (this.real ? this.#machineMs() : this.#boardMs + this.#awaitedMs));
  }

  #machineMs() {
    return performance.now() - this.#began;
  }
}

/** The whole thread; Node's event loop does not run. @param {number} ms */
function sleep(ms) {
  if (ms > 0) Atomics.wait(cell, 0, 0, ms);
}
