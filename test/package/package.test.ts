/** The package as `npm run build` makes it, which is what its users import. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'rolldown';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root, runNode } from '../support/run-node.ts';
import { runtime } from '../support/runtime.ts';
import { exists, read } from '../support/source.ts';

const built = readdirSync(`${root}dist`).filter((name) => name.endsWith('.js'));

describe('what is built', () => {
  test('a class is the same whichever entry it came by, and keeps its name', async () => {
    const outcome = await runNode(['test/package/programs/misuse.mjs']);
    expect(outcome).toEqual({ code: 0, stdout: 'true SmtpUsageError\n'.repeat(4), stderr: '' });
  });

  test('each class keeps its name', () => {
    const renamed = built.flatMap((name) => read(`dist/${name}`).match(/class \w+\$\d+/g) ?? []);
    expect(renamed).toEqual([]);
  });

  const mapped = built.filter((name) => read(`dist/${name}`).includes('\n//# sourceMappingURL='));
  test.each(mapped)('%s has a map, with its sources in it', (name) => {
    const map = JSON.parse(read(`dist/${name}.map`)) as { sources: string[]; sourcesContent: string[] };
    expect(map.sources).not.toEqual([]);
    expect(map.sources.filter((source) => !exists(source.replace('../', '')))).toEqual([]);
    expect(map.sourcesContent.map((text) => typeof text)).toEqual(map.sources.map(() => 'string'));
  });
});

describe('a bundle with its dependencies in it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'smtpump-bundle-'));
  const bundled = join(folder, 'login.mjs');
  beforeAll(() =>
    build({
      cwd: root,
      input: 'test/package/programs/login.mjs',
      platform: 'node',
      logLevel: 'silent',
      output: { file: bundled },
    }),
  );
  afterAll(() => rmSync(folder, { recursive: true }));
  const logIn = (program: string, password: string) => runNode([program, password]);

  test('logs in by SCRAM', async () => {
    const outcome = await logIn(bundled, 'secret');
    expect(outcome).toEqual({ code: 0, stdout: 'SCRAM-SHA-256\n', stderr: '' });
  });

  // Bun fetches what is not there
  test.skipIf(runtime === 'bun')(
    'names the package that it lacks for a password that is not ASCII',
    async () => {
      const password = 'pässwörd';
      const outcome = await logIn(bundled, password);
      expect(outcome).toEqual({
        code: 0,
        stdout: expect.stringContaining('not ASCII, which needs @mongodb-js/saslprep'),
        stderr: '',
      });
      expect(outcome.stdout).not.toContain(password);
      expect((await logIn('test/package/programs/login.mjs', password)).stdout).toBe('SCRAM-SHA-256\n');
    },
  );
});
