/** Each example is run as its reader would run it, and its output compared. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runNode } from '../support/run-node.ts';
import { MailServer } from './mail-server.ts';

const example = (name: string, ...flags: string[]) => runNode([`examples/${name}.mjs`, ...flags]);

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

describe('with flags', () => {
  const server = new MailServer();
  beforeAll(() => server.listen());
  afterAll(() => server.close());
  const flags = () =>
    `--host localhost --port ${server.port} --from me@sender.example --to you@receiver.example`.split(' ');

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
