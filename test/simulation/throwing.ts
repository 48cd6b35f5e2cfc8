/** A transport whose n-th call throws, as a broken one may. A `poll` counts when it brings something. */
import type { Transport } from 'smtpump/testing';

export interface ThrowPoint {
  readonly call: 'open' | 'secure' | 'write' | 'poll';
  /** From 1. */
  readonly n: number;
}

export function throwing(inner: Transport, { call, n }: ThrowPoint): Transport {
  let left = n;
  const strike = (name: ThrowPoint['call']): void => {
    if (name === call && --left === 0) throw new Error(`${name}() of the transport throws`);
  };
  return {
    open(target) {
      strike('open');
      inner.open(target);
    },
    secure(options) {
      strike('secure');
      inner.secure(options);
    },
    write(bytes) {
      strike('write');
      return inner.write(bytes);
    },
    poll() {
      const event = inner.poll();
      if (event !== undefined) strike('poll');
      return event;
    },
    close: (graceful) => inner.close(graceful),
    get onReady() {
      return inner.onReady;
    },
    set onReady(fn) {
      inner.onReady = fn;
    },
  };
}
