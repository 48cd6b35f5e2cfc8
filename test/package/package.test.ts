/** The package as `npm run build` makes it, which is what its users import. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { root, runNode } from '../support/run-node.ts';
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
