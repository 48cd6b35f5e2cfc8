/**
 * What a message may cost, counted and not timed: strings of replies, copies of bodies, octets kept, turns of the
 * charts; and what a process has for a thousand clients.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { queryObjects, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SmtpClient, type SmtpClientOptions, type Transport, type TransportEvent, tcp } from 'smtpump';
import { VirtualClock } from 'smtpump/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { MemorySink } from '../../bench/sink/memory.mjs';
import { Reply } from '../../src/wire/reply.ts';
import { hasV8, runtime } from '../support/runtime.ts';
import { listen } from '../transport/loopback.ts';
import { sendMail } from './support.ts';

const ways = [
  ['CHUNKING', true],
  ['PIPELINING', false],
] as const;

/** A client whose server keeps nothing and costs next to nothing; what it writes goes through `see`. */
function ready(
  chunking: boolean,
  options: SmtpClientOptions = {},
  see: (bytes: Uint8Array) => void = () => {},
) {
  const transport = new MemorySink({ messages: 0, octets: 0 }, chunking);
  const { write } = transport;
  transport.write = (bytes) => {
    see(bytes);
    return write.call(transport, bytes);
  };
  const client = new SmtpClient({
    host: 'mx.example.test',
    localName: 'c.example.test',
    pump: 'manual',
    clock: new VirtualClock(),
    transport,
    ...options,
  });
  const turn = (): void => {
    while (client.execute() === 'more');
  };
  client.connect();
  turn();
  expect(client.state).toBe('ready');
  return { client, turn };
}

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

describe.each(ways)('%s', (_, chunking) => {
  it('LE027: a reply that nobody reads is never made a string: 100 messages in flight, every event heard', () => {
    const { client, turn } = ready(chunking);
    let delivered = 0;
    const kept: { text: string }[] = [];
    client.on('event', (event) => {
      if (event.name !== 'EOM_ACK') return;
      delivered++;
      kept.push(event.reply);
    });
    for (let n = 0; n < 100; n++) sendMail(client);
    const spies = [
      vi.spyOn(Reply.prototype, 'lines', 'get'),
      vi.spyOn(Reply.prototype, 'bytes', 'get'),
      vi.spyOn(Buffer.prototype, 'toString'),
      vi.spyOn(Buffer.prototype, 'latin1Slice'),
      vi.spyOn(Buffer.prototype, 'asciiSlice'),
      vi.spyOn(Buffer.prototype, 'utf8Slice'),
      vi.spyOn(TextDecoder.prototype, 'decode'),
      vi.spyOn(String, 'fromCharCode'),
    ];
    turn();
    expect(delivered).toBe(100);
    expect(spies.map((spy) => spy.mock.calls.length)).toEqual(spies.map(() => 0));
    // the spies see what they are there for
    expect(kept.map(({ text }) => text)).toEqual(kept.map(() => '2.0.0 taken'));
    expect(spies[0]?.mock.calls.length).toBe(100);
    expect(spies[2]?.mock.calls.length).toBe(100);
  });

  it('S10: what leaves of a body is the caller’s own memory, but for short stretches between dots', () => {
    const line = `${'a line of text with a . in it'.repeat(2)}\r\n`;
    for (const block of [line, `${line.repeat(99)}.${line}`]) {
      // command lines and the end; what lies between a dot and the end of a portion may be copied
      const most = chunking || block === line ? 500 : 10_000;
      const body = Buffer.alloc(1_000_000, block).fill('\r\n', 999_998);
      let own = 0;
      let foreign = 0;
      const { client, turn } = ready(chunking, { bodyBufferBytes: 100_000 }, (bytes) => {
        if (bytes.buffer === body.buffer) own += bytes.length;
        else foreign += bytes.length;
      });
      const before = foreign;
      client.sendSender('a@example.test');
      client.sendRecipient('b@example.test');
      client.sendBom({ raw: true });
      for (let at = 0; at < body.length; at += client.sendBody(body.subarray(at))) turn();
      client.sendEom();
      turn();
      expect(client.state).toBe('ready');
      expect(own + foreign - before).toBeGreaterThan(body.length);
      expect(foreign - before).toBeLessThan(most);
    }
  });

  it.runIf(hasV8)(
    'S11: what is kept of a message does not grow with it: 16 MB, alone or behind another',
    () => {
      const pieceBytes = 65_536;
      const living = (): number => queryObjects(ArrayBuffer, { format: 'count' });
      for (const behind of [false, true]) {
        const { client, turn } = ready(chunking);
        if (behind) sendMail(client);
        client.sendSender('a@example.test');
        client.sendRecipient('b@example.test');
        client.sendBom({ raw: true });
        const before = living();
        let most = 0;
        for (let n = 1; n <= 256; n++) {
          const piece = new Uint8Array(pieceBytes).fill(0x61);
          for (let at = 0; at < pieceBytes; at += client.sendBody(piece.subarray(at))) turn();
          if (n % 64 === 0) most = Math.max(most, living() - before);
        }
        client.sendEom();
        turn();
        expect(client.state).toBe('ready');
        // some pieces wait, and the sink and the encoders have memory of their own
        expect(most, behind ? 'behind another' : 'alone').toBeLessThan(32);
      }
    },
  );

  it('TK70: octets go round the charts: so many pieces make no more turns of them than one', () => {
    const statesOf = (pieces: number): string[] => {
      const { client, turn } = ready(chunking);
      const states: string[] = [];
      client.on('STATE', ({ chart, to }) => states.push(`${chart} ${to}`));
      client.sendSender('a@example.test');
      client.sendRecipient('b@example.test');
      client.sendBom({ raw: true });
      for (let n = 0; n < pieces; n++) {
        client.sendBody('a line of the text\r\n');
        turn();
      }
      client.sendEom();
      turn();
      return states;
    };
    expect(statesOf(500)).toEqual(statesOf(1));
  });
});

/** A line that comes up, and says nothing. */
function mute(): Transport {
  const events: TransportEvent[] = [];
  return {
    onReady: undefined,
    open() {
      events.push({ type: 'open', localAddress: '192.0.2.1' });
      this.onReady?.();
    },
    secure() {},
    write: () => true,
    close() {},
    poll: () => events.shift(),
  };
}

describe('a thousand clients in one process', () => {
  const turns = async (): Promise<void> => {
    for (let n = 0; n < 10; n++) await new Promise((resolve) => setImmediate(resolve));
  };

  it('TK59: one timer while anything is due, however many wait; each still has its own time', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    const told: number[] = [];
    const clients = Array.from({ length: 1_000 }, (_, n) => {
      // not in the order of their times
      const greetingMs = 1_000 + 10 * ((n * 7) % 1_000);
      const client = new SmtpClient({ transport: mute(), host: 'mx.example.test', timeouts: { greetingMs } });
      client.on('TIMEOUT', () => told.push(greetingMs));
      client.connect();
      return client;
    });
    await turns();
    expect(new Set(clients.map(({ state }) => state))).toEqual(new Set(['connecting']));
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(5_995);
    await turns();
    expect(told).toHaveLength(500);
    expect(vi.getTimerCount()).toBe(1);
    for (const client of clients) if (client.state === 'connecting') client.abort();
    await turns();
    vi.advanceTimersByTime(60_000);
    await turns();
    expect([told.length, vi.getTimerCount()]).toEqual([500, 0]);
    expect(told).toEqual([...told].sort((a, b) => a - b));
  });

  const collected = async (): Promise<number> => {
    setFlagsFromString('--expose_gc');
    const collect = runInNewContext('gc') as () => void;
    for (let round = 0; round < 4; round++) {
      collect();
      await turns();
    }
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  /** Octets for each of `count` things, when some have been made before. */
  const retained = async (count: number, make: () => unknown): Promise<number> => {
    const all: unknown[] = [];
    for (let n = 0; n < 20; n++) all.push(await make());
    const before = await collected();
    for (let n = 0; n < count; n++) all.push(await make());
    const octets = ((await collected()) - before) / count;
    expect(all).toHaveLength(count + 20);
    return octets;
  };
  const most = 12 * 1024;

  it.runIf(hasV8)('an idle client retains less than 12 KB, its line in memory included', async () => {
    expect(await retained(1_000, () => ready(true).client)).toBeLessThan(most);
  });

  it.runIf(runtime === 'node')('and over TCP less than 12 KB beside the socket of Node', async () => {
    const { port } = await listen((socket) => {
      socket.write('220 mx.example.test\r\n');
      socket.on('data', () => socket.write('250 mx.example.test\r\n'));
    });
    const common = { host: '127.0.0.1', port };
    const sockets = await retained(200, async () => {
      const socket = connect({ ...common, noDelay: true });
      await once(socket, 'data');
      socket.write('EHLO c.example.test\r\n');
      await once(socket, 'data');
      return socket;
    });
    const clients = await retained(200, async () => {
      const client = new SmtpClient({ ...common, tls: 'never', transport: tcp() });
      client.connect();
      await new Promise<void>((resolve) => client.once('CONNECTED', () => resolve()));
      return client;
    });
    expect(clients - sockets).toBeLessThan(most);
  });
});
