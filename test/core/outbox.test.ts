/** The outbox: few writes, in order, within the turn's ration, and nothing lost of what the caller is to hear. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Outbox } from '../../src/core/outbox.ts';
import type { Transport } from '../../src/transport/transport.ts';

const rationBytes = 256 * 1024;

/** A transport that keeps what it is given; it is full from the n-th write on. */
function sink(fullFrom = Infinity) {
  const writes: Uint8Array[] = [];
  const transport: Transport = {
    open() {},
    secure() {},
    close() {},
    poll: () => undefined,
    onReady: undefined,
    write: (bytes) => writes.push(bytes) < fullFrom,
  };
  return { writes, transport, sizes: () => writes.map(({ length }) => length) };
}

const bytesOf = (length: number, value = 0): Uint8Array => new Uint8Array(length).fill(value);

describe('writes (TK70)', () => {
  it('of small pieces wait, and leave as one', () => {
    const { writes, transport } = sink();
    const outbox = new Outbox();
    for (const text of ['MAIL\r\n', '', 'RCPT\r\n', 'DATA\r\n']) outbox.write(Buffer.from(text), transport);
    expect(writes).toEqual([]);
    outbox.flush(transport);
    outbox.flush(transport);
    expect(writes.map(String)).toHaveLength(1);
    expect(Buffer.concat(writes).toString()).toBe('MAIL\r\nRCPT\r\nDATA\r\n');
  });

  it('of one small piece, or of a large one, are not copied', () => {
    const { writes, transport } = sink();
    const outbox = new Outbox();
    const [small, large] = [bytesOf(2047), bytesOf(2048)];
    outbox.write(small, transport);
    outbox.write(large, transport);
    expect(writes).toHaveLength(2);
    expect(writes[0]).toBe(small);
    expect(writes[1]).toBe(large);
  });

  it('of many small pieces leave before they are many bytes', () => {
    const { transport, sizes } = sink();
    const outbox = new Outbox();
    for (let i = 0; i < 100; i++) outbox.write(bytesOf(1024), transport);
    expect(sizes()).toEqual([65_536]);
  });

  it('keep every byte and the order, however the pieces come', () => {
    const size = fc.oneof(fc.integer({ min: 0, max: 64 }), fc.integer({ min: 2000, max: 5000 }));
    fc.assert(
      fc.property(fc.array(fc.tuple(size, fc.boolean()), { maxLength: 60 }), (pieces) => {
        const { writes, transport } = sink();
        const outbox = new Outbox();
        const given = pieces.map(([length, flush], i) => {
          const piece = bytesOf(length, i);
          outbox.write(piece, transport);
          if (flush) outbox.flush(transport);
          return piece;
        });
        outbox.flush(transport);
        expect(Buffer.concat(writes).equals(Buffer.concat(given))).toBe(true);
        expect(writes.every(({ length }) => length > 0)).toBe(true);
      }),
    );
  });
});

describe('the ration of a turn', () => {
  it('is used up by what is written, merged or not, and refilled by the next turn', () => {
    const { transport } = sink();
    const outbox = new Outbox();
    outbox.write(bytesOf(rationBytes - 1), transport);
    expect([outbox.blocked, outbox.rationed, outbox.busy]).toEqual([false, false, false]);
    outbox.write(bytesOf(1), transport);
    expect([outbox.blocked, outbox.rationed, outbox.busy]).toEqual([true, true, true]);
    outbox.refill();
    expect([outbox.blocked, outbox.rationed, outbox.busy]).toEqual([false, false, false]);
  });
});

describe('back-pressure (TK27, TK28)', () => {
  it('blocks when the line is full, which is no reason to turn the pump again', () => {
    const { transport } = sink(1);
    const outbox = new Outbox();
    outbox.write(bytesOf(10), transport);
    expect(outbox.full).toBe(false);
    outbox.flush(transport);
    expect([outbox.full, outbox.blocked, outbox.busy]).toEqual([true, true, false]);
    outbox.refill();
    expect(outbox.blocked).toBe(true);
    outbox.full = false;
    expect(outbox.blocked).toBe(false);
  });

  it('is not forgotten when a later write goes through', () => {
    const { writes, transport } = sink();
    let room = false;
    transport.write = (bytes) => {
      writes.push(bytes);
      room = !room;
      return !room;
    };
    const outbox = new Outbox();
    outbox.write(bytesOf(1), transport);
    outbox.write(bytesOf(4096), transport);
    expect([writes.length, outbox.full]).toEqual([2, true]);
  });

  it('is not rationing: a full line that used up its ration waits for the drain', () => {
    const { transport } = sink(1);
    const outbox = new Outbox();
    outbox.write(bytesOf(rationBytes), transport);
    expect([outbox.blocked, outbox.rationed, outbox.busy]).toEqual([true, false, false]);
  });
});

describe('deeds and events', () => {
  it('come out in the order in which they went in', () => {
    const outbox = new Outbox();
    const target = { host: 'mx.example.test', port: 25 };
    outbox.do({ deed: 'open', target });
    outbox.do({ deed: 'close', graceful: true });
    expect(outbox.busy).toBe(true);
    expect([outbox.nextDeed(), outbox.nextDeed(), outbox.nextDeed()]).toEqual([
      { deed: 'open', target },
      { deed: 'close', graceful: true },
      undefined,
    ]);
    expect(outbox.busy).toBe(false);
  });

  it('events that are told while others are taken come after them, each once (TK54, TK71)', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 80 }), (takes) => {
        const outbox = new Outbox();
        let told = 0;
        let taken = 0;
        for (const take of takes) {
          expect(outbox.hasEvents).toBe(told > taken);
          if (!take) outbox.tell({ name: 'COMMAND', line: `${told++}` });
          else if (told > taken) expect(outbox.nextEvent()).toEqual({ name: 'COMMAND', line: `${taken++}` });
          else expect(outbox.nextEvent()).toBeUndefined();
        }
      }),
    );
  });

  it('only events outlive the line', () => {
    const { writes, transport } = sink(1);
    const outbox = new Outbox();
    outbox.tell({ name: 'DRAIN' });
    outbox.do({ deed: 'close', graceful: false });
    outbox.write(bytesOf(3000), transport);
    outbox.write(bytesOf(10), transport);
    outbox.discard();
    outbox.flush(transport);
    expect([outbox.full, outbox.nextDeed(), writes.length]).toEqual([false, undefined, 1]);
    expect(outbox.nextEvent()).toEqual({ name: 'DRAIN' });
    // what was merged and not flushed is gone for good
    outbox.write(bytesOf(5), transport);
    outbox.flush(transport);
    expect(writes.at(-1)).toHaveLength(5);
  });
});
