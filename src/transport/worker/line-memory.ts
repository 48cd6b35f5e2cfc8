/**
 * Shared memory of lines that are over, for lines to come: half a megabyte a line is freed only when each of the two
 * threads collects its garbage, which may be long after. It knows no thread.
 */
import { allocateLine, freeLine } from './shared-line.ts';

/** As many as are kept: 16 MiB of lines of the default size. */
const mostKept = 32;

/** Given back by the pump; the sockets' thread may have to do with them yet. Oldest first. */
const kept: SharedArrayBuffer[] = [];

/** Memory for a line, as good as new. */
export function takeMemory(toSockets: number, toPump: number): SharedArrayBuffer {
  const at = kept.findIndex((memory) => freeLine(memory, toSockets, toPump));
  return kept.splice(at, at < 0 ? 0 : 1)[0] ?? allocateLine(toSockets, toPump);
}

/** The pump will not look at it again. */
export function giveBack(memory: SharedArrayBuffer): void {
  if (kept.push(memory) > mostKept) kept.shift();
}
