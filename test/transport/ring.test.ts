/** Rings and what goes through them: every byte, in order, at every place where a ring ends and begins again. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TlsMemory } from '../../src/transport/tls-memory.ts';
import type { TransportEvent } from '../../src/transport/transport.ts';
import { Outgoing, takeEvent } from '../../src/transport/worker/frames.ts';
import { markWords, Ring } from '../../src/transport/worker/ring.ts';
import { ServedLine } from '../../src/transport/worker/served-line.ts';
import { allocateLine, SharedLine } from '../../src/transport/worker/shared-line.ts';
import { atEnd, listen, turns } from './loopback.ts';

/** Both ends of one ring; the marks begin where a test likes. */
function ring(capacity: number, start = 0): { writer: Ring; reader: Ring } {
  const marks = new Int32Array(new SharedArrayBuffer(8 * markWords)).fill(start);
  const data = new Uint8Array(new SharedArrayBuffer(capacity));
  return { writer: new Ring(marks, data, 'writer'), reader: new Ring(marks, data, 'reader') };
}

describe('a ring', () => {
  it('hands over what was written, whatever the sizes, also where its marks wrap', () => {
    const steps = fc.array(fc.record({ write: fc.nat(20), read: fc.nat(20) }), { maxLength: 200 });
    const starts = fc.constantFrom(0, 2 ** 31 - 7, -5);
    fc.assert(
      fc.property(steps, starts, (all, start) => {
        const { writer, reader } = ring(16, start);
        let given = 0;
        let taken = 0;
        for (const { write, read } of all) {
          const length = Math.min(write, writer.room);
          writer.write(Uint8Array.from({ length }, () => given++ & 255));
          writer.publish();
          for (const byte of reader.read(Math.min(read, reader.used))) expect(byte).toBe(taken++ & 255);
          reader.release();
          expect(writer.used).toBe(given - taken);
          expect(writer.room).toBe(16 - (given - taken));
        }
      }),
    );
  });

  it('shows nothing before it is published, and gives no room before it is released', () => {
    const { writer, reader } = ring(16);
    writer.write(new Uint8Array(10));
    expect([reader.used, writer.room]).toEqual([0, 6]);
    writer.publish();
    reader.read(10);
    expect([reader.used, writer.room]).toEqual([10, 6]);
    reader.release();
    expect([reader.used, writer.room]).toEqual([0, 16]);
  });
});

describe('events', () => {
  const error = Object.assign(new Error('connect ECONNREFUSED ::1:25'), { code: 'ECONNREFUSED' });
  const binding = { type: 'tls-exporter', data: new Uint8Array([0, 255, 10]) } as const;
  const tls = {
    protocol: 'TLSv1.3',
    cipher: 'X',
    authorized: true,
    servername: 'a',
    resumed: false,
    binding,
  };
  it.each<[string, TransportEvent]>([
    ['open', { type: 'open', localAddress: '::1', remoteAddress: '::2' }],
    ['open on a unix socket', { type: 'open' }],
    ['bytes', { type: 'bytes', bytes: Buffer.from([0, 1, 255, 13, 10]) }],
    ['secure, with its channel binding', { type: 'secure', tls }],
    ['secure, without', { type: 'secure', tls: { ...tls, binding: undefined } }],
    ['lost', { type: 'lost', during: 'line' }],
    ['lost, with the reason', { type: 'lost', during: 'open', error }],
  ])('%s comes out as it went in', (_, event) => {
    const { writer, reader } = ring(4096);
    expect(new Outgoing(event).put(writer)).toBe(true);
    const taken = takeEvent(reader);
    expect(taken).toEqual(event);
    if (event.type === 'lost')
      expect(taken).toMatchObject(event.error ? { error: { code: 'ECONNREFUSED' } } : {});
    expect(takeEvent(reader)).toBeUndefined();
  });

  it('longer bytes than the ring go in pieces, as there is room', () => {
    const { writer, reader } = ring(4096);
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, n) => n & 255));
    const outgoing = new Outgoing({ type: 'bytes', bytes });
    const heard: Uint8Array[] = [];
    for (let whole = false; !whole || reader.used > 0; ) {
      whole ||= outgoing.put(writer);
      const event = takeEvent(reader);
      if (event?.type === 'bytes') heard.push(event.bytes);
    }
    expect(Buffer.concat(heard).equals(bytes)).toBe(true);
  });

  it('the text of an error is cut where it is too long for a ring', () => {
    const { writer, reader } = ring(4096);
    const long = { type: 'lost', during: 'open', error: new Error('x'.repeat(100_000)) } as const;
    expect(new Outgoing(long).put(writer)).toBe(true);
    expect(takeEvent(reader)).toMatchObject({
      type: 'lost',
      error: { message: expect.stringMatching(/^x{500}$/) },
    });
  });
});

describe('the sockets’ side of a line', () => {
  it('reads no more than the ring holds while nobody polls, and then all of it', async () => {
    const total = 20_000_000;
    const { port, first } = await listen((socket) => socket.write(new Uint8Array(total).fill(66)));
    const memory = allocateLine(4096, 65_536);
    const pump = new SharedLine(memory, 'pump');
    const served = new ServedLine(new SharedLine(memory, 'sockets'), {}, new TlsMemory(), {
      signal: () => {},
      over: () => {},
    });
    atEnd(() => served.close(false, []));
    served.open({ host: '127.0.0.1', port });
    await turns(300);
    const server = await first;
    expect(pump.toPump.used).toBeLessThanOrEqual(65_536);
    expect(pump.toPump.used).toBeGreaterThan(60_000);
    // the kernel holds some megabytes, and we do not
    expect(server.writableLength).toBeGreaterThan(0);
    let heard = 0;
    while (heard < total) {
      const event = takeEvent(pump.toPump);
      if (event?.type === 'bytes') heard += event.bytes.length;
      if (pump.unblocks()) served.wake();
      if (event === undefined) await turns(1);
    }
    expect(heard).toBe(total);
  });
});
