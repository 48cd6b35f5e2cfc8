import type { Socket } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { describe, expect, it, vi } from 'vitest';
import { endPointBinding } from '../../src/transport/end-point-binding.ts';
import type { Target, TlsOptions } from '../../src/transport/transport.ts';
import { certificate, type Recipe } from '../support/certificates.ts';
import { hasWholeTls } from '../support/runtime.ts';
import { codeOf } from '../testing/talk.ts';
import { atEnd, listen, type Make, once, portOf, serveTls, transports, turns, Watch } from './loopback.ts';

const host = '127.0.0.1';
const good = certificate();
const servername = 'mx.example.test';

/** A plain TLS server: it keeps its ticket key over several connections. */
async function listenTls({ key, cert }: { key: string; cert: string }) {
  const server = createServer({ key, cert, maxVersion: 'TLSv1.2' }, (socket) => socket.on('error', () => {}));
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  atEnd(() => server.close());
  return { port: portOf(server) };
}

/** Opens a line to a TLS server and shakes hands at once. */
async function shake(
  make: Make,
  options: TlsOptions,
  {
    recipe = {},
    version,
    target = {},
  }: { recipe?: Recipe; version?: 'TLSv1.2' | 'TLSv1.3'; target?: Partial<Target> } = {},
) {
  const own = certificate(recipe);
  const servers: TLSSocket[] = [];
  const { port, sockets } = await listen((socket) => {
    const secure = serveTls(socket, {
      key: own.key,
      cert: own.cert,
      ...(version === undefined ? {} : { maxVersion: version, minVersion: version }),
    });
    servers.push(secure);
    secure.write('220 hello\r\n');
    secure.pipe(secure);
  });
  const watch = new Watch(make());
  watch.transport.open({ host, port, ...target });
  await watch.next('open');
  watch.transport.secure({ ca: own.ca, ...options });
  return { watch, servers, sockets, own };
}

describe.each(transports)('%s secures', (_name, make) => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a line with %s, and knows its channel binding',
    async (version) => {
      const { watch, servers, own } = await shake(make, { servername }, { version });
      const { tls } = await watch.next('secure');
      expect(tls).toMatchObject({ protocol: version, authorized: true, servername, resumed: false });
      expect(tls.cipher).toMatch(/AES|CHACHA/);
      await watch.hears('220 hello');
      watch.say('ping');
      await watch.hears('ping');
      if (version === 'TLSv1.3') {
        if (!hasWholeTls) return expect(tls.binding).toBeUndefined();
        const exported = servers[0]?.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
        expect(tls.binding).toEqual({ type: 'tls-exporter', data: new Uint8Array(exported ?? []) });
      } else {
        expect(tls.binding).toEqual(endPointBinding(own.der));
        expect(tls.binding?.type).toBe('tls-server-end-point');
      }
    },
  );

  it('a line that spoke in clear before (STARTTLS), also over ::1', async () => {
    const { port } = await listen(
      (socket) => {
        socket.write('220 clear\r\n');
        socket.once('data', () => {
          socket.write('220 go\r\n');
          serveTls(socket, good).write('secret');
        });
      },
      { host: '::1', port: 0 },
    );
    const watch = new Watch(make());
    watch.transport.open({ host: '::1', port });
    await watch.hears('220 clear');
    watch.say('STARTTLS\r\n');
    await watch.hears('220 go');
    watch.transport.secure({ ca: good.ca, servername });
    await watch.next('secure');
    await watch.hears('secret');
  });

  it('a big text both ways under TLS, with back-pressure', async () => {
    const { watch, servers } = await shake(make, { servername });
    await watch.next('secure');
    const size = 3_000_000;
    const room = watch.say('x'.repeat(size));
    expect(room).toBe(false);
    await watch.next('drain');
    await watch.until(() => watch.text.length >= size);
    watch.transport.close(true);
    if (servers[0] !== undefined) await once(servers[0], 'close');
  });

  it('with a client certificate [LE109]', async () => {
    const client = certificate({ names: ['email:me@example.test'] });
    let seen: object = {};
    const { port } = await listen((socket) => {
      const secure = serveTls(socket, { ...good, requestCert: true, rejectUnauthorized: true });
      secure.on('secure', () => {
        seen = secure.getPeerCertificate();
        secure.write('220 hello');
      });
    });
    const watch = new Watch(make());
    watch.transport.open({ host, port });
    await watch.next('open');
    watch.transport.secure({ ca: good.ca, servername, key: client.key, cert: client.cert });
    await watch.hears('220 hello');
    expect(seen).toMatchObject({ subjectaltname: 'email:me@example.test' });
  });
});

describe.each(transports)('%s verifies', (_name, make) => {
  it.each<[string, TlsOptions, Recipe, Partial<Target>, string]>([
    ['a wrong name', { servername: 'other.example.test' }, {}, {}, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['an expired certificate', { servername }, { days: -1 }, {}, 'CERT_HAS_EXPIRED'],
    [
      'an unknown authority',
      { servername, ca: certificate({ selfSigned: true }).cert },
      {},
      {},
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    [
      'a self-signed certificate',
      { servername, ca: good.ca },
      { selfSigned: true },
      {},
      'DEPTH_ZERO_SELF_SIGNED_CERT',
    ],
    ['an address that is not in the certificate', {}, {}, {}, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [
      'another address in the certificate',
      {},
      { names: ['IP:127.0.0.2'] },
      {},
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
    ['an address as a DNS name', {}, { names: ['DNS:127.0.0.1'] }, {}, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    [
      'a wildcard over two labels',
      { servername: 'a.b.example.test' },
      { names: ['DNS:*.example.test'] },
      {},
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
  ])('and refuses %s [S4, LE104, LE105, LE107, TK44]', async (_, options, recipe, target, code) => {
    const before = process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    const quiet = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    try {
      const { watch } = await shake(make, options, { recipe, target });
      const lost = await watch.next('lost');
      expect(lost.during).toBe('secure');
      expect(codeOf(lost)).toBe(code);
      expect(watch.text).toBe('');
    } finally {
      quiet.mockRestore();
      if (before === undefined) delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
      else process.env.NODE_TLS_REJECT_UNAUTHORIZED = before;
    }
  });

  it.each<[string, TlsOptions, Recipe]>([
    ['an address in the certificate', {}, { names: ['IP:127.0.0.1'] }],
    ['an address given as servername', { servername: '127.0.0.1' }, { names: ['IP:127.0.0.1'] }],
    ['a wildcard over one label', { servername: 'a.example.test' }, { names: ['DNS:*.example.test'] }],
    ['a self-signed certificate that is trusted', { servername }, { selfSigned: true }],
  ])('and accepts %s [S4, LE104, LE105]', async (_, options, recipe) => {
    const warnings: string[] = [];
    const note = (warning: Error) => warnings.push(warning.message);
    process.on('warning', note);
    const { watch } = await shake(make, options, { recipe });
    expect((await watch.next('secure')).tls.authorized).toBe(true);
    process.off('warning', note);
    expect(warnings).toEqual([]);
  });

  it('nothing when told so, and says it', async () => {
    const { watch } = await shake(
      make,
      { servername: 'wrong.example.test', rejectUnauthorized: false, ca: [] },
      { recipe: { days: -1 } },
    );
    expect((await watch.next('secure')).tls.authorized).toBe(false);
  });

  it.runIf(hasWholeTls)('the name always: a session of another server is not resumed [S4]', async () => {
    const own = certificate({ names: ['DNS:a.example.test'] });
    const { port } = await listenTls(own);
    const first = connect({ host, port, ca: own.ca, servername: 'a.example.test' });
    await once(first, 'secureConnect');
    const session = first.getSession();
    first.destroy();
    if (session === undefined) throw new Error('no session');
    const results: string[] = [];
    const tries = [
      { servername: 'a.example.test' },
      { servername: 'b.example.test' },
      { servername: 'a.example.test', rejectUnauthorized: false },
    ];
    for (const options of tries) {
      const watch = new Watch(make());
      watch.transport.open({ host, port });
      await watch.next('open');
      watch.transport.secure({ ca: own.ca, session, ...options });
      await watch.until(() => watch.events.some(({ type }) => type === 'secure' || type === 'lost'));
      const [event] = watch.events;
      if (event?.type === 'secure')
        results.push(`resumed ${event.tls.resumed}, authorized ${event.tls.authorized}`);
      else results.push(codeOf(event) ?? 'nothing');
    }
    const expected = [
      'resumed false, authorized true',
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'resumed true, authorized false',
    ];
    expect(results).toEqual(expected);
  });
});

describe.each(transports)('%s fails a handshake', (_name, make) => {
  async function failing(serve: (socket: Socket) => void, options: TlsOptions = {}) {
    const { port } = await listen(serve);
    const watch = new Watch(make());
    watch.transport.open({ host, port });
    await watch.next('open');
    watch.transport.secure({ servername, ...options });
    const lost = await watch.next('lost');
    expect(lost.during).toBe('secure');
    expect(lost.error).toBeInstanceOf(Error);
    await turns();
    expect(watch.events).toEqual([]);
    return codeOf(lost);
  }

  it('when the server answers in clear [S3]', async () => {
    expect(
      await failing((socket) => socket.once('data', () => socket.write('220 hello, this is plain SMTP\r\n'))),
    ).toBe('ERR_SSL_WRONG_VERSION_NUMBER');
  });

  it('when the server closes, or breaks the line [S3, S18]', async () => {
    expect(await failing((socket) => socket.once('data', () => socket.end()))).toBe('ECONNRESET');
    expect(await failing((socket) => socket.once('data', () => socket.resetAndDestroy()))).toBe('ECONNRESET');
  });

  it.runIf(hasWholeTls)('when the options cannot be used [LE112]', async () => {
    expect(await failing(() => {}, { cert: 'no certificate', key: 'no key' })).toBeDefined();
  });

  it.runIf(hasWholeTls)('when clear bytes have come that nobody has polled [S1]', async () => {
    const { port, sockets, first: accepted } = await listen();
    const transport = make();
    const watch = new Watch(transport);
    transport.open({ host, port });
    await watch.next('open');
    const arrived = new Promise<void>((resolve) => {
      transport.onReady = resolve;
    });
    const server = await accepted;
    server.write('220 go\r\n');
    serveTls(server, good);
    await arrived;
    transport.secure({ ca: good.ca, servername });
    const told = new Promise<void>((resolve) => {
      transport.onReady = resolve;
    });
    const first = transport.poll();
    expect(first?.type).toBe('bytes');
    const second = transport.poll();
    if (second === undefined) await told;
    watch.drain();
    expect(sockets).toHaveLength(1);
    expect(second ?? watch.events.at(-1)).toMatchObject({ type: 'lost', during: 'secure' });
  });

  it('and not the process when errors come late', async () => {
    const { port, sockets } = await listen((socket) => socket.once('data', () => {}));
    const watch = new Watch(make());
    watch.transport.open({ host, port });
    await watch.next('open');
    watch.transport.secure({ servername });
    watch.transport.close(true);
    sockets[0]?.resetAndDestroy();
    await turns();
    expect(watch.events).toEqual([]);
  });

  it.runIf(hasWholeTls)('but reports a line that breaks afterwards as the line [TK64]', async () => {
    const { watch, sockets } = await shake(make, { servername });
    await watch.next('secure');
    await watch.hears('220 hello');
    sockets[0]?.resetAndDestroy();
    const lost = await watch.next('lost');
    expect(lost.during).toBe('line');
    expect(codeOf(lost)).toBe('ECONNRESET');
  });
});
