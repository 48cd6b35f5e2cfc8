/** The programs of a page beside a mail server, while the tests of the describe run that asks for it. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Page } from '../support/page.ts';
import { MailServer } from './mail-server.ts';

/** Also tests that the programs fit the published types. */
export function served(page: Page): MailServer {
  const server = new MailServer();
  beforeAll(async () => {
    await server.listen();
    page.install(server.port);
  });
  afterAll(async () => {
    await server.close();
    page.remove();
  });
  test('fit the published types', async () => {
    expect(await page.typeErrors()).toBe('');
  });
  return server;
}
