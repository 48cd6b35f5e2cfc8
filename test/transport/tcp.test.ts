import { mkdtempSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { tcp } from '../../src/transport/tcp.ts';
import type { TcpOptions } from '../../src/transport/tcp-options.ts';
import { codeOf } from '../testing/talk.ts';
import { listen, once, readAll, transports, turns, Watch } from './loopback.ts';

const host = '127.0.0.1';

/** Resolves every name to addresses where nobody, or somebody, listens. */
function resolver(...addresses: { address: string; family: 4 | 6 }[]): NonNullable<TcpOptions['lookup']> {
  return (_name, options, callback) => {
    if (addresses.length === 0) callback(Object.assign(new Error('no such host'), { code: 'ENOTFOUND' }), '');
    else if (options.all === true) callback(null, addresses);
    else callback(null, addresses[0]?.address ?? '', addresses[0]?.family);
  };
}

describe.each(transports)('%s opens', (_name, make) => {
  it.each(['127.0.0.1', '::1'])('a line to %s, and carries bytes both ways [TK10]', async (address) => {
    const { port } = await listen((socket) => socket.pipe(socket), { host: address, port: 0 });
    const watch = new Watch(make());
    watch.transport.open({ host: address, port });
    const open = await watch.next('open');
    expect(open).toMatchObject({ localAddress: address, remoteAddress: address });
    watch.say('hello');
    await watch.hears('hello');
  });

  it('a unix socket', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'smtpump-')), 's');
    await listen((socket) => socket.write('220 lmtp\r\n'), { path });
    const watch = new Watch(make());
    watch.transport.open({ host: '', port: 0, path });
    await watch.hears('220 lmtp');
    expect(watch.events[0]?.type).toBe('open');
  });

  it('from a given local address', async () => {
    const { port } = await listen();
    const watch = new Watch(make({ localAddress: '127.0.0.9', family: 4 }));
    watch.transport.open({ host, port });
    expect((await watch.next('open')).localAddress).toBe('127.0.0.9');
  });
});

describe('tcp opens', () => {
  it.each([
    ['127.0.0.1', { address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }],
    ['::1', { address: '127.0.0.1', family: 4 }, { address: '::1', family: 6 }],
  ] as const)('the address that answers: only %s listens [LE052]', async (address, first, second) => {
    const { port } = await listen(undefined, { host: address, port: 0 });
    const watch = new Watch(tcp({ lookup: resolver(first, second) }));
    watch.transport.open({ host: 'mx.example.test', port });
    expect((await watch.next('open')).remoteAddress).toBe(address);
  });

  it.each([
    ['by default', {}, { noDelay: true, keepAlive: false }],
    ['when told', { noDelay: false, keepAlive: true }, { noDelay: false, keepAlive: true }],
  ])('with socket options %s [TK08, TK09]', async (_, options, expected) => {
    const { port } = await listen();
    const spy = vi.spyOn(Socket.prototype, 'connect');
    const watch = new Watch(tcp(options));
    watch.transport.open({ host, port });
    const seen: unknown = spy.mock.calls[0]?.[0];
    spy.mockRestore();
    expect(Array.isArray(seen) ? seen[0] : seen).toMatchObject(expected);
    await watch.next('open');
  });
});

describe.each(transports)('%s loses', (_name, make) => {
  it('a call that nobody answers [TK64]', async () => {
    const { port, sockets } = await listen();
    const watch = new Watch(make());
    // A port that was just free: the listener on ::1 alone would do as well.
    watch.transport.open({ host: '127.0.0.2', port });
    const lost = await watch.next('lost');
    expect(lost.during).toBe('open');
    expect(codeOf(lost)).toBe('ECONNREFUSED');
    expect(sockets).toEqual([]);
  });

  it('a line that the peer ends, after its last bytes [TK63, S18]', async () => {
    const { port } = await listen((socket) => socket.end('221 bye\r\n'));
    const watch = new Watch(make());
    watch.transport.open({ host, port });
    expect(await watch.next('lost')).toEqual({ type: 'lost', during: 'line' });
    expect(watch.text).toBe('221 bye\r\n');
    expect(watch.say('too late')).toBe(true);
    await turns();
    expect(watch.events).toEqual([]);
  });

  it('a line that breaks [TK64, LE133]', async () => {
    const { port } = await listen((socket) => socket.once('data', () => socket.resetAndDestroy()));
    const watch = new Watch(make());
    watch.transport.open({ host, port });
    await watch.next('open');
    watch.say('x');
    const lost = await watch.next('lost');
    expect(lost.during).toBe('line');
    expect(codeOf(lost)).toBe('ECONNRESET');
  });

  it('and can be opened again, many times, without gathering listeners', async () => {
    const warnings: string[] = [];
    const note = (warning: Error) => warnings.push(warning.name);
    process.on('warning', note);
    const { port, sockets } = await listen((socket) => socket.end('bye'));
    const watch = new Watch(make());
    for (let i = 0; i < 20; i++) {
      watch.transport.open({ host, port });
      await watch.next('lost');
    }
    await turns();
    process.off('warning', note);
    expect(sockets).toHaveLength(20);
    expect(watch.text).toBe('bye'.repeat(20));
    expect(warnings).toEqual([]);
  });
});

describe('tcp loses', () => {
  it('a call to several addresses, with a text that names them [TK64]', async () => {
    const { port } = await listen();
    const addresses = [
      { address: '127.0.0.2', family: 4 },
      { address: '::1', family: 6 },
    ] as const;
    const watch = new Watch(tcp({ lookup: resolver(...addresses) }));
    watch.transport.open({ host: 'mx.example.test', port });
    const lost = await watch.next('lost');
    expect(codeOf(lost)).toBe('ECONNREFUSED');
    expect(lost.error?.message).toContain(`127.0.0.2:${port}`);
    expect(lost.error?.message).toContain(`::1:${port}`);
  });

  it('a call to an unknown host [TK64]', async () => {
    const watch = new Watch(tcp({ lookup: resolver() }));
    watch.transport.open({ host: 'nobody.example.test', port: 25 });
    const lost = await watch.next('lost');
    expect(lost.during).toBe('open');
    expect(codeOf(lost)).toBe('ENOTFOUND');
  });
});

describe.each(transports)('%s writes', (_name, make) => {
  it('until it is full, and drains when the peer reads [TK27, TK28]', async () => {
    const { port, first } = await listen((socket) => socket.pause());
    const watch = new Watch(make());
    watch.transport.open({ host, port });
    await watch.next('open');
    const piece = new Uint8Array(100_000).fill(65);
    let written = 0;
    do written += piece.length;
    while (watch.transport.write(piece) || written < 20_000_000);
    await turns();
    expect(watch.events).toEqual([]);
    const server = await first;
    let heard = 0;
    server.on('data', (bytes) => {
      heard += bytes.length;
    });
    server.resume();
    await watch.next('drain');
    watch.transport.close(true);
    await once(server, 'end');
    expect(heard).toBe(written);
  });

  it('before the line is open, too', async () => {
    const { port } = await listen((socket) => socket.pipe(socket));
    const watch = new Watch(make());
    watch.transport.open({ host, port });
    watch.say('early');
    await watch.hears('early');
  });
});

describe('tcp writes', () => {
  it('what one turn says as one segment, in order', async () => {
    const arrivals: string[] = [];
    const { port } = await listen((socket) => {
      socket.on('data', (bytes) => {
        arrivals.push(bytes.toString());
        socket.write('ok');
      });
    });
    const watch = new Watch(tcp());
    watch.transport.open({ host, port });
    await watch.next('open');
    for (const word of ['MAIL\r\n', 'RCPT\r\n', 'DATA\r\n']) watch.say(word);
    await watch.hears('ok');
    watch.say('more');
    await watch.hears('okok');
    expect(arrivals).toEqual(['MAIL\r\nRCPT\r\nDATA\r\n', 'more']);
  });
});

describe.each(transports)('%s reads', (_name, make) => {
  it('and calls once until it is polled', async () => {
    const { port, first } = await listen();
    const transport = make();
    let calls = 0;
    let called = () => {};
    transport.onReady = () => {
      calls++;
      called();
    };
    const call = () =>
      new Promise<void>((resolve) => {
        called = resolve;
      });
    transport.open({ host, port });
    await call();
    const server = await first;
    for (const word of ['a', 'b', 'c']) {
      server.write(word);
      await turns();
    }
    expect(calls).toBe(1);
    const watch = new Watch(transport);
    watch.drain();
    await watch.hears('abc');
  });
});

describe('tcp reads', () => {
  it('no more than its bound while nobody polls', async () => {
    const total = 20_000_000;
    const { port, sockets } = await listen((socket) => socket.write(new Uint8Array(total).fill(66)));
    const transport = tcp();
    transport.open({ host, port });
    await turns(300);
    let held = 0;
    for (let event = transport.poll(); event !== undefined; event = transport.poll()) {
      if (event.type === 'bytes') held += event.bytes.length;
    }
    expect(held).toBeGreaterThan(200_000);
    expect(held).toBeLessThan(1_000_000);
    expect(sockets[0]?.writableLength).toBeGreaterThan(0);
    const watch = new Watch(transport);
    await watch.until(() => held + watch.text.length >= total);
    expect(held + watch.text.length).toBe(total);
  });
});

describe.each(transports)('%s closes', (_name, make) => {
  it('gracefully: all that was written arrives, and no event comes any more', async () => {
    let accept = (_text: Promise<string>) => {};
    const heard = new Promise<string>((resolve) => {
      accept = resolve;
    });
    const { port } = await listen((socket) => accept(readAll(socket)));
    const watch = new Watch(make());
    watch.transport.open({ host, port });
    await watch.next('open');
    const big = 'x'.repeat(3_000_000);
    watch.say(big);
    watch.say('QUIT\r\n');
    watch.transport.close(true);
    expect(await heard).toBe(`${big}QUIT\r\n`);
    await turns();
    expect(watch.events).toEqual([]);
  });

  it('at once, also while it opens, and survives what comes late', async () => {
    const { port, sockets } = await listen();
    const watch = new Watch(make());
    watch.transport.open({ host, port });
    watch.transport.close(true);
    watch.transport.open({ host, port });
    await watch.next('open');
    const [server] = sockets.slice(-1);
    watch.say('x');
    server?.resetAndDestroy();
    watch.transport.close(false);
    watch.transport.close(false);
    await turns();
    expect(watch.events).toEqual([]);
    expect(watch.transport.poll()).toBeUndefined();
  });

  it('and refuses a handshake without a line', () => {
    expect(() => make().secure({})).toThrow(/open line/);
  });
});

describe('tcp closes', () => {
  it('gracefully, but not for ever', async () => {
    const { port, sockets } = await listen((socket) => socket.pause());
    const watch = new Watch(tcp());
    watch.transport.open({ host, port });
    await watch.next('open');
    const written = 20_000_000;
    watch.say('x'.repeat(written));
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      watch.transport.close(true);
      vi.advanceTimersByTime(2000);
    } finally {
      vi.useRealTimers();
    }
    const [server] = sockets;
    if (server === undefined) throw new Error('no server');
    // Only now is it read: what had not left by then never comes.
    expect((await readAll(server)).length).toBeLessThan(written);
  });
});
