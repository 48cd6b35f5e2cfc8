/** Sessions across connections: resumed for the same name under the same trust, and under no other. */
import { connect } from 'node:net';
import { createSecureContext, createServer } from 'node:tls';
import { describe, expect, it, vi } from 'vitest';
import { tcp } from '../../src/transport/tcp.ts';
import { TlsMemory } from '../../src/transport/tls-memory.ts';
import type { TlsInfo, TlsOptions, Transport } from '../../src/transport/transport.ts';
import { certificate } from '../support/certificates.ts';
import { hasWholeTls } from '../support/runtime.ts';
import { atEnd, listen, portOf, Watch } from './loopback.ts';

vi.mock('node:tls', async (original) => {
  const real = await original<typeof import('node:tls')>();
  return { ...real, createSecureContext: vi.fn(real.createSecureContext) };
});

const host = '127.0.0.1';
const names = { names: ['DNS:a.example.test', 'DNS:b.example.test', 'IP:127.0.0.1'] };
const own = certificate(names);

async function serve(version: 'TLSv1.2' | 'TLSv1.3') {
  const { key, cert } = own;
  // a word after the handshake, so that the client has read its tickets
  const server = createServer({ key, cert, minVersion: version, maxVersion: version }, (socket) => {
    socket.on('error', () => {});
    socket.write('220 hello\r\n');
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  atEnd(() => server.close());
  return portOf(server);
}

/** One connection up to the first bytes of the server; what the handshake was, or why it failed. */
async function visit(
  transport: Transport,
  port: number,
  options: TlsOptions,
  onSecure: () => void = () => {},
): Promise<TlsInfo | string> {
  const watch = new Watch(transport);
  transport.open({ host, port });
  await watch.next('open');
  transport.secure(options);
  await watch.until(() => watch.events.some(({ type }) => type === 'secure' || type === 'lost'));
  const [event] = watch.events;
  if (event?.type !== 'secure') return event?.type === 'lost' ? (event.error?.message ?? 'lost') : 'nothing';
  onSecure();
  await watch.until(() => watch.events.some(({ type }) => type === 'bytes'));
  transport.close(false);
  return event.tls;
}

/** Passes everything on, and counts how often the server spoke after it was spoken to. */
async function relay(port: number): Promise<{ port: number; turns: number }> {
  const counted = { port: 0, turns: 0 };
  const listener = await listen((client) => {
    const server = connect({ host, port });
    server.on('error', () => client.destroy());
    client.on('close', () => server.destroy());
    let asked = false;
    client.on('data', (bytes) => {
      asked = true;
      server.write(bytes);
    });
    server.on('data', (bytes) => {
      if (asked) counted.turns++;
      asked = false;
      client.write(bytes);
    });
  });
  counted.port = listener.port;
  return counted;
}

describe.each([
  ['TLSv1.2', [2, 1, 1]],
  ['TLSv1.3', [1, 1, 1]],
] as const)('a handshake of %s', (version, turns) => {
  it.runIf(hasWholeTls)('takes so many round trips, and one less by TLS 1.2 when it is resumed', async () => {
    const counted = await relay(await serve(version));
    const transport = tcp();
    const seen: number[] = [];
    for (let n = 0; n < 3; n++) {
      const before = counted.turns;
      const tls = await visit(transport, counted.port, { ca: own.ca, servername: 'a.example.test' }, () =>
        seen.push(counted.turns - before),
      );
      expect(tls).toMatchObject({ resumed: n > 0 });
    }
    expect(seen).toEqual(turns);
  });

  it('makes one context for a configuration, whatever connections, transports and objects of options there are', async () => {
    const port = await serve(version);
    const tlsMemory = new TlsMemory();
    const made = vi.mocked(createSecureContext);
    made.mockClear();
    for (const transport of [tcp({ tlsMemory }), tcp({ tlsMemory })])
      for (let n = 0; n < 3; n++) await visit(transport, port, { ca: own.ca, servername: 'a.example.test' });
    expect(made).toHaveBeenCalledTimes(1);
    await visit(tcp({ tlsMemory }), port, { ca: `${own.ca}\n`, servername: 'a.example.test' });
    expect(made).toHaveBeenCalledTimes(2);
  });
});

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a session of %s', (version) => {
  it.runIf(hasWholeTls)(
    'S4: is resumed on the next connection, verified, with its channel binding',
    async () => {
      const port = await serve(version);
      const transport = tcp();
      const options = (): TlsOptions => ({ ca: own.ca, servername: 'a.example.test' });
      const first = await visit(transport, port, options());
      const second = await visit(transport, port, options());
      const third = await visit(transport, port, options());
      expect([first, second, third]).toMatchObject([
        { resumed: false, authorized: true },
        { resumed: true, authorized: true },
        { resumed: true, authorized: true },
      ]);
      const bindings = [first, second].map((tls) =>
        typeof tls === 'string' ? undefined : tls.binding?.type,
      );
      expect(bindings[1]).toBe(bindings[0]);
    },
  );

  it('S4: is not offered under another name, other trust, or without verification', async () => {
    const port = await serve(version);
    const transport = tcp();
    const base = { ca: own.ca, servername: 'a.example.test' };
    await visit(transport, port, base);
    const others: TlsOptions[] = [
      { ...base, servername: 'b.example.test' },
      { ...base, ca: `${own.ca}\n` },
      { ...base, minVersion: 'TLSv1.2' },
      { ...base, checkServerIdentity: () => undefined },
      { ...base, rejectUnauthorized: false },
    ];
    for (const options of others) {
      expect(await visit(transport, port, options)).toMatchObject({ resumed: false });
    }
  });

  it('S4: the name is checked anew at each resumption', async () => {
    const port = await serve(version);
    const transport = tcp();
    let refuse = false;
    const checkServerIdentity = (): Error | undefined => (refuse ? new Error('not this one') : undefined);
    const options = { ca: own.ca, servername: 'a.example.test', checkServerIdentity };
    expect(await visit(transport, port, options)).toMatchObject({ resumed: false });
    refuse = true;
    expect(await visit(transport, port, options)).toBe('not this one');
  });

  it('what was not verified is not kept', async () => {
    const port = await serve(version);
    const transport = tcp();
    const options = { rejectUnauthorized: false, servername: 'a.example.test' };
    expect(await visit(transport, port, options)).toMatchObject({ resumed: false, authorized: false });
    expect(await visit(transport, port, options)).toMatchObject({ resumed: false, authorized: false });
  });

  it.runIf(hasWholeTls)('is shared by transports that share a memory, and by no others', async () => {
    const port = await serve(version);
    const tlsMemory = new TlsMemory();
    const options = { ca: own.ca, servername: 'a.example.test' };
    expect(await visit(tcp({ tlsMemory }), port, options)).toMatchObject({ resumed: false });
    expect(await visit(tcp({ tlsMemory }), port, options)).toMatchObject({ resumed: true });
    expect(await visit(tcp(), port, options)).toMatchObject({ resumed: false });
  });
});
