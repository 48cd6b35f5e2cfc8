/**
 * Seeded sessions: mails of every kind, some given up, to servers that refuse, break off and fall silent. What a caller
 * is told of each recipient is compared with what the server has.
 */
import { connect, type Mail, type RecipientResult, SendError } from 'smtpump/promises';
import { Random, type ScriptedReply } from 'smtpump/testing';
import { expect, it } from 'vitest';
import { bench } from '../client/support.ts';
import { at, during } from './support.ts';

const seeds = process.env.SMTPUMP_LONG ? 5000 : 300;
const names = ['bob', 'cid', 'dan'];

async function* inPieces(text: string): AsyncGenerator<string> {
  for (let i = 0; i < text.length; i += 700) yield text.slice(i, i + 700);
}

function answers(random: Random): (command: { readonly verb: string }) => ScriptedReply | undefined {
  return ({ verb }) => {
    if (verb === 'CONNECT' || verb === 'EHLO' || verb === 'QUIT') return undefined;
    const dice = random.int(100);
    if (dice < 4) return `451 4.0.0 not now (${verb})`;
    if (dice < 8) return `550 5.0.0 no (${verb})`;
    if (dice < 9) return { drop: true };
    if (dice < 10) return { stall: true };
    if (dice < 11) return '421 4.3.2 closing';
    return dice < 30 ? { delayMs: random.int(2000) } : undefined;
  };
}

/** One session; returns how often each status was told. */
async function session(seed: number): Promise<Record<string, number>> {
  const random = new Random(seed);
  const extensions = [['PIPELINING', 'CHUNKING'], ['PIPELINING'], []][random.int(3)] ?? [];
  const made = bench({
    seed,
    server: { extensions, ...{ reply: answers(random.fork(1)) } },
    line: { latencyMs: random.int(50), windowBytes: 500 + random.int(4000) },
    client: {
      bodyBufferBytes: 300 + random.int(3000),
      timeouts: { commandMs: 9000, dataMs: 9000, bodyMs: 9000, verdictMs: 9000 },
    },
  });
  const smtp = await during(made, connect(made.client));
  const told = new Map<number, readonly RecipientResult[]>();
  const calls = Array.from({ length: 6 }, (_, n) => {
    const text = `${n}\r\n${'x'.repeat(random.int(3000))}\r\n`;
    const body = [text, Buffer.from(text), inPieces(text)][random.int(3)] ?? text;
    const to = names.slice(0, 1 + random.int(3)).map(at);
    const mail: Mail = { from: at('ann'), to, raw: true, body };
    const controller = new AbortController();
    if (random.int(10) === 0) {
      made.clock.wake(made.clock.now() + random.int(3000), () => controller.abort());
    }
    return smtp.send(mail, { signal: controller.signal }).then(
      ({ recipients }) => told.set(n, recipients),
      (error) => {
        // who gave it up before its turn has no recipients to be told of
        if (!(error instanceof SendError)) expect(error).toMatchObject({ code: 'EABORTED' });
        told.set(n, error instanceof SendError ? error.recipients : []);
      },
    );
  });
  await during(made, Promise.all(calls));
  await during(made, smtp.disconnect());
  const had = new Map(
    made.server.messages.map(({ data, to }) => [Number.parseInt(Buffer.from(data).toString(), 10), to]),
  );
  expect([...had.keys()], 'in order').toEqual([...had.keys()].sort((a, b) => a - b));
  const counts: Record<string, number> = {};
  for (const [n, recipients] of told) {
    for (const { recipient, status } of recipients) {
      const has = had.get(n)?.includes(recipient.address) === true;
      if (status !== 'unknown')
        expect(has, `message ${n}, ${recipient.address}: ${status}`).toBe(status === 'delivered');
      counts[status] = (counts[status] ?? 0) + 1;
    }
  }
  expect(made.client.listenerCount('event'), 'the bench’s own').toBe(1);
  return counts;
}

it(`TK71, S20: ${seeds} sessions: what is told of each recipient is what the server has`, async () => {
  const counts: Record<string, number> = {};
  for (let seed = 1; seed <= seeds; seed++) {
    const found = await session(seed).catch((error) => {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : error}`, { cause: error });
    });
    for (const [status, count] of Object.entries(found)) counts[status] = (counts[status] ?? 0) + count;
  }
  // each of them was met
  expect(Object.keys(counts).sort()).toEqual(['deferred', 'delivered', 'refused', 'unknown', 'unsent']);
}, 120_000);
