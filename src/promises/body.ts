/**
 * A body on its way into the message at hand, piece by piece, no faster than the line takes it. It knows the source
 * and one step of the client.
 */

/** Octets; a string is UTF-8. Streams and generators are read no faster than the line takes them. */
export type Body = string | Uint8Array | AsyncIterable<string | Uint8Array>;

/** Where a body goes. */
export interface BodySink {
  /** Octets taken; fewer than given: wait for {@link drained}. */
  sendBody(chunk: string | Uint8Array): number;
  /** Rejects when the message ends before its body. */
  drained(): Promise<void>;
  /** The promise, unless the message ends first. */
  until<T>(promise: Promise<T>): Promise<T>;
}

/** What is at hand is taken before this returns, as far as there is room. A source that is left early is closed. */
export async function pour(body: Body, sink: BodySink): Promise<void> {
  if (typeof body !== 'object' || body === null || !(Symbol.asyncIterator in body)) return give(body, sink);
  const pieces = body[Symbol.asyncIterator]();
  let over = false;
  try {
    for (;;) {
      const next = await sink.until(pieces.next());
      over = next.done === true;
      if (next.done) return;
      await give(next.value, sink);
    }
  } catch (error) {
    if (!over) leave(body, pieces);
    throw error;
  }
}

async function give(piece: string | Uint8Array, sink: BodySink): Promise<void> {
  let rest = piece;
  for (;;) {
    const taken = sink.sendBody(rest);
    // a string is taken whole or not at all
    if (typeof rest !== 'string') rest = rest.subarray(taken);
    else if (taken > 0) return;
    if (rest.length === 0) return;
    await sink.drained();
  }
}

/** A source that never gives its next piece would not hear `return()` either; a stream can be destroyed. */
function leave(body: object, pieces: AsyncIterator<unknown>): void {
  if ('destroy' in body && typeof body.destroy === 'function') body.destroy();
  else pieces.return?.().catch(() => {});
}
