/** `record()` and `replay()`: a session over any transport, played again without it. */
import { createServer, type Server } from 'node:net';
import { SmtpClient, type SmtpClientOptions, systemClock, tcp } from 'smtpump';
import {
  memory,
  Random,
  type Recording,
  ReplayError,
  record,
  replay,
  runUntil,
  ScriptedServer,
  type ServerOptions,
  VirtualClock,
} from 'smtpump/testing';
import { afterEach, describe, expect, it } from 'vitest';

const password = 'hunter2-CANARY-password';
const login = { user: 'ann', password, allowPlaintext: true };
const options: SmtpClientOptions = { host: 'mx.example', localName: 'c.example', pump: 'manual' };

interface Session {
  readonly recording: Recording<SmtpClient>;
  readonly told: unknown[];
  readonly written: Buffer;
}

const plain = (event: object): unknown => JSON.parse(JSON.stringify({ ...event }));

/** Two mails over a simulated line, steps called in listeners too. */
function session(server: ServerOptions = {}, given: SmtpClientOptions = {}, seed = 1): Session {
  const clock = new VirtualClock();
  const listening = new ScriptedServer(server);
  const transport = memory(listening, { clock, latencyMs: 5, cut: true, join: true, seed });
  const random = new Random(seed);
  const recording = record((parts) => new SmtpClient({ ...options, ...given, ...parts }), {
    transport,
    clock,
    random: (length) => random.bytes(length),
  });
  const { client } = recording;
  const told: unknown[] = [];
  let over = false;
  client.on('event', (event) => told.push(plain(event)));
  client.on('CONNECTED', () => {
    for (const name of ['one', 'two']) {
      client.sendSender({ address: `${name}@example.test`, name });
      client.sendRecipient('b@example.test');
      client.sendBom({ subject: name, date: new Date(0) });
      client.sendBody(`.body of ${name}\r\n`.repeat(100));
      client.sendEom();
    }
    client.disconnect();
  });
  client.on('AUTH_FAIL', () => client.abort());
  client.on('DISCONNECTED', () => {
    over = true;
  });
  client.connect();
  runUntil(client, clock, () => over);
  recording.end();
  return { recording, told, written: Buffer.concat(listening.reads) };
}

const again =
  (given: SmtpClientOptions = {}) =>
  (parts: Parameters<Parameters<typeof record>[0]>[0]): SmtpClient =>
    new SmtpClient({ ...options, ...given, ...parts });

describe('a recording', () => {
  it('§8.6: played again gives the same octets and events', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const { recording, told, written } = session({}, {}, seed);
      const played = replay(recording.text, again());
      expect(Buffer.from(played.octets).toString()).toBe(written.toString());
      expect(played.events.map(plain)).toEqual(told);
    }
  });

  it('a refusal, a lost line and a deadline are played too', () => {
    const servers: ServerOptions[] = [
      { reply: ({ verb }) => (verb === 'RCPT' ? '550 no' : undefined) },
      { reply: ({ verb }) => (verb === 'DATA' ? { reset: true } : undefined) },
      { reply: ({ verb }) => (verb === 'CONTENT' ? { stall: true } : undefined) },
    ];
    for (const server of servers) {
      const { recording, told } = session(server);
      expect(replay(recording.text, again()).events.map(plain)).toEqual(told);
    }
  });

  it.each(['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-256'])('S17: %s: no secret is in it', (mechanism) => {
    const auth = { mechanisms: [mechanism], users: { ann: password }, iterations: 8 };
    const { recording, told, written } = session({ auth }, { auth: login });
    const { text } = recording;
    const octets = [...text.matchAll(/"\$base64":"([^"]*)"/g)].map(([, one = '']) =>
      Buffer.from(one, 'base64'),
    );
    const seen = text + Buffer.concat(octets).toString('latin1');
    expect(seen).not.toContain(password);
    expect(seen).not.toContain(Buffer.from(password).toString('base64').slice(0, -2));
    expect(seen).not.toContain(Buffer.from(`\0ann\0${password}`).toString('base64').slice(0, -2));
    const played = replay(text, again({ auth: login }));
    expect(Buffer.from(played.octets).toString()).toBe(written.toString());
    expect(played.events.map(plain)).toEqual(told);
  });

  it('S17: what connect() is given is not in it, and is given again', () => {
    const clock = new VirtualClock();
    const auth = { mechanisms: ['PLAIN'], users: { ann: password } };
    const transport = memory(new ScriptedServer({ auth }), { clock });
    const random = (length: number): Uint8Array => new Uint8Array(length);
    const recording = record((parts) => new SmtpClient({ ...options, ...parts }), {
      transport,
      clock,
      random,
    });
    recording.client.connect({ auth: login });
    runUntil(recording.client, clock, () => recording.client.state === 'ready');
    recording.end();
    expect(recording.text).not.toContain(password);
    expect(replay(recording.text, again(), { auth: login }).client.state).toBe('ready');
    expect(() => replay(recording.text, again())).toThrow(ReplayError);
  });

  it('a listener that throws is played too', () => {
    const clock = new VirtualClock();
    const transport = memory(new ScriptedServer(), { clock });
    const random = (length: number): Uint8Array => new Uint8Array(length);
    const recording = record((parts) => new SmtpClient({ ...options, ...parts }), {
      transport,
      clock,
      random,
    });
    const { client } = recording;
    client.on('CONNECTED', () => {
      client.noop();
      throw new TypeError('oops');
    });
    client.connect();
    expect(() => runUntil(client, clock, () => false)).toThrow('oops');
    client.disconnect();
    runUntil(client, clock, () => client.state === 'disconnected' && client.execute() === 'idle');
    recording.end();
    expect(replay(recording.text, again()).events.at(-1)?.name).toBe('DISCONNECTED');
  });
});

describe('odd recordings', () => {
  const { recording } = session();
  const lines = recording.text.split('\n').slice(0, -1);
  const played = (changed: readonly string[]) => () => replay(`${changed.join('\n')}\n`, again());

  it('one that was cut names the line', () => {
    expect(played(lines.slice(0, 30))).toThrow('line 31: it was cut');
    expect(played([...lines.slice(0, 30), '{"call":"noo'])).toThrow('line 31: it is no JSON');
    expect(() => replay('', again())).toThrow('line 1: it is no recording');
  });

  it('one that was changed names the line', () => {
    for (const at of [0, 1, 7, lines.length - 1]) {
      const changed = lines.map((line, n) => (n === at ? line.replace(/[a-z]"/, 'x"') : line));
      expect(played(changed)).toThrow(`line ${at + 1}: `);
      const lost = lines.filter((_, n) => n !== at);
      expect(played(lost)).toThrow(ReplayError);
    }
  });

  it('a client that goes another way names the line and what was expected', () => {
    const other = again({ localName: 'other.example' });
    const thrown = ((): unknown => {
      try {
        return replay(recording.text, other);
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toBeInstanceOf(ReplayError);
    const { line, message } = thrown as ReplayError;
    expect(JSON.parse(lines[line - 1] ?? '')).toMatchObject({ out: 'write' });
    expect(message).toMatch(/goes another way: expected the client's .*octets.*, got the client's .*octets/);
  });
});

describe('over a socket, turned by the event loop', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  it('§8.6: is played without it', async () => {
    server = createServer((socket) => {
      socket.write('220 hi\r\n');
      socket.on('error', () => {});
      socket.on('data', (data) => {
        for (const line of data.toString().split('\r\n')) {
          if (/^EHLO/.test(line)) socket.write('250-x\r\n250 PIPELINING\r\n');
          else if (/^QUIT/.test(line)) socket.end('221 bye\r\n');
          else if (/^NOOP/.test(line)) socket.write('250 ok\r\n');
        }
      });
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const recording = record((parts) => new SmtpClient({ host: '127.0.0.1', port, ...parts }), {
      transport: tcp(),
      clock: systemClock,
      random: (length) => new Uint8Array(length),
    });
    const { client } = recording;
    const told: unknown[] = [];
    client.on('event', (event) => told.push(plain(event)));
    client.on('CONNECTED', () => client.noop());
    client.on('NOOP_ACK', () => client.disconnect());
    client.connect();
    await new Promise<void>((resolve) => client.on('DISCONNECTED', () => resolve()));
    recording.end();
    const played = replay(
      recording.text,
      (parts) => new SmtpClient({ host: '127.0.0.1', port, ...parts, pump: 'manual' }),
    );
    expect(played.events.map(plain)).toEqual(told);
    expect(Buffer.from(played.octets).toString()).toMatch(/^EHLO [^\r]*\r\nNOOP\r\nQUIT\r\n$/);
  });
});
