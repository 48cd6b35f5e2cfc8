/** The modem of the firmware examples: a line of the board is a step, an event is a line to the board. */
import { SmtpClient, type SmtpClientOptions } from 'smtpump';
import { runUntil, ScriptedServer, type ServerOptions, SimNetwork, VirtualClock } from 'smtpump/testing';
import { describe, expect, test } from 'vitest';
import { Modem } from '../../examples/firmware-support/modem.mjs';

function bench(serverOptions: ServerOptions = {}, options: SmtpClientOptions = {}) {
  const clock = new VirtualClock();
  const server = new ScriptedServer(serverOptions);
  const network = new SimNetwork({ clock }).listen('*', server);
  const client = new SmtpClient({ pump: 'manual', clock, transport: network.transport(), ...options });
  const answers: string[] = [];
  const log: string[] = [];
  const modem = new Modem(
    client,
    (text) => answers.push(text),
    (text) => log.push(text),
  );
  const type = (line: string): void => {
    for (const octet of Buffer.from(`${line}\r\n`)) modem.receive(octet);
  };
  /** Says lines, each after the answer to the one before; gives the answers. */
  const say = (...lines: readonly string[]): string[] => {
    const from = answers.length;
    for (const line of lines) {
      type(line);
      runUntil(client, clock, () => !modem.busy);
    }
    return answers.slice(from);
  };
  return { client, clock, server, modem, answers, log, type, say };
}

const opening = ['CONNECT', 'FROM a@sender.example', 'TO b@receiver.example'];
const textOf = ({ messages }: ScriptedServer): string => Buffer.from(messages[0]?.data ?? []).toString();

describe('a mail', () => {
  test('line by line, each answered', () => {
    const { say, server, client } = bench();
    expect(say(...opening, 'DATA Hello', 'One.', 'Two.', '.', 'QUIT')).toEqual(Array(8).fill('OK'));
    expect(server.messages.map(({ from, to }) => [from, ...to])).toEqual([
      ['a@sender.example', 'b@receiver.example'],
    ]);
    expect(textOf(server)).toMatch(/\r\nSubject: Hello\r\n(.+\r\n)*\r\nOne\.\r\nTwo\.\r\n$/);
    expect(client.state).toBe('disconnected');
  });

  test('lines that begin with a dot or # are text behind a dot; without it they are not', () => {
    const { say, type, server, log } = bench();
    say(...opening, 'DATA Dots');
    type('# for the log');
    say('..', '.# text', '..two', 'né', '.', 'QUIT');
    expect(textOf(server)).toMatch(/\r\n\r\n\.\r\n# text\r\n\.two\r\nné\r\n$/);
    expect(log).toContain('# for the log');
  });

  test('lines that do not wait for their answers are taken up in order', () => {
    const { type, answers, client, clock, server } = bench();
    for (const line of [...opening, 'DATA Ahead', 'Text.', '.', 'QUIT']) type(line);
    runUntil(client, clock, () => answers.length === 7);
    expect(answers).toEqual(Array(7).fill('OK'));
    expect(server.messages).toHaveLength(1);
  });

  test('a text that the client cannot take yet is answered when it has', () => {
    const { type, answers, client, clock, say, server } = bench({}, { bodyBufferBytes: 40 });
    say(...opening, 'DATA Slow');
    const before = answers.length;
    const text = 'x'.repeat(40);
    type(text);
    type(text);
    expect(answers.length).toBe(before + 1);
    runUntil(client, clock, () => answers.length === before + 2);
    expect(say('.')).toEqual(['OK']);
    expect(textOf(server).endsWith(`\r\n\r\n${text}\r\n${text}\r\n`)).toBe(true);
  });
});

describe('what goes wrong', () => {
  test.each([
    ['CONNECT', ['CONNECT'], /^ERR ESERVERPERM /],
    ['MAIL', opening.slice(0, 2), /^ERR ESERVERPERM /],
    ['RCPT', opening, /^ERR ESERVERPERM /],
    ['DATA', [...opening, 'DATA No'], /^ERR ESERVERPERM /],
    ['CONTENT', [...opening, 'DATA No', 'Text.', '.'], /^ERR ESERVERPERM /],
  ])('a refusal of %s is the answer to its line', (refused, lines, expected) => {
    const { say } = bench({ reply: ({ verb }) => (verb === refused ? '550 5.0.0 no' : undefined) });
    const answers = say(...lines);
    expect(answers).toEqual([...Array(lines.length - 1).fill('OK'), expect.stringMatching(expected)]);
    expect(answers.at(-1)).toContain('550 5.0.0 no');
  });

  test.each([
    ['FROM a@sender.example', 'ENOTCONN'],
    ['QUIT', 'ENOTCONN'],
    ['HELP', 'EINVAL'],
    ['', 'EINVAL'],
  ])('before CONNECT, "%s" is answered %s', (line, code) => {
    expect(bench().say(line)).toEqual([expect.stringMatching(`^ERR ${code} `)]);
  });

  test.each([
    ['TO b@receiver.example', 'EPERM'],
    ['DATA Early', 'EPERM'],
    ['CONNECT', 'EISCONN'],
    ['FROM no address', 'EINVAL'],
    ['FROM', 'OK'], // the null reverse-path
  ])('after CONNECT, "%s" is answered %s', (line, code) => {
    const { say } = bench();
    say('CONNECT');
    expect(say(line)).toEqual([expect.stringMatching(code === 'OK' ? /^OK$/ : `^ERR ${code} `)]);
  });

  test('a text that is refused takes its message back', () => {
    const { say, server } = bench({ extensions: ['PIPELINING'] });
    expect(say(...opening, 'DATA 7 bits', 'seven', 'né')).toEqual([
      ...Array(5).fill('OK'),
      expect.stringMatching(/^ERR EUNSUPPORTED /),
    ]);
    expect(say('QUIT')).toEqual(['OK']);
    expect(server.messages).toEqual([]);
  });

  test('a line that is lost is told once, in answer to what was asked', () => {
    const { say } = bench({ reply: ({ verb }) => (verb === 'RCPT' ? { drop: true } : undefined) });
    expect(say(...opening)).toEqual(['OK', 'OK', expect.stringMatching(/^ERR ESHUTDOWN /)]);
    expect(say('DATA No', 'QUIT')).toEqual([
      expect.stringMatching(/^ERR ENOTCONN /),
      expect.stringMatching(/^ERR ENOTCONN /),
    ]);
    expect(say('CONNECT', 'QUIT')).toEqual(['OK', 'OK']);
  });

  test('a time limit is the answer too, and what a server says is one line', () => {
    const { say } = bench({
      reply: ({ verb }) => (verb === 'RCPT' ? '550 no\u0007' : verb === 'MAIL' ? { stall: true } : undefined),
    });
    expect(say(...opening.slice(0, 2))).toEqual(['OK', expect.stringMatching(/^ERR ETIMEDOUT /)]);
    const { say: again } = bench({
      reply: ({ verb }) => (verb === 'RCPT' ? ['550 a', '550 \u0007'] : undefined),
    });
    expect(again(...opening).at(-1)).toMatch(/^ERR ESERVERPERM [\x20-\x7e]+$/);
  });
});
