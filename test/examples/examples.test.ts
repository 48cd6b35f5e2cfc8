/** Each example is run as its reader would run it, and its output compared. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Show } from '../../examples/demo/show.mjs';
import { runNode } from '../support/run-node.ts';
import { MailServer } from './mail-server.ts';
import { withRawServer } from './raw-server.ts';

const example = (name: string, ...flags: string[]) => runNode([`examples/${name}.mjs`, ...flags]);
const to = (port: number) =>
  `--host localhost --port ${port} --from me@sender.example --to you@receiver.example`.split(' ');

describe('without flags', () => {
  test('01: callbacks only', async () => {
    expect(await example('01-callbacks')).toEqual({
      code: 0,
      stdout: 'accepted for ann@receiver.example and bob@receiver.example\n',
      stderr: '',
    });
  });

  test('02: a pump loop in virtual time takes the same time in each run', async () => {
    const first = await example('02-pump-loop');
    expect(first).toEqual({ code: 0, stdout: expect.any(String), stderr: '' });
    expect(first.stdout.trimEnd().split('\n')).toEqual([
      '   240 ms  CONNECTED',
      '   320 ms  SENDER_ACK',
      '   320 ms  RECIPIENT_ACK',
      '   320 ms  RECIPIENT_ACK',
      '   320 ms  BOM_ACK',
      '  5400 ms  EOM_ACK',
      '  5480 ms  DISCONNECTED',
      '1 message for ann@receiver.example and bob@receiver.example',
    ]);
  });

  test('03: says which flags it needs', async () => {
    const { code, stdout, stderr } = await example('03-step-by-step');
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('--host NAME');
  });

  test('04: STARTTLS with verification on, then a login', async () => {
    const { code, stdout, stderr } = await example('04-starttls-auth');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.split('\n')).toEqual([
      'secure: TLSv1.3, verified: true',
      'logged in by PLAIN',
      'accepted: 250 OK: message queued',
      '',
    ]);
  });

  test('05: attachments arrive whole, and no header field twice', async () => {
    expect(await example('05-attachments')).toEqual({
      code: 0,
      stdout: [
        'from     Device 7 <device@sender.example>',
        'subject  Größe und Bild',
        'text     The log and the picture are attached.',
        'part     größe.log, text/plain, 17000 octets',
        'part     picture.png, image/png, 1000000 octets',
        '',
      ].join('\n'),
      stderr: '',
    });
  });
});

describe('06: blocking steps, in a process that never returns to its event loop', () => {
  test('against a server in another thread [TK51]', async () => {
    expect(await example('06-blocking')).toEqual({
      code: 0,
      stdout: [
        'sender 250',
        'ann@receiver.example 250',
        'nobody@localhost 250',
        'accepted for 2: 250 OK: message queued',
        'the event loop turned 0 times',
        'received: 24106 octets',
        '',
      ].join('\n'),
      stderr: '',
    });
  });

  test('a refused recipient does not keep the other from the mail; a refused sender ends it', async () => {
    const replies = { RCPT: '550 5.1.1 no' };
    const { code, stdout, stderr } = await withRawServer(replies, (port) =>
      example('06-blocking', ...to(port)),
    );
    expect(code).toBe(1);
    expect(stdout).toMatch(/^sender 250\nrcpt: .*550 5\.1\.1 no.*\n/);
    expect(stderr).toMatch(/550 5\.1\.1 no/);
  });
});

describe('07, 08: the Treck names, in a process that never returns to its event loop', () => {
  const names = ['07-treck-blocking', '08-treck-nonblocking'];
  const server = new MailServer();
  beforeAll(() => server.listen());
  afterAll(() => server.close());

  test('07: blocking calls [TK51]', async () => {
    expect(await example('07-treck-blocking')).toEqual({
      code: 0,
      stdout: 'result: no error; the event loop turned 0 times\nreceived: 25216 octets\n',
      stderr: '',
    });
  });

  test('08: a loop of tfSmtpUserExecute ends [TK53]', async () => {
    expect(await example('08-treck-nonblocking')).toEqual({
      code: 0,
      stdout: 'result: no error; 3 recipients; the event loop turned 0 times\nreceived: 500238 octets\n',
      stderr: '',
    });
  });

  test.each(names)('%s sends to the server given', async (name) => {
    const before = server.messages.length;
    const { code, stdout, stderr } = await example(name, ...to(server.port));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^result: no error;.* turned 0 times\n$/);
    expect(server.messages.length).toBe(before + 1);
    const text = server.messages.at(-1) ?? '';
    expect(text).toMatch(/^From: Device 7 <me@sender\.example>\r\nTo: you@receiver\.example\r\nCc: bob@/);
    expect(text).not.toContain('cid@receiver.example');
  });

  const codes: readonly (readonly [string, string, string])[] = [
    ['GREETING', '554 5.3.2 no', 'the server refused for good'],
    ['MAIL', '451 4.3.0 later', 'the server refused for now'],
    ['RCPT', '550 5.1.1 no', 'the server refused for good'],
    ['DATA', '554 5.0.0 no', 'the server refused for good'],
    ['CONTENT', '452 4.2.2 full', 'the server refused for now'],
    ['CONTENT', '354 what', 'the server broke the protocol'],
  ];
  describe.each(names)('%s ends with the code', (name) => {
    test.each(codes)('where %s is answered %s', async (verb, reply, text) => {
      const { code, stdout } = await withRawServer({ [verb]: reply }, (port) => example(name, ...to(port)));
      expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining(`result: ${text};`) });
    });
  });
});

describe('with flags', () => {
  const server = new MailServer();
  beforeAll(() => server.listen());
  afterAll(() => server.close());
  const flags = () => to(server.port);

  test.each(['01-callbacks', '03-step-by-step', 'demo/demo'])(
    '%s sends to the server given',
    async (name) => {
      const before = server.messages.length;
      const { code, stderr } = await example(name, ...flags());
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(server.messages.length).toBe(before + 1);
      expect(server.messages.at(-1)).toMatch(/^From: .*me@sender\.example/);
    },
  );

  test('03: the first refusal ends the script', async () => {
    const { code, stderr } = await example('03-step-by-step', ...flags(), '--tls', 'always');
    expect(code).toBe(1);
    expect(stderr).toMatch(/starttls: .*ETLS/);
  });

  test.each(['01-callbacks', '03-step-by-step', 'demo/demo'])(
    '%s asks for the password of a user',
    async (name) => {
      const { code, stdout, stderr } = await example(name, ...flags(), '--user', 'me');
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toMatch(/^--pass is missing, and SMTP_PASS is not set/);
    },
  );

  const refusals: readonly (readonly [string, string])[] = [
    ['MAIL', '451 4.3.0 later'],
    ['MAIL', '550 5.1.8 no'],
    ['RCPT', '450 4.2.0 later'],
    ['RCPT', '550 5.1.1 no'],
    ['DATA', '451 4.3.0 later'],
    ['DATA', '554 5.0.0 no'],
    ['CONTENT', '451 4.3.0 later'],
    ['CONTENT', '554 5.6.0 no'],
  ];
  describe.each(['01-callbacks', '03-step-by-step', 'demo/demo'])('%s fails', (name) => {
    test.each(refusals)('where %s is answered %s', async (verb, reply) => {
      const { code, stdout, stderr } = await withRawServer({ [verb]: reply }, (port) =>
        example(name, ...to(port)),
      );
      expect(code).toBe(1);
      expect(stdout + stderr).toContain(reply);
    });
  });
});

describe('what a server says moves no cursor', () => {
  const evil = '\u001b]0;owned\u0007\u001b[2J\u0008\u009b31m';
  const shown = '\\x1b]0;owned\\x07\\x1b[2J\\x08';
  const replies = {
    GREETING: `220 raw ${evil}`,
    EHLO: `250-raw ${evil}\r\n250 HELP ${evil}`,
    MAIL: `250 2.1.0 ${evil}`,
    RCPT: `250 2.1.5 ${evil}`,
    DATA: `354 ${evil}`,
    CONTENT: `250 2.0.0 ${evil}`,
  };

  test.each(['01-callbacks', '03-step-by-step', 'demo/demo'])('%s', async (name) => {
    const { code, stdout, stderr } = await withRawServer(replies, (port) => example(name, ...to(port)));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toMatch(/[^\P{Cc}\n]/u);
    if (name !== '01-callbacks') expect(stdout).toContain(shown);
  });

  test.each(['01-callbacks', '03-step-by-step', 'demo/demo'])('%s, where it refuses', async (name) => {
    const { code, stdout, stderr } = await withRawServer({ CONTENT: `554 5.6.0 ${evil}` }, (port) =>
      example(name, ...to(port)),
    );
    expect(code).toBe(1);
    expect(stdout + stderr).not.toMatch(/[^\P{Cc}\n]/u);
    expect(stdout + stderr).toContain(shown);
  });

  test('a message is framed line by line', () => {
    const pieces: string[] = [];
    const show = new Show({ isTTY: false, write: (piece: string) => pieces.push(piece) > 0 });
    show.frame('it', `Subject: a\r\n\r\n${evil}\rover\r\n`);
    const text = pieces.join('');
    expect(text).not.toMatch(/[^\P{Cc}\n]/u);
    const lines = text.trimEnd().split('\n');
    expect(lines).toHaveLength(5);
    expect(lines[3]).toBe(`│ ${shown}\\x9b31m\\x0dover │`);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  });
});

describe('the demo', () => {
  test('shows steps, events, states, the wire and the message, without colours where nobody sees them', async () => {
    const { code, stdout, stderr } = await example('demo/demo');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).not.toContain('\u001b');
    const lines = stdout.split('\n').map((line) => line.replace(/^ *\d+\.\d {2}/, ''));
    const told = lines.filter((line) => line.startsWith('●')).map((line) => line.split(' ')[1]);
    const taken = lines.filter((line) => line.startsWith('→')).map((line) => line.slice(2).split('(')[0]);
    expect(told).toEqual([
      'SECURE_OK',
      'AUTH_OK',
      'CONNECTED',
      'SENDER_ACK',
      'RECIPIENT_ACK',
      'BOM_ACK',
      'EOM_ACK',
      'DISCONNECTED',
    ]);
    expect(taken).toEqual([
      'connect',
      'sendSender',
      'sendRecipient',
      'sendBom',
      'sendBody',
      'sendEom',
      'disconnect',
    ]);
    expect(lines[1]).toBe('    STATE  connection  online.opening.connecting  (step.connect)');
    expect(lines).toContain('    C:     STARTTLS');
    expect(lines).toContain('    STATE  connection  online.ready  (auth.ok)');
    expect(lines.some((line) => /^│ Subject: Hello through the pump +│$/.test(line))).toBe(true);
    expect(stdout).not.toContain('correct horse');
  });

  test('prints phase, code and hint of a failure', async () => {
    const flags = [
      '--host',
      'localhost',
      '--port',
      '9',
      '--from',
      'a@sender.example',
      '--to',
      'b@receiver.example',
    ];
    const { code, stdout } = await example('demo/demo', ...flags);
    expect(code).toBe(1);
    expect(stdout).toContain('    phase  connect\n    code   ECONNECTION\n    hint   ');
  });

  test('says which flags it does not know', async () => {
    const { code, stderr } = await example('demo/demo', '--hots', 'x');
    expect(code).toBe(2);
    expect(stderr).toContain("Unknown option '--hots'");
  });
});
