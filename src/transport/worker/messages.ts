/**
 * What the two threads post to each other: the few things that are no bytes of the line. Types, nothing else.
 */
import type { TcpOptions } from '../tcp-options.ts';
import type { Target, TlsOptions } from '../transport.ts';

/** Options that can be posted: no functions, and no objects that live in one thread. */
export type SocketOptions = Omit<TcpOptions, 'lookup' | 'tlsMemory'>;

/** What the thread is started with. */
export interface ThreadData {
  /** How many lines are open, or {@link threadEnded} or less. */
  readonly lines: Int32Array;
  /** ms from the end of the last line to the thread's own. */
  readonly lingerMs: number;
}

export const threadEnded = -1;

/** To the sockets' thread; `line` is the number of the line. */
export type ToSockets =
  | {
      readonly type: 'open';
      readonly line: number;
      readonly target: Target;
      readonly options: SocketOptions;
      readonly memory: SharedArrayBuffer;
    }
  /** There is something in shared memory. */
  | { readonly type: 'wake'; readonly line: number }
  /** `rest` is what did not fit into the ring; `seen` how much of the line the pump had read. */
  | {
      readonly type: 'secure';
      readonly line: number;
      readonly options: TlsOptions;
      readonly rest: readonly Uint8Array[];
      readonly seen: number;
    }
  | {
      readonly type: 'close';
      readonly line: number;
      readonly graceful: boolean;
      readonly rest: readonly Uint8Array[];
    };

/** To the pump's thread. */
export interface ToPump {
  readonly line: number;
  /** `over`: the sockets' thread has done with the line; what it told is still there to be read. */
  readonly type: 'signal' | 'over';
}
