/** Shared memory that goes from line to line: only when both sides have done with it, and as good as new. */
import { describe, expect, it } from 'vitest';
import { giveBack, takeMemory } from '../../src/transport/worker/line-memory.ts';
import { SharedLine } from '../../src/transport/worker/shared-line.ts';

const sizes = [8192, 16_384] as const;
const used = (): SharedArrayBuffer => {
  const memory = takeMemory(...sizes);
  const pump = new SharedLine(memory, 'pump');
  pump.toSockets.write(Buffer.from('MAIL FROM:<secret@a.example>\r\n'));
  pump.toSockets.publish();
  pump.want();
  pump.wake();
  return memory;
};

describe('the memory of a line that is over', () => {
  it('is taken by the next line of its sizes, once, and empty', () => {
    const memory = used();
    new SharedLine(memory, 'sockets').finish();
    giveBack(memory);
    expect(takeMemory(4096, 16_384)).not.toBe(memory);
    expect(takeMemory(...sizes)).toBe(memory);
    const sockets = new SharedLine(memory, 'sockets');
    expect([sockets.toSockets.used, sockets.toPump.used, sockets.signals]).toEqual([0, 0, 0]);
    expect([sockets.satisfies(), new SharedLine(memory, 'pump').wake()]).toEqual([false, true]);
    expect(takeMemory(...sizes)).not.toBe(memory);
  });

  it('is nobody else’s while the sockets’ thread still reads it', () => {
    const memory = used();
    giveBack(memory);
    expect(takeMemory(...sizes)).not.toBe(memory);
    new SharedLine(memory, 'sockets').finish();
    expect(takeMemory(...sizes)).toBe(memory);
  });

  it('is let go of where too many wait', () => {
    const memories = Array.from({ length: 40 }, used);
    for (const memory of memories) {
      new SharedLine(memory, 'sockets').finish();
      giveBack(memory);
    }
    const again = new Set(Array.from({ length: 40 }, () => takeMemory(...sizes)));
    expect(memories.filter((memory) => again.has(memory))).toHaveLength(32);
  });
});
