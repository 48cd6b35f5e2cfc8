/** What the guide for simulators says is so: its programs, which assert it, are type-checked and run. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SmtpClient } from 'smtpump';
import { describe, expect, test } from 'vitest';
import { Page } from '../support/page.ts';
import { root } from '../support/run-node.ts';
import { served } from './served.ts';

const page = new Page('docs/embedding.md');

describe('the programs', () => {
  served(page);

  test.each(page.programs.map((text, i) => [i, text] as const))(
    'program %i runs, and asserts something',
    async (i, text) => {
      expect(text).toMatch(/assert\.\w+\(/);
      expect(await page.run(i)).toEqual({ code: 0, stdout: '', stderr: '' });
    },
  );

  test('each block of JavaScript is one of them', () => {
    expect(page.programs.length).toBe(page.text.match(/^```(?:js|mjs|ts|javascript|typescript)/gm)?.length);
    expect(page.programs.length).toBeGreaterThan(3);
  });
});

describe('the rest', () => {
  test.each([...page.text.matchAll(/\]\(([^)#]+)\)/g)].map(([, path = '']) => path))('%s exists', (path) => {
    expect(existsSync(join(root, 'docs', path))).toBe(true);
  });

  test.each([...page.text.matchAll(/^node (\S+)/gm)].map(([, path = '']) => path))(
    '%s can be run',
    (path) => {
      expect(existsSync(join(root, path))).toBe(true);
    },
  );

  test('members of the client that are named are there', () => {
    const client = new SmtpClient({ pump: 'manual' });
    for (const name of ['execute', 'readTimer', 'setAsyncCallback', 'abort']) {
      expect(page.text).toContain(`\`${name}`);
      expect(client).toHaveProperty(name);
    }
  });
});
