/**
 * Which runtime runs the tests. A test that asks for what only one engine has is left out elsewhere, by name; what
 * smtpump itself does differently is in the README under "Runtimes".
 */
export const runtime: 'node' | 'bun' | 'deno' =
  process.versions.bun !== undefined ? 'bun' : process.versions.deno !== undefined ? 'deno' : 'node';

/** Collects garbage, counts living objects: V8's own, and Bun has another engine. */
export const hasV8: boolean = runtime !== 'bun';
/** Deno's `node:tls` does not resume sessions, has no exporter, and accepts options that Node refuses. */
export const hasWholeTls: boolean = runtime !== 'deno';
