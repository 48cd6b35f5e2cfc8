/** The bench: both sinks say the same to the same dialogue, however it is cut, and a run says what it measured. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { Random } from 'smtpump/testing';
import { afterAll, describe, expect, it } from 'vitest';
import { have } from '../../bench/peers/have.mjs';
import { Processes } from '../../bench/processes.mjs';
import { greeting, SinkSession } from '../../bench/sink/session.mjs';
import { runNode } from '../support/run-node.ts';
import { runtime } from '../support/runtime.ts';

/** Messages by DATA and BDAT whose texts are nothing but what ends a text, and how many there are. */
function dialogue(random: Random): { text: string; messages: number } {
  let text = 'EHLO c.example\r\n';
  const messages = 1 + random.int(4);
  for (let n = 0; n < messages; n++) {
    text += 'MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nRSET\r\n';
    let body = '';
    while (random.chance(0.8)) body += random.pick(['\r\n', '\r', '\n', '.', '..', 'a']);
    // one that ends itself is another dialogue
    if (random.chance(0.5) && !`\r\n${body}\r\n.\r\n`.slice(0, -1).includes('\r\n.\r\n'))
      text += `DATA\r\n${body}\r\n.\r\n`;
    else text += `BDAT ${body.length}\r\n${body}BDAT 0 LAST\r\n`;
    text += 'NOOP\r\n';
  }
  return { text: `${text}QUIT\r\n`, messages };
}

function* cut(text: string, random: Random, most: number): IterableIterator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; ) {
    const length = 1 + random.int(most);
    yield bytes.subarray(at, at + length);
    at += length;
  }
}

describe('the sink', () => {
  const random = new Random(7);
  const whole = (text: string): { said: string; messages: number; octets: number } => {
    const counts = { messages: 0, octets: 0 };
    return { said: new SinkSession(counts, true).take(Buffer.from(text)), ...counts };
  };

  it('in Node answers everything once and counts each message, cut anywhere', () => {
    for (let round = 0; round < 2_000; round++) {
      const { text, messages } = dialogue(random);
      const counts = { messages: 0, octets: 0 };
      const session = new SinkSession(counts, true);
      let said = '';
      for (const piece of cut(text, random, 7)) said += session.take(piece);
      expect(counts.messages, JSON.stringify(text)).toBe(messages);
      expect(said).toBe(whole(text).said);
      expect(said.endsWith('221 2.0.0 bye\r\n')).toBe(true);
    }
  });

  // what it was compiled to is not kept between runs
  const native = runtime === 'node' && typeof have('sink') === 'object';
  const processes = new Processes({ pin: 'none', sink: 'c' });
  afterAll(() => processes.killAll());

  it.runIf(native)('in C says the very same', async () => {
    const sink = await processes.fastSink({ chunking: true });
    for (let round = 0; round < 100; round++) {
      const { text, messages } = dialogue(random);
      const socket = connect({ host: '127.0.0.1', port: sink.port, noDelay: true });
      let said = '';
      socket.on('data', (bytes) => {
        said += bytes;
      });
      for (const piece of cut(text, random, 4)) {
        socket.write(piece);
        await new Promise((resolve) => setImmediate(resolve));
      }
      await once(socket, 'end');
      expect(said, JSON.stringify(text)).toBe(greeting + whole(text).said);
      expect((await sink.take()).messages).toBe(messages);
    }
  });
});

describe.runIf(runtime === 'node')('a run', () => {
  it('S5 prints JSON: where it was made, what was counted, and that each mark of the link is met', async () => {
    const { code, stdout, stderr } = await runNode(
      ['bench/run.mjs', '--only', 's5', '--rounds', '1', '--pin', 'none', '--sink', 'node', '--json'],
      {},
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { machine, rows } = JSON.parse(stdout);
    expect(machine).toMatchObject({ node: process.version, sinkIn: 'Node' });
    expect(rows.s5.results.map(({ trips }: { trips: number }) => trips)).toEqual([7, 2, 101, 1, 2]);
    expect(rows.s5.targets.map(({ met }: { met: boolean }) => met)).toEqual([true, true, true, true, true]);
  });

  it.each([
    ['--sink', 'rust'],
    ['--pin', 'three'],
    ['--only', 's99'],
    ['--rounds', '0'],
  ])('%s %s is told to be none', async (...flags) => {
    const { code, stderr } = await runNode(['bench/run.mjs', ...flags], {});
    expect([code, stderr.startsWith(`${flags[0]}:`)]).toEqual([2, true]);
  });
});
