/** What the worker transport has beyond tcp(): it works without Node's event loop, and leaves nothing behind. */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { SmtpClient, SmtpUsageError, type WaitingTransport, worker } from 'smtpump';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { TransportEvent } from '../../src/transport/transport.ts';
import { takeEvent } from '../../src/transport/worker/frames.ts';
import { Thread } from '../../src/transport/worker/host.ts';
import { allocateLine, SharedLine } from '../../src/transport/worker/shared-line.ts';
import { MailServer } from '../examples/mail-server.ts';
import { certificate } from '../support/certificates.ts';
import { prefix, runNode } from '../support/run-node.ts';
import { hasWholeTls } from '../support/runtime.ts';
import { atEnd, listen, portOf, serveTls, Watch } from './loopback.ts';

const host = '127.0.0.1';
const program = (name: string): string => fileURLToPath(new URL(`programs/${name}.mjs`, import.meta.url));
const longMs = 20_000;

/** Waits until the line tells something, without Node's event loop. */
function next(transport: WaitingTransport): TransportEvent {
  for (;;) {
    const event = transport.poll();
    if (event !== undefined) return event;
    if (!transport.wait(longMs)) throw new Error('nothing has come');
  }
}

function textOf(event: TransportEvent): string {
  return event.type === 'bytes' ? Buffer.from(event.bytes).toString() : event.type;
}

describe('in a loop that never yields', () => {
  const server = new MailServer();
  beforeAll(() => server.listen());
  afterAll(() => server.close());

  it('execute() alone delivers a mail', async () => {
    const outcome = await runNode([program('tight-loop'), String(server.port)]);
    expect(outcome).toEqual({
      code: 0,
      stdout: 'CONNECTED SENDER_ACK RECIPIENT_ACK BOM_ACK EOM_ACK DISCONNECTED\nit never yielded\n',
      stderr: '',
    });
    expect(server.messages).toHaveLength(1);
    expect(server.messages[0]).toMatch(/\r\n\r\nIt never yields\.\r\n$/);
  });
});

describe('wait()', () => {
  let echo: ChildProcess | undefined;
  let port = 0;
  beforeAll(async () => {
    const child = fork(program('echo'));
    echo = child;
    port = await new Promise((resolve) => child.once('message', (message) => resolve(Number(message))));
  });
  afterAll(() => {
    echo?.kill();
  });

  function line(): WaitingTransport {
    const transport = worker();
    atEnd(() => transport.close(false));
    transport.open({ host, port });
    expect(next(transport).type).toBe('open');
    return transport;
  }

  it('sleeps until something comes, or the time is over', () => {
    const transport = line();
    expect(transport.wait(0)).toBe(false);
    expect(transport.wait(5)).toBe(false);
    transport.write(Buffer.from('ping'));
    expect(transport.wait(longMs)).toBe(true);
    // what is there is not waited for
    expect(transport.wait(longMs)).toBe(true);
    expect(textOf(next(transport))).toBe('ping');
    expect(transport.poll()).toBeUndefined();
  });

  it('looks once for each thing that comes: it does not spin', () => {
    const transport = line();
    let polls = 0;
    for (let n = 0; n < 100; n++) {
      transport.write(Buffer.from('ping'));
      for (let event: TransportEvent | undefined; event === undefined; polls++) {
        transport.wait(longMs);
        event = transport.poll();
      }
    }
    expect(polls).toBe(100);
  });

  it('is woken by its own line, and what comes for others is not lost', () => {
    const [a, b, c] = [line(), line(), line()];
    b.write(Buffer.from('for b'));
    a.write(Buffer.from('for a'));
    expect(textOf(next(a))).toBe('for a');
    expect(a.wait(0)).toBe(false);
    expect(c.wait(5)).toBe(false);
    expect(textOf(next(b))).toBe('for b');
  });

  it('keeps nothing of what it is given: the bytes may change at once', () => {
    const transport = line();
    expect(transport.copies).toBe(true);
    const given = Buffer.alloc(1_000_000, 'x');
    expect(transport.write(given)).toBe(false);
    given.fill('y');
    for (let heard = 0; heard < given.length; ) {
      const event = next(transport);
      if (event.type !== 'bytes') continue;
      heard += event.bytes.length;
      expect(Buffer.from(event.bytes).includes('y')).toBe(false);
    }
  });

  it('moves on what the ring had no room for', () => {
    const transport = line();
    const size = 3_000_000;
    expect(transport.write(Buffer.alloc(size, 'x'))).toBe(false);
    let heard = 0;
    let drained = false;
    while (heard < size || !drained) {
      const event = next(transport);
      if (event.type === 'bytes') heard += event.bytes.length;
      if (event.type === 'drain') drained = true;
    }
    expect(heard).toBe(size);
  });

  it('is woken by the rest of what the ring had no room for, though nothing comes behind it', async () => {
    const { port } = await listen((socket) => socket.write('x'.repeat(6000)));
    const watch = new Watch(worker({ readBytes: 4096 }));
    watch.transport.open({ host, port });
    await watch.until(() => watch.text.length === 6000);
  });

  it('without a line just lets the time pass', () => {
    expect(worker().wait(1)).toBe(false);
    expect(worker().wait(Number.POSITIVE_INFINITY)).toBe(false);
  });
});

describe('TLS in the thread', () => {
  const own = certificate();
  const servername = 'mx.example.test';

  it('S1: nothing that is written after secure() leaves in clear', async () => {
    let secret = '';
    const inner = await listen((socket) => {
      serveTls(socket, own).on('data', (text) => {
        secret += text;
        if (secret === 'EHLO secret.example') told();
      });
    });
    let told = () => {};
    const heard = new Promise<void>((resolve) => {
      told = resolve;
    });
    const clear: Buffer[] = [];
    const { port } = await listen((socket) => {
      socket.write('220 go\r\n');
      const on = connect(inner.port, host);
      on.on('error', () => {}).on('data', (bytes) => socket.write(bytes));
      socket.on('data', (bytes) => {
        clear.push(bytes);
        on.write(bytes);
      });
    });
    const watch = new Watch(worker());
    watch.transport.open({ host, port });
    await watch.hears('220 go');
    watch.transport.secure({ ca: own.ca, servername });
    watch.say('EHLO secret.example');
    await heard;
    const wire = Buffer.concat(clear);
    expect(wire[0]).toBe(22); // a handshake record
    expect(wire.includes('EHLO')).toBe(false);
  });

  it.runIf(hasWholeTls)('S4: sessions are resumed, by all clients that trust the same', async () => {
    const { port } = await listenTls();
    const names: boolean[] = [];
    for (const ca of [own.ca, Buffer.from(own.ca), Buffer.from(own.ca), `${own.ca}\n`]) {
      const watch = new Watch(worker());
      watch.transport.open({ host, port });
      await watch.next('open');
      watch.transport.secure({ ca, servername });
      const { tls } = await watch.next('secure');
      await watch.hears('220 hello');
      names.push(tls.resumed);
      expect(tls.authorized).toBe(true);
      watch.transport.close(false);
    }
    // a text and its octets are two ways to trust, two buffers of the same octets are one
    expect(names).toEqual([false, false, true, false]);
  });

  async function listenTls() {
    const server = createServer({ key: own.key, cert: own.cert }, (socket) => {
      socket.on('error', () => {});
      socket.write('220 hello\r\n');
    });
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    atEnd(() => server.close());
    return { port: portOf(server) };
  }

  const functions = [
    ['tlsOptions.checkServerIdentity', { checkServerIdentity: () => undefined }],
    ['tlsOptions.ALPNProtocols[0]', { ALPNProtocols: [() => 'smtp'] }],
    ['tlsOptions.secureContext', { secureContext: new (class SecureContext {})() }],
  ] as const;
  it.each(functions)('%s is refused before anything is sent', (name, tlsOptions) => {
    const given = tlsOptions as object;
    const misuse = expect.objectContaining({ code: 'EINVAL', option: name });
    expect(() => new SmtpClient({ transport: worker(), tlsOptions: given })).toThrow(misuse);
    const client = new SmtpClient({ transport: worker(), pump: 'manual' });
    expect(() => client.connect({ tlsOptions: given })).toThrow(misuse);
    expect(client.state).toBe('disconnected');
    expect(() => worker().secure(given)).toThrow(SmtpUsageError);
  });

  it('so is an option of the transport that cannot cross', () => {
    const options: object = { lookup: () => {} };
    expect(() => worker(options)).toThrow(
      expect.objectContaining({
        code: 'EINVAL',
        option: 'worker.lookup',
        message: expect.stringMatching(/tcp\(\)/),
      }),
    );
  });
});

describe('the sizes of a line', () => {
  it.each([-1, 0.5, Number.NaN, 2 ** 33, '4096'])('%s is none', (bytes) => {
    for (const name of ['readBytes', 'writeBytes']) {
      const options: object = { [name]: bytes };
      expect(() => worker(options)).toThrow(
        expect.objectContaining({ code: 'EINVAL', option: `worker.${name}` }),
      );
    }
  });
});

describe('the thread', () => {
  /** A line of that thread; what it tells is counted. */
  function seat(thread: Thread, line: number, port: number) {
    const memory = allocateLine(4096, 4096);
    let told = () => {};
    const signalled = new Promise<void>((resolve) => {
      told = resolve;
    });
    thread.enter();
    thread.seat(line, { signalled: () => told(), gone: () => told() }, true);
    thread.post({ type: 'open', line, target: { host, port }, options: {}, memory });
    return { signalled, heard: () => takeEvent(new SharedLine(memory, 'pump').toPump) };
  }

  it('ends after the last line, and takes no other then', async () => {
    const { port } = await listen();
    const thread = new Thread(0);
    const lines = [seat(thread, 1, port), seat(thread, 2, port)];
    for (const { signalled } of lines) await signalled;
    for (const line of [1, 2]) thread.post({ type: 'close', line, graceful: true, rest: [] });
    await thread.ended;
    expect(thread.enter()).toBe(false);
  });

  it('that breaks takes its lines with it, and says so', async () => {
    const { port } = await listen();
    const thread = new Thread(0);
    const lines = [seat(thread, 1, port), seat(thread, 2, port)];
    for (const { signalled } of lines) await signalled;
    expect(lines.map(({ heard }) => heard()?.type)).toEqual(['open', 'open']);
    expect(thread.death).toBeUndefined();
    const nothing: object = { type: 'open', line: 3 };
    thread.post(nothing as Parameters<Thread['post']>[0]);
    await thread.ended;
    expect(lines.map(({ heard }) => heard()?.type)).toEqual(['lost', 'lost']);
    expect([thread.death, thread.enter()]).toEqual([expect.any(Error), false]);
  });

  it('that breaks while nothing returns to the event loop is seen by wait() and poll(), and replaced', async () => {
    const { port } = await listen();
    // whatever is posted last goes to the thread of these lines
    const posted = vi.spyOn(Worker.prototype, 'postMessage');
    const transport = worker();
    transport.open({ host, port });
    expect(next(transport).type).toBe('open');
    const thread = posted.mock.contexts.at(-1) as Worker;
    posted.mockRestore();
    thread.postMessage({ type: 'open', line: 99 });
    const error = expect.objectContaining({ message: expect.stringMatching(/the thread .* has failed/) });
    expect(next(transport)).toEqual({ type: 'lost', during: 'line', error });
    expect([transport.poll(), transport.wait(0)]).toEqual([undefined, false]);
    transport.open({ host, port });
    expect(next(transport).type).toBe('open');
    transport.close(false);
  });

  const speak = (socket: Socket): void => {
    socket.write('220 mx.example\r\n');
    socket.on('data', (bytes) => {
      const line = String(bytes);
      if (line.startsWith('EHLO')) socket.write('250 mx.example\r\n');
      else if (line.startsWith('QUIT')) socket.end('221 bye\r\n');
      // what is awaited never comes: the line ends
      else setImmediate(() => socket.end());
    });
  };

  it.each(['tcp', 'worker'])('%s: what was written leaves though the program ends at once', async (how) => {
    const octets = 32_000_000;
    const { port, first } = await listen((socket) => socket.pause());
    const child = spawn(process.execPath, [...prefix, program('leaves'), how, String(port), String(octets)]);
    const [socket] = await Promise.all([first, once(child.stdout, 'data')]);
    let came = 0;
    socket.on('data', (bytes) => {
      came += bytes.length;
    });
    socket.resume();
    await once(socket, 'close');
    expect(came).toBe(octets);
  });

  it.each([
    ['closed', 'a client that has disconnected', 0, 'CONNECTED\nDISCONNECTED\n'],
    ['kept', 'a client whose line the server has closed, and not sooner', 0, 'CONNECTED\nDISCONNECTED\n'],
    ['idle', 'an open line that does not keep it', 0, 'CONNECTED\n'],
    ['throws', 'an error that nobody catches', 1, 'CONNECTED\n'],
    ['exits', 'process.exit()', 3, 'CONNECTED\n'],
  ])('lets the program end: %s: %s', async (how, _what, code, stdout) => {
    const { port } = await listen(speak);
    const outcome = await runNode([program('ends'), how, String(port)]);
    expect({ code: outcome.code, stdout: outcome.stdout }).toEqual({ code, stdout });
    expect(outcome.stderr).toMatch(how === 'throws' ? /this program has failed/ : /^$/);
  });
});
