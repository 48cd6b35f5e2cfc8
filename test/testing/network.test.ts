import { describe, expect, it } from 'vitest';
import {
  memory,
  ScriptedServer,
  type SimLine,
  SimNetwork,
  type SimServer,
  VirtualClock,
} from '../../src/testing/index.ts';
import { codeOf, drain, hear, say, target } from './talk.ts';

/** A server that only keeps its end of the line. */
function holder(): SimServer & { lines: SimLine[]; heard: string; closed: string[] } {
  return {
    lines: [],
    heard: '',
    closed: [],
    accept(line) {
      this.lines.push(line);
      line.onBytes = (bytes) => {
        this.heard += Buffer.from(bytes).toString();
      };
      line.onClose = (error) => this.closed.push(error?.message ?? 'orderly');
    },
  };
}

describe('SimNetwork carries', () => {
  it('with latency: open after one round trip, the greeting after two', () => {
    const clock = new VirtualClock(0);
    const network = new SimNetwork({ clock, latencyMs: 10 }).listen(
      'mx.example.test:25',
      new ScriptedServer(),
    );
    const transport = network.transport();
    const times: string[] = [];
    transport.onReady = () => times.push(...drain(transport).map(({ type }) => `${type}@${clock.now()}`));
    transport.open(target);
    expect(transport.poll()).toBeUndefined();
    clock.advance(1000);
    expect(times).toEqual(['open@20', 'bytes@40']);
  });

  it('with bandwidth: a megabyte at 1 MB/s takes a second', () => {
    const clock = new VirtualClock(0);
    const server = holder();
    const network = new SimNetwork({ clock, bytesPerSecond: 1_000_000 }).listen(25, server);
    const transport = network.transport();
    transport.open(target);
    drain(transport);
    expect(transport.write(new Uint8Array(1_000_000).fill(65))).toBe(false);
    clock.advance(500);
    expect(server.heard.length).toBeGreaterThan(480_000);
    expect(server.heard.length).toBeLessThan(520_000);
    clock.advance(501);
    expect(server.heard).toHaveLength(1_000_000);
    expect(drain(transport)).toEqual([{ type: 'drain' }]);
  });

  it('never calls back from within a call, and wakes once until polled dry', () => {
    const clock = new VirtualClock(0);
    const server = holder();
    const transport = new SimNetwork({ clock }).listen(25, server).transport();
    let woken = 0;
    let inside = true;
    transport.onReady = () => {
      expect(inside).toBe(false);
      woken++;
    };
    transport.open(target);
    inside = false;
    clock.advance(0);
    expect(woken).toBe(1);
    expect(hear(transport)).toBe('<open>');
    server.lines[0]?.write('one');
    server.lines[0]?.write('two');
    clock.advance(0);
    expect(woken).toBe(2);
    server.lines[0]?.write('three');
    clock.advance(0);
    expect(woken).toBe(2);
    expect(hear(transport)).toBe('onetwothree');
    inside = true;
    say(transport, 'x');
    transport.close(true);
    expect(clock.next).toBe(Number.POSITIVE_INFINITY);
    expect(server.heard).toBe('x');
    expect(server.closed).toEqual(['orderly']);
  });

  it('the same bytes in the same pieces for the same seed, others for another', () => {
    const pieces = (seed: number) => {
      const clock = new VirtualClock(0);
      const server = new ScriptedServer();
      const network = new SimNetwork({ clock, seed, cut: true, join: true, latencyMs: 1, jitterMs: 3 });
      const transport = network.listen('*', server).transport();
      transport.open(target);
      say(transport, 'EHLO a.rather.long.name.example.test\r\nNOOP\r\nNOOP\r\nQUIT\r\n');
      const events: string[] = [];
      transport.onReady = () =>
        events.push(...drain(transport).map((event) => `${clock.now()} ${JSON.stringify(event)}`));
      clock.advance(1000);
      expect(server.commands).toHaveLength(4);
      return `${events.join('\n')} ${server.reads.map(({ length }) => length)}`;
    };
    expect(pieces(5)).toBe(pieces(5));
    expect(pieces(5)).not.toBe(pieces(6));
  });

  it('joins what waits', () => {
    const server = new ScriptedServer();
    const transport = memory(server, { join: true });
    transport.open(target);
    hear(transport);
    for (const part of ['EH', 'LO', ' x\r\n']) say(transport, part);
    hear(transport);
    expect(server.reads).toHaveLength(1);
  });

  it('a slow reader fills the window; what it takes later brings a drain [TK27, TK28]', () => {
    const clock = new VirtualClock(0);
    const server = holder();
    const transport = new SimNetwork({ clock, windowBytes: 10 }).listen(25, server).transport();
    transport.open(target);
    drain(transport);
    const [line] = server.lines;
    line?.pause();
    expect(say(transport, '12345')).toBe(true);
    expect(say(transport, '67890a')).toBe(false);
    clock.advance(1000);
    expect(hear(transport)).toBe('');
    line?.resume();
    let woken = 0;
    transport.onReady = () => woken++;
    clock.advance(0);
    expect(woken).toBe(1);
    expect(hear(transport)).toBe('<drain>');
    expect(server.heard).toBe('1234567890a');
  });

  it('a server that is not read stops reading [LE022]', () => {
    const clock = new VirtualClock(0);
    const server = new ScriptedServer();
    const transport = new SimNetwork({ clock, windowBytes: 100 }).listen(25, server).transport();
    transport.open(target);
    drain(transport);
    for (let i = 0; i < 100; i++) say(transport, 'NOOP\r\n');
    clock.advance(1000);
    expect(server.commands.length).toBeLessThan(10);
    expect(hear(transport).match(/250 2/g)?.length).toBe(100);
  });

  it('without a clock wakes by microtask, and refuses delays', async () => {
    const transport = memory(new ScriptedServer());
    transport.open(target);
    await new Promise<void>((resolve) => {
      transport.onReady = resolve;
    });
    expect(hear(transport)).toMatch(/^<open>220/);
    expect(() => memory(new ScriptedServer(), { latencyMs: 1 }).open(target)).toThrow(/needs a clock/);
  });

  it('lets a test play the server by hand', () => {
    const transport = memory();
    transport.open(target);
    drain(transport);
    transport.line?.write('220 hello\r\n');
    expect(hear(transport)).toBe('220 hello\r\n');
  });
});

describe('SimNetwork fails', () => {
  it.each([
    ['nobody.test', 25, 'ENOTFOUND'],
    ['mx.example.test', 26, 'ECONNREFUSED'],
  ])('calls to %s:%i with %s [TK64]', (host, port, code) => {
    const clock = new VirtualClock(0);
    const network = new SimNetwork({ clock, latencyMs: 5 }).listen('mx.example.test:25', holder());
    const transport = network.transport();
    transport.open({ host, port });
    clock.advance(10);
    const events = drain(transport);
    expect(events).toMatchObject([{ type: 'lost', during: 'open' }]);
    expect(codeOf(events[0])).toBe(code);
    expect(transport.poll()).toBeUndefined();
    transport.open(target);
    clock.advance(10);
    expect(drain(transport)).toMatchObject([{ type: 'open' }]);
  });

  it('as scripted for each line: refused, unreachable, then well [LE096]', () => {
    const clock = new VirtualClock(0);
    const fault = (number: number) =>
      number === 1
        ? ({ kind: 'refuse' } as const)
        : number === 2
          ? ({ kind: 'unreachable' } as const)
          : undefined;
    const transport = new SimNetwork({ clock }).listen(25, holder(), { fault }).transport();
    transport.open(target);
    expect(codeOf(drain(transport)[0])).toBe('ECONNREFUSED');
    transport.open(target);
    clock.advance(1e6);
    expect(drain(transport)).toEqual([]);
    transport.close(false);
    transport.open(target);
    expect(hear(transport)).toBe('<open>');
  });

  it.each([
    ['toClient', 'reset', '<open>0123<lost>'],
    ['toClient', 'end', '<open>0123<lost>'],
    ['toClient', 'stall', '<open>0123'],
    ['toServer', 'reset', '<open>0123456789<lost>'],
    ['toServer', 'end', '<open>0123456789<lost>'],
    ['toServer', 'stall', '<open>0123456789'],
  ] as const)('after four bytes %s: %s', (direction, kind, expected) => {
    const clock = new VirtualClock(0);
    const server = holder();
    const fault = { kind, direction, after: 4 };
    const transport = new SimNetwork({ clock }).listen(25, server, { fault }).transport();
    transport.open(target);
    let heard = hear(transport);
    server.lines[0]?.write('0123456789');
    heard += hear(transport);
    say(transport, 'abcdefgh');
    heard += hear(transport);
    clock.advance(1000);
    heard += hear(transport);
    expect(heard).toBe(expected);
    if (direction === 'toServer') expect(server.heard).toBe(kind === 'end' ? 'abcdefgh' : 'abcd');
    if (kind !== 'stall') expect(server.closed).toHaveLength(1);
  });

  it('an abort is not an orderly end, and a late word of the server does no harm', () => {
    const clock = new VirtualClock(0);
    const server = holder();
    const transport = new SimNetwork({ clock, latencyMs: 5 }).listen(25, server).transport();
    transport.open(target);
    clock.advance(20);
    expect(hear(transport)).toBe('<open>');
    transport.close(false);
    server.lines[0]?.write('late');
    clock.advance(20);
    server.lines[0]?.write('later');
    expect(transport.poll()).toBeUndefined();
    expect(server.closed).toEqual(['the client broke the line (ECONNRESET)']);
  });

  it('a client that starts TLS with a server that expects SMTP sends it a ClientHello', () => {
    const server = holder();
    const transport = memory(server);
    transport.open(target);
    drain(transport);
    transport.secure({});
    drain(transport);
    expect(server.heard.charCodeAt(0)).toBe(0x16);
  });
});
