/**
 * Starts the real servers before the interop tests and ends them after. With `SMTPUMP_SERVERS` set to the JSON of
 * servers that run already, nothing is started or ended.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestProject } from 'vitest/node';
import { readServers, type Servers } from './server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    servers: Servers;
  }
}

const script = fileURLToPath(new URL('servers.sh', import.meta.url));

export default function setup({ provide }: TestProject): (() => void) | undefined {
  const running = process.env.SMTPUMP_SERVERS;
  if (running !== undefined) {
    provide('servers', readServers(running));
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), 'smtpump-servers-'));
  const json = join(folder, 'servers.json');
  execFileSync(script, ['start', json], { stdio: 'inherit', timeout: 180_000 });
  provide('servers', readServers(json));
  return () => {
    execFileSync(script, ['stop'], { stdio: 'inherit' });
    rmSync(folder, { recursive: true });
  };
}
