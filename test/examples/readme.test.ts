/** What the README says is so: its programs are type-checked and run, its tables compared with what happens. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import { describeCode, SmtpClient, type SmtpClientOptions, type SmtpEventName } from 'smtpump';
import { runUntil, ScriptedServer, type ServerOptions, SimNetwork, VirtualClock } from 'smtpump/testing';
import { describe, expect, test } from 'vitest';
import { errorCodes, failureCodes, usageCodes } from '../support/codes.ts';
import { Page } from '../support/page.ts';
import { type Outcome, root } from '../support/run-node.ts';
import { type Replies, withRawServer } from './raw-server.ts';
import { served } from './served.ts';

const page = new Page('README.md');
const { text: readme, programs } = page;
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The rows of the table under a heading, without the head; each cell trimmed. */
function table(heading: string): string[][] {
  const section = readme.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const quoted = (cell = ''): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);

describe('the programs', () => {
  const server = served(page);

  const run = (i: number) => page.run(i);
  /** The program that imports of that entry. */
  const importing = (entry: string): number =>
    programs.findIndex((text) => text.includes(`from 'smtpump/${entry}'`));

  test('twelve lines send a mail', async () => {
    expect(programs[0]?.trim().split('\n').length).toBe(12);
    expect(await run(0)).toEqual({
      code: 0,
      stdout: 'CONNECTED\nSENDER_ACK\nRECIPIENT_ACK\nBOM_ACK\nEOM_ACK\nDISCONNECTED\n',
      stderr: '',
    });
    expect(server.messages).toHaveLength(1);
    expect(server.messages[0]).toMatch(/^From: Me <me@sender\.example>\r\n/);
    expect(server.messages[0]).toMatch(/\r\n\r\nHello in twelve lines\.\r\n$/);
  });

  const refusals: readonly Replies[] = [
    { MAIL: '451 4.3.0 later' },
    { MAIL: '550 5.1.8 no' },
    { RCPT: '450 4.2.0 later' },
    { RCPT: '550 5.1.1 no' },
    { DATA: '451 4.3.0 later' },
    { DATA: '554 5.0.0 no' },
    { CONTENT: '451 4.3.0 later' },
    { CONTENT: '554 5.6.0 no' },
  ];
  test.each(refusals)('twelve lines end where the server answers %o', async (replies) => {
    const { code, stdout, stderr } = await withRawServer(replies, twelveLines);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/\nSERVER_(ERROR|RETRY)\n(.+\n)*DISCONNECTED\n$/);
  });

  test('twelve lines end where the login fails', async () => {
    const { code, stdout, stderr } = await withRawServer({}, (port) =>
      twelveLines(port, "auth: { user: 'me', password: 'secret' }"),
    );
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'AUTH_FAIL\nDISCONNECTED\n', stderr: '' });
  });

  /** The program, told another port, and with options of its own. */
  function twelveLines(port: number, options = ''): Promise<Outcome> {
    const text = programs[0]?.replace('port: 2525', `port: ${port}, ${options}`) ?? '';
    return page.runText(`twelve-${port}`, text);
  }

  test('a loop of its own connects and leaves', async () => {
    expect(await run(1)).toEqual({ code: 0, stdout: 'done\n', stderr: '' });
  });

  test('await: a mail, and what became of each recipient', async () => {
    expect(await run(importing('promises'))).toEqual({
      code: 0,
      stdout: 'ann@receiver.example delivered\nbob@receiver.example delivered\n',
      stderr: '',
    });
    expect(server.messages.at(-1)).toContain('Hello with await.');
  });

  test('by the Treck names: a mail in blocking mode', async () => {
    expect(await run(importing('treck'))).toEqual({ code: 0, stdout: 'no error\n', stderr: '' });
    expect(server.messages.at(-1)).toMatch(/\r\n\r\nHello by other names\.\r\n$/);
  });

  test('a loop that never returns connects and leaves', async () => {
    const at = programs.findIndex((text) => text.includes('transport.wait('));
    expect(await run(at)).toEqual({ code: 0, stdout: 'done\n', stderr: '' });
  });

  test('one blocking call after the other sends a mail', async () => {
    expect(await run(importing('blocking'))).toEqual({ code: 0, stdout: '250 1 0\n', stderr: '' });
    expect(server.messages.at(-1)).toMatch(/Hello, one call after the other\.\r\n$/);
  });

  test('the testing kit lets five minutes pass', async () => {
    expect(await run(importing('testing'))).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('a world is saved and made again, a session recorded and played', async () => {
    const at = programs.findIndex((text) => text.includes('.save()'));
    expect(await run(at)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(programs).toHaveLength(8);
  });
});

describe('the commands', () => {
  test.each([...readme.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name))(
    'npm run %s exists',
    (name) => {
      expect(Object.keys(manifest.scripts)).toContain(name);
    },
  );
});

describe('the package', () => {
  test('has whatever its pages link to, pictures too', async () => {
    const { stdout } = await promisify(execFile)('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      cwd: root,
    });
    const [{ files }] = JSON.parse(stdout);
    const paths: string[] = files.map(({ path }: { path: string }) => path);
    const pages = paths.filter((path) => path.endsWith('.md'));
    expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/embedding.md', 'machines/README.md']));
    const links = pages.flatMap((page) => linksOf(page).map((link) => ({ page, link })));
    expect(links.length).toBeGreaterThan(12);
    const isThere = (path: string) => paths.some((one) => one === path || one.startsWith(`${path}/`));
    expect(links.filter(({ page, link }) => !isThere(posix.join(posix.dirname(page), link)))).toEqual([]);
  });

  /** Those that are no addresses of the web and lead out of the page. */
  function linksOf(page: string): string[] {
    const text = readFileSync(join(root, page), 'utf8').replaceAll(/^```.*?^```/gms, '');
    const links = [...text.matchAll(/\]\(([^)]+)\)|(?:href|src)="([^"]+)"/g)].map(([, a, b]) => a ?? b ?? '');
    return links.map((link) => link.replace(/#.*/, '')).filter((link) => link !== '' && !/^\w+:/.test(link));
  }
});

describe('the tables', () => {
  test('events: each is there, and no other', () => {
    const all: Record<SmtpEventName, true> = {
      CONNECTED: true,
      SECURE_OK: true,
      SECURE_FAIL: true,
      AUTH_OK: true,
      AUTH_FAIL: true,
      SENDER_ACK: true,
      RECIPIENT_ACK: true,
      BOM_ACK: true,
      DRAIN: true,
      EOM_ACK: true,
      RESET: true,
      NOOP_ACK: true,
      SERVER_ERROR: true,
      SERVER_RETRY: true,
      TIMEOUT: true,
      DISCONNECTED: true,
      COMMAND: true,
      REPLY: true,
      STATE: true,
    };
    expect(table('Events').map(([name]) => quoted(name)[0])).toEqual(Object.keys(all));
  });

  test('error codes: each is there with its text, and whether it is thrown', () => {
    const yes = (is: boolean): string => (is ? 'yes' : '');
    const rows = errorCodes.map((code) => [
      `\`${code}\``,
      yes(code in usageCodes),
      yes(code in failureCodes),
      describeCode(code),
    ]);
    expect(table('Errors')).toEqual(rows);
  });

  test('dependencies: those of the package', () => {
    const named = table('Dependencies').map(([name]) => quoted(name)[0]);
    expect(named.sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });

  const servers: ServerOptions[] = [
    { tls: 'none' },
    { tls: 'starttls' },
    { tls: 'starttls', reply: ({ verb }) => (verb === 'STARTTLS' ? '454 4.7.0 not now' : undefined) },
    { tls: 'starttls', handshake: 'fail' },
  ];
  const login = { users: { me: 'secret' }, mechanisms: ['PLAIN'] };

  test.each(table('TLS'))('TLS: %s', (mode, ...cells) => {
    const tls = quoted(mode)[0]?.slice(1, -1) as SmtpClientOptions['tls'];
    const auth = mode?.includes('with `auth`') ? { user: 'me', password: 'secret' } : undefined;
    expect(servers.map((server) => opening({ ...server, auth: login }, { tls, auth }))).toEqual(cells);
  });

  test('TLS: implicit', () => {
    const sentence = "`'implicit'` (port\n465) begins with the handshake: ";
    const good = opening({ tls: 'implicit' }, { tls: 'implicit' });
    const bad = opening({ tls: 'implicit', handshake: 'fail' }, { tls: 'implicit' });
    expect(readme).toContain(`${sentence}${good} or ${bad}.`);
  });
});

/** What a connection tells until it is open, refused or down, as the README writes it. */
function opening(serverOptions: ServerOptions, options: SmtpClientOptions): string {
  const clock = new VirtualClock();
  const network = new SimNetwork({ clock }).listen('*', new ScriptedServer(serverOptions));
  const client = new SmtpClient({ pump: 'manual', clock, transport: network.transport(), ...options });
  const told: string[] = [];
  let over = false;
  client.on('event', (event) => {
    const clear = event.name === 'CONNECTED' && !event.secure;
    told.push(`\`${event.name}\`${clear ? ' in clear' : ''}`);
    over = ['CONNECTED', 'AUTH_FAIL', 'DISCONNECTED'].includes(event.name);
  });
  client.connect();
  runUntil(client, clock, () => over);
  return told.join(' ');
}
