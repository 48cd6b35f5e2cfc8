/** Runs a Node program as a user would: a process of its own, in the package's folder, against the built package. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { runtime } from './runtime.ts';

export const root: string = fileURLToPath(new URL('../..', import.meta.url));

/** Deno grants nothing by itself, and looks for packages only where it is told. */
export const prefix = runtime === 'deno' ? ['run', '-A', '--node-modules-dir=manual'] : [];

export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export function runNode(args: readonly string[], options: { readonly cwd?: string } = {}): Promise<Outcome> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return new Promise((resolve) => {
    const settings = { cwd: options.cwd ?? root, env, timeout: 20_000 };
    execFile(process.execPath, [...prefix, ...args], settings, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}
