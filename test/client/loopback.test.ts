/** The client on real sockets and Node's own event loop, against smtp-server on the loopback. No waiting for time. */
import { createServer, type Server } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { SmtpClient, type SmtpClientOptions, type SmtpEvent, TlsMemory, tcp } from 'smtpump';
import { describe, expect, it } from 'vitest';
import { certificate } from '../support/certificates.ts';
import { hasWholeTls } from '../support/runtime.ts';
import { atEnd, listen } from '../transport/loopback.ts';
import { last, sendMail, short } from './support.ts';

interface Received {
  readonly to: readonly string[];
  readonly text: string;
  readonly secure: boolean;
  readonly user: string | undefined;
}

/** Starts a server and says on which port it listens. */
async function serve(
  options: SMTPServerOptions = {},
  host = '127.0.0.1',
): Promise<{ port: number; received: Received[] }> {
  const { key, cert } = certificate();
  const received: Received[] = [];
  const server = new SMTPServer({
    key,
    cert,
    authOptional: true,
    disableReverseLookup: true,
    onAuth: ({ username, password }, _, done) =>
      password === 'secret' ? done(null, { user: username ?? '' }) : done(new Error('no')),
    onData(stream, session, done) {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        received.push({
          to: session.envelope.rcptTo.map(({ address }) => address),
          text: Buffer.concat(parts).toString(),
          secure: session.secure,
          user: session.user === undefined ? undefined : String(session.user),
        });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  await new Promise<void>((resolve) => server.listen(0, host, () => resolve()));
  atEnd(() => server.close());
  const address = (server.server as Server).address();
  return { port: typeof address === 'object' && address !== null ? address.port : 0, received };
}

/** One mail and a goodbye; all that was told. */
function mailOnce(
  options: SmtpClientOptions,
  body = 'hello\r\n',
): Promise<{ events: SmtpEvent[]; told: string[] }> {
  const client = new SmtpClient({ localName: 'client.example.test', ...options });
  const events: SmtpEvent[] = [];
  return new Promise((resolve) => {
    client.on('event', (event) => {
      events.push(event);
      if (event.name === 'CONNECTED' || event.name === 'AUTH_FAIL') client.disconnect();
      if (event.name === 'DISCONNECTED') resolve({ events, told: events.map(short) });
    });
    client.connect();
    sendMail(client, { body });
  });
}

const good = ['SENDER_ACK 1', 'RECIPIENT_ACK 1 b', 'BOM_ACK 1', 'EOM_ACK 1 b/', 'DISCONNECTED'];
const trusted = { ca: certificate().ca, servername: 'mx.example.test' };

describe("pump: 'auto' on the event loop, over a real line", () => {
  it.each(['127.0.0.1', '::1'])('TK10: connects to %s and its port', async (host) => {
    const { port, received } = await serve({ disabledCommands: ['STARTTLS'] }, host);
    const { told } = await mailOnce({ host, port });
    expect(told).toEqual(['CONNECTED', ...good]);
    expect(received).toEqual([{ to: ['b@example.test'], text: 'hello\r\n', secure: false, user: undefined }]);
  });

  it('TK43: STARTTLS and a login, with a verified certificate', async () => {
    const { port, received } = await serve();
    const auth = { user: 'ann', password: 'secret' };
    const { told } = await mailOnce({ host: '127.0.0.1', port, tlsOptions: trusted, auth });
    expect(told).toEqual(['SECURE_OK', expect.stringMatching(/^AUTH_OK/), 'CONNECTED', ...good]);
    expect(received[0]).toMatchObject({ secure: true, user: 'ann' });
  });

  it.runIf(hasWholeTls)(
    'S4: a client that connects again resumes its session, and so does another with the same memory',
    async () => {
      const { port } = await serve();
      const tlsMemory = new TlsMemory();
      const options = { host: '127.0.0.1', port, tls: 'always', tlsOptions: trusted } as const;
      const resumed: boolean[] = [];
      const clients = [tcp({ tlsMemory }), tcp({ tlsMemory }), tcp()].map(
        (transport) => new SmtpClient({ ...options, transport }),
      );
      for (const client of clients) {
        client.on('SECURE_OK', ({ tls }) => resumed.push(tls.resumed));
        client.on('CONNECTED', () => client.disconnect());
        for (let n = 0; n < 2; n++) {
          client.connect();
          await new Promise<void>((resolve) => client.once('DISCONNECTED', () => resolve()));
        }
      }
      expect(resumed).toEqual([false, true, true, true, false, true]);
    },
  );

  it('TK49: implicit TLS', async () => {
    const { port, received } = await serve({ secure: true });
    const { told } = await mailOnce({ host: '127.0.0.1', port, tls: 'implicit', tlsOptions: trusted });
    expect(told).toEqual(['SECURE_OK', 'CONNECTED', ...good]);
    expect(received[0]?.secure).toBe(true);
  });

  it.each([
    ['an unknown authority', { servername: 'mx.example.test' }, /tlsOptions\.ca/],
    ['another name', { ca: certificate().ca, servername: 'other.example.test' }, /another name/],
  ])('TK44: a certificate of %s: SECURE_FAIL, and no mail', async (_, tlsOptions, hint) => {
    for (const secure of [true, false]) {
      const { port, received } = await serve({ secure });
      const { told, events } = await mailOnce({
        host: '127.0.0.1',
        port,
        tls: secure ? 'implicit' : 'optional',
        tlsOptions,
      });
      expect(told).toEqual(['SECURE_FAIL', 'DISCONNECTED ETLS 1:unsent']);
      expect(last(events, 'SECURE_FAIL').error.hint).toMatch(hint);
      expect(received).toEqual([]);
    }
  });

  it('TK64: nobody listens: ECONNECTION with the socket’s own code', async () => {
    const { port } = await new Promise<{ port: number }>((resolve) => {
      const server = createServer().listen(0, '127.0.0.1', () => {
        const address = server.address();
        server.close(() =>
          resolve({ port: typeof address === 'object' && address !== null ? address.port : 0 }),
        );
      });
    });
    const { told, events } = await mailOnce({ host: '127.0.0.1', port });
    expect(told).toEqual(['DISCONNECTED ECONNECTION 1:unsent']);
    expect(last(events, 'DISCONNECTED').reason).toMatchObject({
      phase: 'connect',
      cause: { code: 'ECONNREFUSED' },
    });
  });

  it('TK63 TK64: a peer that closes or breaks the line before it greets', async () => {
    const closing = await listen((socket) => socket.end());
    expect((await mailOnce({ host: '127.0.0.1', port: closing.port })).told).toEqual([
      'DISCONNECTED ESHUTDOWN 1:unsent',
    ]);
    const breaking = await listen((socket) => socket.resetAndDestroy());
    const { told, events } = await mailOnce({ host: '127.0.0.1', port: breaking.port });
    expect(told).toEqual(['DISCONNECTED ECONNECTION 1:unsent']);
    expect(last(events, 'DISCONNECTED').reason?.cause).toMatchObject({ code: 'ECONNRESET' });
  });

  it('TK27: 5 MB arrive whole, with DRAIN between', async () => {
    const { port, received } = await serve({ disabledCommands: ['STARTTLS'] });
    const client = new SmtpClient({ host: '127.0.0.1', port });
    const line = `${'x'.repeat(98)}\r\n`;
    let rest: Uint8Array = Buffer.from(line.repeat(50_000));
    let drains = 0;
    await new Promise((resolve) => {
      const give = (): void => {
        rest = rest.subarray(client.sendBody(rest));
        if (rest.length === 0) client.sendEom();
      };
      client.on('BOM_ACK', give);
      client.on('DRAIN', () => {
        drains++;
        give();
      });
      client.on('EOM_ACK', () => client.disconnect());
      client.on('DISCONNECTED', resolve);
      client.connect();
      client.sendSender('a@example.test');
      client.sendRecipient('b@example.test');
      client.sendBom({ raw: true });
    });
    expect(drains).toBeGreaterThan(2);
    expect(received[0]?.text.length).toBe(5_000_000);
  });

  it('the same client connects again and again', async () => {
    const { port, received } = await serve({ disabledCommands: ['STARTTLS'] });
    const client = new SmtpClient({ host: '127.0.0.1', port });
    const told: string[] = [];
    await new Promise<void>((resolve) => {
      let left = 5;
      client.on('event', (event) => told.push(short(event)));
      client.on('EOM_ACK', () => client.disconnect());
      client.on('DISCONNECTED', () => {
        if (left-- === 0) return resolve();
        client.connect();
        sendMail(client);
      });
      client.connect();
      client.abort();
    });
    expect(received).toHaveLength(5);
    expect(told.filter((line) => line === 'DISCONNECTED')).toHaveLength(5);
  });

  it("pump: 'manual' moves only when turned, woken by the callback", async () => {
    const { port, received } = await serve({ disabledCommands: ['STARTTLS'] });
    const client = new SmtpClient({ host: '127.0.0.1', port, pump: 'manual' });
    const told: string[] = [];
    client.on('event', (event) => told.push(short(event)));
    client.on('EOM_ACK', () => client.disconnect());
    client.connect();
    sendMail(client);
    let ring: () => void = () => {};
    let rung = new Promise<void>((resolve) => {
      ring = resolve;
    });
    client.setAsyncCallback(() => ring());
    while (client.state !== 'disconnected') {
      if (client.execute() === 'more' || client.can('connect')) continue;
      await rung;
      rung = new Promise<void>((resolve) => {
        ring = resolve;
      });
    }
    expect(told).toEqual(['CONNECTED', ...good]);
    expect(received).toHaveLength(1);
  });

  it('an error thrown by a listener does not stop the session', async () => {
    const { port, received } = await serve({ disabledCommands: ['STARTTLS'] });
    const client = new SmtpClient({ host: '127.0.0.1', port });
    const caught: unknown[] = [];
    const before = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => caught.push(error));
    try {
      await new Promise((resolve) => {
        client.on('SENDER_ACK', () => {
          throw new Error('a bug of the user');
        });
        client.on('EOM_ACK', () => client.disconnect());
        client.on('DISCONNECTED', resolve);
        client.connect();
        sendMail(client);
      });
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of before) process.on('uncaughtException', listener);
    }
    expect(caught.map(String)).toEqual(['Error: a bug of the user']);
    expect(received).toHaveLength(1);
  });
});
