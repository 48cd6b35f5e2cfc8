import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  memory,
  Random,
  ScriptedServer,
  type ServerMessage,
  SimNetwork,
  VirtualClock,
  withFaults,
} from '../../src/testing/index.ts';
import { ask, drain, hear, say, target } from './talk.ts';

function connected(server: ScriptedServer) {
  const transport = memory(server);
  transport.open(target);
  const greeting = hear(transport);
  return { transport, greeting };
}

const textOf = (message: ServerMessage | undefined) => Buffer.from(message?.data ?? []).toString();
const b64 = (text: string) => Buffer.from(text).toString('base64');

describe('ScriptedServer by itself', () => {
  it('greets, takes a mail and says goodbye', () => {
    const server = new ScriptedServer();
    const { transport, greeting } = connected(server);
    expect(greeting).toBe('<open>220 mx.example.test ESMTP\r\n');
    expect(ask(transport, 'EHLO me')).toMatch(
      /^250-mx.example.test greets me\r\n250-PIPELINING\r\n[\s\S]*250 DSN\r\n$/,
    );
    expect(ask(transport, 'MAIL FROM:<"a>b"@c> SIZE=10 BODY=8BITMIME')).toMatch(/^250/);
    expect(ask(transport, 'RCPT TO:<d@e> NOTIFY=NEVER')).toMatch(/^250/);
    expect(ask(transport, 'DATA')).toMatch(/^354/);
    expect(ask(transport, 'Subject: x\r\n\r\n..dot\r\n.')).toMatch(/^250/);
    expect(ask(transport, 'QUIT')).toBe('221 2.0.0 bye\r\n<lost>');
    const [message] = server.messages;
    expect(message).toMatchObject({ from: '"a>b"@c', to: ['d@e'], secure: false, by: 'DATA', connection: 1 });
    expect(message?.parameters).toEqual({ SIZE: '10', BODY: '8BITMIME' });
    expect(message?.recipients).toEqual([{ address: 'd@e', parameters: { NOTIFY: 'NEVER' } }]);
    expect(textOf(message)).toBe('Subject: x\r\n\r\n.dot\r\n');
    expect(server.violations).toEqual([]);
    expect(server.commands.at(-1)).toBe('QUIT');
    expect(server.log.at(0)).toBe('S: 220 mx.example.test ESMTP');
    expect(server.open).toBe(0);
  });

  it('minds the order of a transaction', () => {
    const { transport } = connected(new ScriptedServer());
    expect(ask(transport, 'MAIL FROM:<a@b>')).toMatch(/^503/);
    ask(transport, 'EHLO me');
    expect(ask(transport, 'RCPT TO:<a@b>')).toMatch(/^503/);
    expect(ask(transport, 'DATA')).toMatch(/^503/);
    expect(ask(transport, 'MAIL FROM:<>')).toMatch(/^250/);
    expect(ask(transport, 'MAIL FROM:<>')).toMatch(/^503/);
    expect(ask(transport, 'DATA')).toMatch(/^554/);
    expect(ask(transport, 'RSET')).toMatch(/^250/);
    expect(ask(transport, 'MAIL FROM:<a@b> BY=1;R')).toMatch(/^555/);
    expect(ask(transport, 'MAIL FROM:<a@b> SIZE=99999999')).toMatch(/^552/);
    expect(ask(transport, 'MAIL FROM:a@b')).toMatch(/^501/);
    expect(ask(transport, 'STARTTLS')).toMatch(/^502/);
    expect(ask(transport, 'BDAT 1 LAST')).toMatch(/^502/);
    expect(ask(transport, 'AUTH PLAIN')).toMatch(/^502/);
    expect(ask(transport, 'VRFY x')).toMatch(/^252/);
    expect(ask(transport, 'WHAT')).toMatch(/^500/);
  });

  it('takes chunks, in LMTP with a verdict for each recipient', () => {
    const reply = ({ last, address }: { last?: boolean | undefined; address?: string | undefined }) =>
      last && address === 'b@x' ? '450 4.2.2 b is full' : undefined;
    const server = new ScriptedServer({ lmtp: true, extensions: ['PIPELINING', 'CHUNKING'], reply });
    const { transport } = connected(server);
    expect(ask(transport, 'EHLO me')).toMatch(/^500/);
    ask(transport, 'LHLO me');
    say(
      transport,
      'MAIL FROM:<s@x>\r\nRCPT TO:<a@x>\r\nRCPT TO:<b@x>\r\nBDAT 3\r\na\r\nBDAT 4 LAST\r\n.\r\n\0NOOP\r\n',
    );
    expect(hear(transport).match(/^\d{3}.*$/gm)).toEqual([
      '250 2.1.0 sender ok',
      '250 2.1.5 recipient ok',
      '250 2.1.5 recipient ok',
      '250 2.0.0 3 octets',
      '250 2.0.0 <a@x> accepted',
      '450 4.2.2 b is full',
      '250 2.0.0 still here',
    ]);
    expect(server.messages.map(({ to, by }) => ({ to, by }))).toEqual([{ to: ['a@x'], by: 'BDAT' }]);
    expect(textOf(server.messages[0])).toBe('a\r\n.\r\n\0');
  });

  it.each([1, 2, 3, 4, 5])('understands input cut and joined anywhere (seed %i)', (seed) => {
    const server = new ScriptedServer({ extensions: ['PIPELINING', 'CHUNKING'] });
    const transport = withFaults(memory(server, { cut: true, join: true, seed }), {
      seed,
      cut: true,
      join: true,
    });
    transport.open(target);
    expect(hear(transport)).toContain('220 ');
    ask(transport, 'EHLO me');
    ask(transport, 'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA');
    say(
      transport,
      '..\r\n...a\r\n.\n\r.\r\r\n.\rx\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<c@d>\r\nBDAT 5 LAST\r\n.\r\n.\rQUIT\r\n',
    );
    expect(hear(transport)).toContain('221 ');
    expect(server.messages.map(textOf)).toEqual(['.\r\n..a\r\n\n\r.\r\r\n\rx\r\n', '.\r\n.\r']);
    expect(server.violations).toContain('a bare CR or LF in the text after DATA');
  });
});

describe('ScriptedServer watches the client', () => {
  it('notes what follows the last command of a group, and bare line ends [LE021]', () => {
    const server = new ScriptedServer({ extensions: [] });
    const { transport } = connected(server);
    ask(transport, 'EHLO a\r\nNOOP');
    ask(transport, 'MAIL FROM:<a@b>\r\nRCPT TO:<a@b>');
    say(transport, 'RSET\n');
    hear(transport);
    expect(server.violations).toEqual([
      'something follows EHLO in its group',
      'something follows MAIL without PIPELINING',
      'a bare CR or LF in "RSET"',
    ]);
  });

  it('notes what arrives while it still thinks about the last command of a group', () => {
    const clock = new VirtualClock();
    const server = new ScriptedServer({ delayMs: 50 });
    const transport = memory(server, { clock });
    transport.open(target);
    clock.advance(50);
    ask(transport, 'EHLO a');
    expect(ask(transport, 'NOOP')).toBe('');
    clock.advance(100);
    expect(hear(transport)).toMatch(/250 2.0.0 still here\r\n$/);
    expect(server.violations).toEqual(['something follows EHLO in its group']);
  });
});

describe('ScriptedServer with a script', () => {
  it('a delay alone is the answer of its own, that much later', () => {
    const clock = new VirtualClock();
    const server = new ScriptedServer({
      reply: ({ verb }) => (verb === 'NOOP' ? { delayMs: 50 } : undefined),
    });
    const transport = memory(server, { clock });
    transport.open(target);
    ask(transport, 'EHLO a');
    expect(ask(transport, 'NOOP')).toBe('');
    clock.advance(49);
    expect(hear(transport)).toBe('');
    clock.advance(1);
    expect(hear(transport)).toBe('250 2.0.0 still here\r\n');
  });

  it('does what the scripted code says, in order, with raw and broken replies', () => {
    const server = new ScriptedServer({
      reply({ verb, address }) {
        if (address === 'bad@x') return ['550 5.1.1 no', '550 5.1.1 really not'];
        if (verb === 'NOOP') return { raw: '250-\n25' };
        if (verb === 'VRFY') return { reply: '421 4.0.0 enough', drop: true };
        return undefined;
      },
    });
    const { transport } = connected(server);
    ask(transport, 'EHLO me');
    const answer = ask(transport, 'MAIL FROM:<a@b>\r\nRCPT TO:<bad@x>\r\nRCPT TO:<good@x>\r\nDATA');
    expect(answer).toMatch(/^250.*\r\n550-5.1.1 no\r\n550 5.1.1 really not\r\n250.*\r\n354.*\r\n$/);
    ask(transport, '.');
    expect(server.messages[0]?.to).toEqual(['good@x']);
    expect(ask(transport, 'NOOP')).toBe('250-\n25');
    expect(ask(transport, 'VRFY me')).toBe('421 4.0.0 enough\r\n<lost>');
  });

  it('keeps a lone 354 honest: no recipient, no message [LE023]', () => {
    const server = new ScriptedServer({ reply: ({ verb }) => (verb === 'DATA' ? '354 go on' : undefined) });
    const { transport } = connected(server);
    ask(transport, 'EHLO me');
    ask(transport, 'MAIL FROM:<a@b>');
    expect(ask(transport, 'DATA')).toMatch(/^354/);
    expect(ask(transport, '.')).toMatch(/^554/);
    expect(server.messages).toEqual([]);
  });

  it('resets and stalls', () => {
    const server = new ScriptedServer({
      reply: ({ verb }) =>
        verb === 'NOOP' ? { stall: true } : verb === 'VRFY' ? { reset: true } : undefined,
    });
    const first = connected(server).transport;
    expect(ask(first, 'NOOP')).toBe('');
    expect(ask(first, 'QUIT')).toBe('');
    const second = connected(server).transport;
    say(second, 'VRFY\r\n');
    expect(drain(second)).toMatchObject([{ type: 'lost', during: 'line', error: { code: 'ECONNRESET' } }]);
  });
});

describe('ScriptedServer with TLS', () => {
  it('upgrades, forgets what was said before, and gives the client its info', () => {
    const server = new ScriptedServer({
      tls: 'starttls',
      auth: { mechanisms: ['PLAIN'], users: {}, secureOnly: true },
    });
    const { transport } = connected(server);
    const ehlo = ask(transport, 'EHLO me');
    expect(ehlo).toContain('STARTTLS');
    expect(ehlo).not.toContain('AUTH');
    expect(ask(transport, 'STARTTLS')).toMatch(/^220/);
    transport.secure({ servername: 'mx.example.test' });
    expect(drain(transport)).toMatchObject([
      { type: 'secure', tls: { protocol: 'TLSv1.3', authorized: true, servername: 'mx.example.test' } },
    ]);
    expect(ask(transport, 'MAIL FROM:<a@b>')).toMatch(/^503/);
    const again = ask(transport, 'EHLO me');
    expect(again).toContain('AUTH PLAIN');
    expect(again).not.toContain('STARTTLS');
    expect(server.connections[0]?.secure).toBe(true);
  });

  it('greets under implicit TLS only, and is deaf to a client that talks in clear', () => {
    const { transport, greeting } = connected(new ScriptedServer({ tls: 'implicit' }));
    expect(greeting).toBe('<open>');
    transport.secure({});
    expect(hear(transport)).toBe('<secure>220 mx.example.test ESMTP\r\n');
  });

  it.each([
    ['fail', {}, 'lost'],
    ['wrong-name', {}, 'lost'],
    ['wrong-name', { rejectUnauthorized: false }, 'secure'],
    ['stall', {}, undefined],
  ] as const)('handshake %s with %j gives %s', (handshake, options, expected) => {
    const server = new ScriptedServer({ tls: 'implicit', handshake });
    const { transport } = connected(server);
    transport.secure(options);
    const [event] = drain(transport);
    expect(event?.type).toBe(expected);
    if (event?.type === 'lost') expect(event).toMatchObject({ during: 'secure', error: { message: /./ } });
    if (event?.type === 'secure') expect(event.tls.authorized).toBe(false);
    if (expected === 'lost') expect(server.open).toBe(0);
  });

  it('fails the handshake when clear bytes stand before it [S1]', () => {
    const server = new ScriptedServer({
      tls: 'starttls',
      reply: ({ verb }) => (verb === 'STARTTLS' ? ['220 go', '250 injected'] : undefined),
    });
    const transport = memory(server, { cut: true, seed: 4 });
    transport.open(target);
    hear(transport);
    ask(transport, 'EHLO me');
    say(transport, 'STARTTLS\r\n');
    expect(transport.poll()?.type).toBe('bytes');
    transport.secure({});
    expect(drain(transport)).toMatchObject([{ type: 'lost', during: 'secure' }]);
  });
});

describe('ScriptedServer with logins', () => {
  const users = { user: 'pencil', 'o,=o': 'token' };
  const ready = (mechanism: string) => {
    const server = new ScriptedServer({ auth: { mechanisms: [mechanism], users } });
    const { transport } = connected(server);
    ask(transport, 'EHLO me');
    return { server, transport };
  };

  it('PLAIN, with and without initial response; cancel; bad base64; unknown mechanism [LE118]', () => {
    const { transport, server } = ready('PLAIN');
    expect(ask(transport, 'AUTH NTLM')).toMatch(/^504/);
    expect(ask(transport, 'AUTH PLAIN ???')).toMatch(/^501/);
    expect(ask(transport, `AUTH PLAIN ${b64('\0user\0wrong')}`)).toMatch(/^535/);
    expect(ask(transport, `AUTH PLAIN ${b64('\0toString\0wrong')}`)).toMatch(/^535/);
    expect(ask(transport, 'AUTH PLAIN')).toBe('334 \r\n');
    expect(ask(transport, '*')).toMatch(/^501/);
    expect(ask(transport, 'AUTH PLAIN')).toBe('334 \r\n');
    expect(ask(transport, b64('\0user\0pencil'))).toMatch(/^235/);
    expect(server.connections[0]?.user).toBe('user');
    expect(ask(transport, 'AUTH PLAIN')).toMatch(/^503/);
  });

  it('LOGIN [LE118]', () => {
    const { transport } = ready('LOGIN');
    expect(ask(transport, 'AUTH LOGIN')).toBe(`334 ${b64('Username:')}\r\n`);
    expect(ask(transport, b64('user'))).toBe(`334 ${b64('Password:')}\r\n`);
    expect(ask(transport, b64('pencil'))).toMatch(/^235/);
    expect(ask(ready('LOGIN').transport, `AUTH LOGIN ${b64('user')}`)).toBe(`334 ${b64('Password:')}\r\n`);
  });

  it('CRAM-MD5 [LE119]', () => {
    const { transport } = ready('CRAM-MD5');
    const challenge = Buffer.from(ask(transport, 'AUTH CRAM-MD5').slice(4), 'base64').toString();
    const digest = createHmac('md5', 'pencil').update(challenge).digest('hex');
    expect(ask(transport, b64(`user ${digest}`))).toMatch(/^235/);
  });

  it('XOAUTH2 and OAUTHBEARER, refused by a challenge', () => {
    const { transport } = ready('XOAUTH2');
    expect(ask(transport, `AUTH XOAUTH2 ${b64('user=user\x01auth=Bearer wrong\x01\x01')}`)).toMatch(/^334 /);
    expect(ask(transport, '')).toMatch(/^535/);
    expect(ask(transport, `AUTH XOAUTH2 ${b64('user=user\x01auth=Bearer pencil\x01\x01')}`)).toMatch(/^235/);
    const other = ready('OAUTHBEARER').transport;
    const text = 'n,a=o=2C=3Do,\x01host=x\x01auth=Bearer token\x01\x01';
    expect(ask(other, `AUTH OAUTHBEARER ${b64(text)}`)).toMatch(/^235/);
  });

  it.each([
    ['SCRAM-SHA-1', 'sha1', 'n,,'],
    ['SCRAM-SHA-256', 'sha256', 'y,,'],
    ['SCRAM-SHA-256-PLUS', 'sha256', 'p=tls-exporter,,'],
  ])('%s', (mechanism, hash, header) => {
    const { transport, server } = ready(mechanism);
    const bare = 'n=user,r=abc';
    const first = Buffer.from(
      ask(transport, `AUTH ${mechanism} ${b64(header + bare)}`).slice(4),
      'base64',
    ).toString();
    const [, nonce = '', salt = '', iterations] = /^r=(.*),s=(.*),i=(.*)$/.exec(first) ?? [];
    const binding = header.startsWith('p') ? (server.connections[0]?.line.binding.data ?? []) : [];
    const bound = Buffer.concat([Buffer.from(header), Buffer.from(binding)]).toString('base64');
    const hmac = (key: Buffer, text: string) => createHmac(hash, key).update(text).digest();
    const size = createHash(hash).digest().length;
    const salted = pbkdf2Sync('pencil', Buffer.from(salt, 'base64'), Number(iterations), size, hash);
    const exchange = `${bare},${first},c=${bound},r=${nonce}`;
    const key = hmac(salted, 'Client Key');
    const mask = hmac(createHash(hash).update(key).digest(), exchange);
    const proof = Buffer.from(key.map((byte, i) => byte ^ (mask[i] ?? 0))).toString('base64');
    const final = Buffer.from(
      ask(transport, b64(`c=${bound},r=${nonce},p=${proof}`)).slice(4),
      'base64',
    ).toString();
    expect(final).toBe(`v=${hmac(hmac(salted, 'Server Key'), exchange).toString('base64')}`);
    expect(ask(transport, '')).toMatch(/^235/);
  });
});

describe('ScriptedServer in numbers', () => {
  it('is quick and keeps nothing with record: false', () => {
    const clock = new VirtualClock();
    const server = new ScriptedServer({ record: false });
    const network = new SimNetwork({ clock, latencyMs: 1 }).listen(25, server);
    const transport = network.transport();
    const random = new Random(1);
    transport.open(target);
    say(transport, 'EHLO me\r\n');
    const rounds = 5000;
    for (let i = 0; i < rounds; i++) {
      say(transport, 'MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n');
      say(transport, `${random.int(10)}\r\n.\r\n`);
      clock.advance(3);
      drain(transport);
    }
    expect(server.delivered).toBe(rounds);
    expect(server.messages).toEqual([]);
    expect(server.reads).toEqual([]);
  });
});
