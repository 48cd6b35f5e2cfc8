/** The blocking steps in virtual time: what they return, what they throw, and what is left afterwards. */
import { BlockingClient, connect } from 'smtpump/blocking';
import { memory, ScriptedServer, SimNetwork, trace, VirtualClock, withFaults } from 'smtpump/testing';
import { describe, expect, test } from 'vitest';
import { tcp } from '../../src/transport/tcp.ts';
import { ann, bob, connectedWorld, failure, mail, misuse, replies, world } from './world.ts';

describe('each call returns when the server has answered [TK51]', () => {
  test('connect with what was found, the steps with the reply, the end with the recipients', () => {
    const { client, server } = world();
    const found = client.connect();
    expect(found).toMatchObject({ reply: { code: 250 }, secure: false, tls: undefined });
    expect(found.capabilities).toBe(client.capabilities);
    expect(client.sendSender('me@sender.example').code).toBe(250);
    expect(client.state).toBe('sender');
    expect(client.sendRecipient(ann).code).toBe(250);
    expect(client.sendBom({ subject: 'Hello' })?.code).toBe(354);
    expect(client.sendBody('Grüße\r\n')).toBe(9);
    const { reply, accepted, rejected } = client.sendEom();
    expect(reply.code).toBe(250);
    expect(accepted.map(({ address }) => address)).toEqual([ann]);
    expect(rejected).toEqual([]);
    expect(client.noop().code).toBe(250);
    expect(client.reset().code).toBe(250);
    expect(client.disconnect()?.code).toBe(221);
    expect(client.state).toBe('disconnected');
    expect(client.disconnect()).toBeUndefined();
    expect(server.violations).toEqual([]);
    expect(server.messages).toHaveLength(1);
  });

  test('TLS and login are part of connect', () => {
    const { client } = world(
      { tls: 'starttls', auth: { users: { me: 'secret' }, mechanisms: ['PLAIN'] } },
      { tls: 'always', auth: { user: 'me', password: 'secret' } },
    );
    expect(client.connect()).toMatchObject({ secure: true, tls: { authorized: true } });
    expect(client.secure).toBe(true);
  });

  test('through wrappers of its transport too, which hold back what arrives', () => {
    const clock = new VirtualClock();
    const network = new SimNetwork({ clock, latencyMs: 10 }).listen('mx.example', new ScriptedServer());
    const late = withFaults(network.transport(), { clock, delay: 300, cut: true, seed: 4 });
    const lines: string[] = [];
    const client = connect({
      host: 'mx.example',
      clock,
      transport: trace(late, ({ text }) => lines.push(text)),
    });
    expect(mail(client).reply.code).toBe(250);
    client.disconnect();
    expect(lines).toContain('RCPT TO:<ann@receiver.example>');
    expect(lines.at(-1)).toMatch(/^close/);
  });

  test('many mails on one connection [TK34], and another connection after it', () => {
    const clock = new VirtualClock();
    const server = new ScriptedServer({ extensions: ['PIPELINING', 'CHUNKING'] });
    const network = new SimNetwork({ clock }).listen('mx.example', server);
    const client = connect({ host: 'mx.example', clock, transport: network.transport() });
    mail(client);
    expect(mail(client).reply.code).toBe(250);
    client.disconnect();
    client.connect();
    mail(client);
    client.disconnect();
    expect(server.messages.map(({ by, connection }) => [by, connection])).toEqual([
      ['BDAT', 1],
      ['BDAT', 1],
      ['BDAT', 2],
    ]);
  });

  test('a server that takes five seconds for each answer is waited for asleep', () => {
    const { client, asked, elapsed } = world({ delayMs: 5000 });
    client.connect();
    mail(client);
    client.disconnect();
    expect(elapsed()).toBeGreaterThan(7 * 5000);
    // for each of the seven answers: asleep until it comes, then what has come, and that no more has
    expect(asked.waits).toBeLessThan(40);
    expect(asked.polls).toBeLessThan(100);
  });

  test('symbol dispose leaves politely, or at once', () => {
    const first = connectedWorld();
    first.client[Symbol.dispose]();
    first.client[Symbol.dispose]();
    expect(first.server.commands.at(-1)).toBe('QUIT');
    const second = connectedWorld({ reply: ({ verb }) => (verb === 'QUIT' ? { stall: true } : undefined) });
    second.client[Symbol.dispose]();
    expect(second.client.state).toBe('disconnected');
    expect(second.elapsed()).toBeGreaterThanOrEqual(10_000);
    const third = connectedWorld();
    third.client.sendSender('me@sender.example');
    third.client.sendRecipient(ann);
    third.client.sendBom();
    third.client[Symbol.dispose]();
    expect(third.client.state).toBe('disconnected');
    expect(third.server.messages).toEqual([]);
  });
});

describe('the body', () => {
  const slow = { bytesPerSecond: 100_000, windowBytes: 8192 };

  test.each([['an array of octets'], ['a string']])('%s goes whole, however slow the line', (kind) => {
    const { client, server, elapsed } = connectedWorld({}, { bodyBufferBytes: 20_000 }, slow);
    client.sendSender('me@sender.example');
    client.sendRecipient(ann);
    client.sendBom({ raw: true });
    const text = 'A line of this text.\r\n'.repeat(20_000);
    const chunk = kind === 'a string' ? text : Buffer.from(text);
    expect(client.sendBody(chunk)).toBe(text.length);
    expect(client.sendBody(chunk)).toBe(text.length);
    expect(client.sendBody('')).toBe(0);
    client.sendEom();
    expect(elapsed()).toBeGreaterThan(8000);
    expect(server.messages[0]?.data.length).toBe(2 * text.length);
  });

  test('is the caller’s again after the call, also of a transport that copies what it is given', () => {
    for (const length of [1, 9_999, 20_000, 20_001, 39_999, 40_000, 40_001, 200_000]) {
      const { client, server } = connectedWorld({}, { bodyBufferBytes: 20_000 }, { ...slow, copies: true });
      client.sendSender('me@sender.example');
      client.sendRecipient(ann);
      client.sendBom({ raw: true });
      const buffer = Buffer.alloc(length);
      for (const letter of ['a', 'b']) {
        buffer.fill(letter);
        client.sendBody(buffer);
      }
      buffer.fill('x');
      client.sendEom();
      const text = Buffer.from(server.messages[0]?.data ?? []).toString();
      expect(text).toBe(`${'a'.repeat(length)}${'b'.repeat(length)}\r\n`);
    }
  });

  test('is the caller’s again after the call', () => {
    const { client, server } = connectedWorld({}, {}, slow);
    client.sendSender('me@sender.example');
    client.sendRecipient(ann);
    client.sendBom({ raw: true });
    const buffer = Buffer.alloc(30_000);
    for (const letter of ['a', 'b', 'c']) {
      buffer.fill(letter);
      client.sendBody(buffer);
    }
    buffer.fill('x');
    client.sendEom();
    const runs = Buffer.from(server.messages[0]?.data ?? []).toString();
    expect(runs.replace(/(.)\1*/gs, (run, letter) => `${letter}${run.length} `)).toMatch(
      /^a30000 b30000 c30000 /,
    );
  });

  test('is text or octets, and no list of numbers, whatever their size', () => {
    const { client } = connectedWorld();
    client.sendSender('me@sender.example');
    client.sendRecipient(ann);
    client.sendBom();
    for (const wrong of [new Uint16Array([0x0141]), [0x41], 5] as never[]) {
      expect(misuse(() => client.sendBody(wrong))).toMatchObject({ code: 'EINVAL', option: 'chunk' });
    }
  });

  test('that the server cannot take is refused, and the message stays open', () => {
    const { client } = connectedWorld({ extensions: [] });
    client.sendSender('me@sender.example');
    client.sendRecipient(ann);
    client.sendBom();
    expect(misuse(() => client.sendBody('Grüße\r\n')).code).toBe('EUNSUPPORTED');
    client.sendBody('Gruesse\r\n');
    expect(client.sendEom().reply.code).toBe(250);
  });

  test('that is cut off by the server throws, and the next connection works', () => {
    const { client, network } = world({}, { bodyBufferBytes: 20_000 }, slow);
    network.listen('cut.example', new ScriptedServer(), {
      fault: { kind: 'reset', after: 50_000, direction: 'toServer' },
    });
    client.connect({ host: 'cut.example' });
    client.sendSender('me@sender.example');
    client.sendRecipient(ann);
    client.sendBom();
    expect(failure(() => client.sendBody(Buffer.alloc(200_000, 'x'))).code).toBe('ECONNECTION');
    expect(client.state).toBe('disconnected');
    client.connect();
    expect(mail(client).reply.code).toBe(250);
  });
});

describe('refusals throw, and the session goes on', () => {
  test.each([
    ['550 5.1.8 no', 'ESERVERPERM', false],
    ['451 4.3.0 later', 'ESERVERTEMP', true],
  ])('of the sender: %s', (reply, code, retryable) => {
    let answers = [reply];
    const { client, server } = connectedWorld({
      reply: ({ verb }) => (verb === 'MAIL' ? answers.shift() : undefined),
    });
    const error = failure(() => client.sendSender('me@sender.example'));
    expect(error).toMatchObject({ code, retryable, phase: 'mail', reply: { text: expect.any(String) } });
    // nobody would answer them
    expect(misuse(() => client.sendRecipient(ann)).code).toBe('EPERM');
    expect(misuse(() => client.sendBom()).code).toBe('EPERM');
    expect(misuse(() => client.sendBody('x')).code).toBe('EPERM');
    expect(misuse(() => client.sendEom()).code).toBe('EPERM');
    answers = [];
    expect(mail(client).reply.code).toBe(250);
    expect(server.messages).toHaveLength(1);
  });

  test('of a recipient: the others get the mail [TK37, TK38]', () => {
    const { client, server } = connectedWorld({
      reply: ({ verb, address }) =>
        verb !== 'RCPT'
          ? undefined
          : address === 'no@x.example'
            ? '550 5.1.1 no'
            : address === 'later@x.example'
              ? '450 4.2.1 later'
              : undefined,
    });
    client.sendSender('me@sender.example');
    client.sendRecipient(ann);
    expect(failure(() => client.sendRecipient('no@x.example')).code).toBe('ESERVERPERM');
    expect(failure(() => client.sendRecipient('later@x.example')).code).toBe('ESERVERTEMP');
    client.sendRecipient(bob);
    client.sendBom();
    const { accepted, rejected } = client.sendEom();
    expect(accepted.map(({ address }) => address)).toEqual([ann, bob]);
    expect(rejected.map(({ recipient, error }) => [recipient.address, error.code])).toEqual([
      ['no@x.example', 'ESERVERPERM'],
      ['later@x.example', 'ESERVERTEMP'],
    ]);
    expect(server.messages[0]?.to).toEqual([ann, bob]);
  });

  test('of all recipients: the begin of the message throws the last of them', () => {
    const { client, server } = connectedWorld(replies({ RCPT: '550 5.1.1 nobody' }));
    client.sendSender('me@sender.example');
    expect(failure(() => client.sendRecipient(ann)).phase).toBe('rcpt');
    expect(failure(() => client.sendBom())).toMatchObject({ code: 'ESERVERPERM', reply: { code: 550 } });
    expect(misuse(() => client.sendEom()).code).toBe('EPERM');
    expect(client.noop().code).toBe(250);
    expect(server.violations).toEqual([]);
  });

  test.each([
    ['DATA', '554 5.0.0 no', 'data'],
    ['CONTENT', '554 5.6.0 no', 'verdict'],
    ['CONTENT', '451 4.3.0 later', 'verdict'],
  ])('of %s by %s', (verb, reply, phase) => {
    const answers = [reply];
    const { client } = connectedWorld({
      reply: (command) => (command.verb === verb ? answers.shift() : undefined),
    });
    expect(failure(() => mail(client))).toMatchObject({ phase });
    expect(mail(client).reply.code).toBe(250);
    expect(client.disconnect()?.code).toBe(221);
  });

  test('of a chunk, in the middle of the body', () => {
    const answers = ['552 5.3.4 too big'];
    const { client, server } = connectedWorld({
      extensions: ['PIPELINING', 'CHUNKING'],
      reply: ({ verb }) => (verb === 'BDAT' ? answers.shift() : undefined),
    });
    client.sendSender('me@sender.example');
    client.sendRecipient(ann);
    client.sendBom();
    const error = failure(() => {
      for (let n = 0; n < 20; n++) client.sendBody(Buffer.alloc(100_000, 'x'));
      client.sendEom();
    });
    expect(error.code).toBe('ESERVERPERM');
    expect(mail(client).reply.code).toBe(250);
    expect(server.messages).toHaveLength(1);
  });

  test('of recipients at the end, with LMTP: the others have it; of all of them: it throws the last', () => {
    const no = new Set([bob]);
    const { client } = connectedWorld(
      {
        lmtp: true,
        reply: ({ verb, address = '' }) =>
          verb === 'CONTENT' && no.has(address) ? '552 5.2.2 full' : undefined,
      },
      { protocol: 'lmtp' },
    );
    const some = mail(client, [ann, bob]);
    expect(some.accepted.map(({ address }) => address)).toEqual([ann]);
    expect(some.rejected).toMatchObject([{ recipient: { address: bob }, error: { reply: { code: 552 } } }]);
    no.add(ann);
    expect(failure(() => mail(client, [bob, ann]))).toMatchObject({ code: 'ESERVERPERM', phase: 'verdict' });
    no.clear();
    expect(mail(client, [bob]).accepted).toHaveLength(1);
  });

  test('by ourselves: what the server does not offer', () => {
    const { client } = connectedWorld({ extensions: [] });
    expect(misuse(() => client.sendSender({ address: 'me@sender.example', ret: 'full' })).code).toBe(
      'EUNSUPPORTED',
    );
    expect(mail(client).reply.code).toBe(250);
  });

  test('reset() takes the message back', () => {
    const { client, server } = connectedWorld();
    client.sendSender('me@sender.example');
    client.sendRecipient(ann);
    expect(client.reset().code).toBe(250);
    expect(misuse(() => client.sendRecipient(ann)).code).toBe('EPERM');
    mail(client, [bob]);
    expect(server.messages.map(({ to }) => to)).toEqual([[bob]]);
  });
});

describe('connect throws, and nothing is connected', () => {
  test.each([
    ['the handshake fails', { tls: 'starttls', handshake: 'fail' }, 'always', 'tls'],
    ['the certificate is for another name', { tls: 'starttls', handshake: 'wrong-name' }, 'optional', 'tls'],
    ['nobody vouches for it', { tls: 'implicit', handshake: 'untrusted' }, 'implicit', 'tls'],
    ['STARTTLS is not offered', { tls: 'none' }, 'always', 'starttls'],
  ] as const)('ETLS where %s [TK50]', (_, server, tls, phase) => {
    const { client } = world(server, { tls });
    expect(failure(() => client.connect())).toMatchObject({ code: 'ETLS', phase });
    expect(client.state).toBe('disconnected');
    expect(misuse(() => client.sendSender('me@sender.example')).code).toBe('ENOTCONN');
  });

  test('a refused STARTTLS is no failure where it is optional', () => {
    const { client } = world(
      { tls: 'starttls', reply: ({ verb }) => (verb === 'STARTTLS' ? '454 4.7.0 not now' : undefined) },
      { tls: 'optional' },
    );
    expect(client.connect().secure).toBe(false);
    expect(misuse(() => client.connect({ tls: 'always' })).code).toBe('EISCONN');
  });

  test('EAUTH where the login fails; then other credentials [TK16]', () => {
    const { client } = world(
      { auth: { users: { me: 'secret' }, mechanisms: ['PLAIN'] } },
      { auth: { user: 'me', password: 'wrong', allowPlaintext: true } },
    );
    expect(failure(() => client.connect())).toMatchObject({ code: 'EAUTH', phase: 'auth' });
    expect(client.state).toBe('disconnected');
    client.connect({ auth: { user: 'me', password: 'secret', allowPlaintext: true } });
    mail(client);
  });

  test('what the greeting refuses, and a host that is not there', () => {
    const { client } = world({ greeting: '554 5.3.2 no service' });
    expect(failure(() => client.connect())).toMatchObject({ code: 'ESERVERPERM', phase: 'greeting' });
    expect(failure(() => client.connect({ host: 'nobody.example' }))).toMatchObject({
      code: 'ECONNECTION',
      phase: 'connect',
    });
    expect(client.state).toBe('disconnected');
  });

  test('a token source must answer at once', () => {
    const server = { auth: { users: { me: 'ya29' }, mechanisms: ['XOAUTH2'] } };
    let token: () => string | Promise<string> = () => Promise.resolve('ya29');
    const { client } = world(server, {
      auth: { user: 'me', token: () => token(), allowPlaintext: true },
    });
    expect(misuse(() => client.connect())).toMatchObject({ code: 'EINVAL', option: 'auth.token' });
    expect(client.state).toBe('disconnected');
    token = () => 'ya29';
    client.connect();
    expect(client.state).toBe('ready');
  });
});

describe('deadlines hold, and a lost line is told', () => {
  test.each([
    ['CONNECT', 'greeting', 300_000],
    ['EHLO', 'ehlo', 300_000],
    ['MAIL', 'mail', 300_000],
    ['RCPT', 'rcpt', 300_000],
    ['DATA', 'data', 120_000],
    ['CONTENT', 'verdict', 600_000],
    ['NOOP', 'noop', 300_000],
  ])(
    'ETIMEDOUT where the server is silent after %s; then connect works again [TK39, TK40]',
    (verb, phase, ms) => {
      let silent = true;
      const { client, elapsed } = world({
        reply: (command) => (silent && command.verb === verb ? { stall: true } : undefined),
      });
      const error = failure(() => {
        client.connect();
        client.noop();
        mail(client);
      });
      expect(error).toMatchObject({ code: 'ETIMEDOUT', phase });
      expect(elapsed()).toBeGreaterThanOrEqual(ms);
      expect(elapsed()).toBeLessThan(ms + 1000);
      expect(client.state).toBe('disconnected');
      silent = false;
      client.connect();
      expect(mail(client).reply.code).toBe(250);
    },
  );

  test('a server that closes between two steps: the next one says so, once [TK63]', () => {
    const { client, server, clock } = connectedWorld();
    server.connections[0]?.say('421 4.3.2 shutting down\r\n');
    clock.advance(1000);
    expect(failure(() => client.sendSender('me@sender.example'))).toMatchObject({
      code: 'ESERVERTEMP',
      reply: { code: 421 },
    });
    expect(misuse(() => client.sendSender('me@sender.example')).code).toBe('ENOTCONN');
    client.connect();
    server.connections[1]?.line.end();
    clock.advance(1000);
    client.connect();
    expect(client.state).toBe('ready');
  });

  test('abort() closes at once', () => {
    const { client, server } = connectedWorld();
    client.sendSender('me@sender.example');
    client.abort();
    client.abort();
    expect(client.state).toBe('disconnected');
    expect(server.commands).not.toContain('QUIT');
  });
});

describe('options', () => {
  test.each([
    ['a pump', { pump: 'auto' }, 'pump'],
    ['a transport that cannot be waited for', { transport: tcp() }, 'transport'],
    ['an unknown option', { hots: 'x' }, 'options'],
  ])('%s is refused', (_, options: object, option) => {
    expect(misuse(() => new BlockingClient(options))).toMatchObject({ code: 'EINVAL', option });
  });

  test('a line in memory needs a clock that can be moved', () => {
    const silent = new ScriptedServer({ reply: () => ({ stall: true }) });
    const client = new BlockingClient({ transport: memory(silent) });
    expect(() => client.connect()).toThrow(/VirtualClock/);
  });
});
