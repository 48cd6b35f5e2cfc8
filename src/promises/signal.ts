/**
 * Calls that can be given up: what an AbortSignal does to a call. It knows no step.
 */
import { type Phase, SmtpError, SmtpUsageError } from '../errors.ts';

export interface CallOptions {
  /** Gives the call up; see {@link SmtpConnection} for what becomes of the message and of the line. */
  readonly signal?: AbortSignal | undefined;
}

/** @throws SmtpError EABORTED where the signal was given before the call: then nothing was done */
export function refuseAborted(signal: AbortSignal | undefined, phase: Phase): void {
  if (signal === undefined) return;
  if (!(signal instanceof AbortSignal)) throw new SmtpUsageError('EINVAL', 'not an AbortSignal', 'signal');
  if (signal.aborted) throw aborted(signal, phase);
}

/** The promise; when the signal comes before its end, `giveUp` is called once. Leaves no listener behind. */
export async function withSignal<T>(
  promise: Promise<T>,
  signal: AbortSignal | undefined,
  phase: Phase,
  giveUp: (error: SmtpError) => void,
): Promise<T> {
  if (signal === undefined) return promise;
  const onAbort = (): void => giveUp(aborted(signal, phase));
  if (signal.aborted) onAbort();
  const leave = watch(signal, onAbort);
  try {
    return await promise;
  } finally {
    leave();
  }
}

interface Watch {
  readonly calls: Set<() => void>;
  readonly tell: () => void;
}

const watches = new WeakMap<AbortSignal, Watch>();

/** One listener serves all calls that share a signal: Node takes many for a leak. @returns stops listening */
function watch(signal: AbortSignal, call: () => void): () => void {
  const { calls, tell } = watches.get(signal) ?? newWatch(signal);
  calls.add(call);
  if (calls.size === 1) signal.addEventListener('abort', tell);
  return () => {
    calls.delete(call);
    if (calls.size === 0) signal.removeEventListener('abort', tell);
  };
}

function newWatch(signal: AbortSignal): Watch {
  const calls = new Set<() => void>();
  const tell = (): void => {
    for (const call of [...calls]) call();
  };
  const made = { calls, tell };
  watches.set(signal, made);
  return made;
}

function aborted(signal: AbortSignal, phase: Phase): SmtpError {
  return new SmtpError({ code: 'EABORTED', phase, cause: signal.reason });
}
