/**
 * The dialogues of the RFCs, played against the real client: whole, octet by octet, cut at random, and broken off at
 * every octet of the server's side. Each file of this folder is one dialogue; see player.ts for the form.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { type LineFault, Random } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { falsehoods } from '../faults/truths.ts';
import type { Begun, WatchedClient } from '../faults/watched.ts';
import { type Fate, fateOf, score } from './fates.ts';
import { type Circumstances, type Dialogue, play, readDialogue } from './player.ts';

const long = process.env.SMTPUMP_LONG !== undefined;
const here = new URL('.', import.meta.url);
const dialogues = readdirSync(here)
  .filter((name) => name.endsWith('.md') && name !== 'README.md')
  .sort()
  .map((name) => ({ name, ...readDialogue(readFileSync(new URL(name, here), 'utf8')) }));

/** All that must be true of a dialogue that is played to its end. */
function playWhole(dialogue: Dialogue, circumstances?: Circumstances): void {
  const { client, server, told, thrown } = play(dialogue, circumstances);
  server.verify();
  expect(thrown).toEqual([]);
  expect(told).toEqual(dialogue.events);
  expect(falsehoods(client)).toEqual([]);
}

describe.each(dialogues.map((dialogue) => [dialogue.title, dialogue] as const))('%s', (_, dialogue) => {
  it('whole', () => playWhole(dialogue));

  it('S1 octet by octet', () => playWhole(dialogue, { chunk: 1, shape: { latencyMs: 1, segmentBytes: 1 } }));

  it('cut at random', () => {
    const first = Number(process.env.SMTPUMP_SEED ?? Math.floor(Math.random() * 1e9));
    for (let seed = first; seed < first + (long ? 500 : 20); seed++) {
      const shape = { cut: true, join: seed % 2 === 0, latencyMs: 3, jitterMs: 40 };
      try {
        playWhole(dialogue, { random: new Random(seed), shape });
      } catch (error) {
        throw new Error(`with SMTPUMP_SEED=${seed}`, { cause: error });
      }
    }
  });

  it('S13 S18 S20 broken off at every octet of the server', () => {
    const { messages, octets } = score(dialogue.wire);
    const wrong: string[] = [];
    octets.forEach((size, i) => {
      for (let after = 0; after < size; after++) {
        const kinds = long ? breaks : [breaks[after % breaks.length] ?? 'end'];
        for (const kind of kinds) {
          const found = breakOff(dialogue, i + 1, { kind, after, direction: 'toClient' }, (n) => {
            const message = messages[n];
            const elsewhere = message !== undefined && message.connection !== i + 1;
            return elsewhere ? fateOf(message, Infinity, false) : fateOf(message, after, kind !== 'stall');
          });
          wrong.push(...found.map((text) => `connection ${i + 1}, ${kind} after ${after} octets: ${text}`));
        }
      }
    });
    expect(wrong).toEqual([]);
  });
});

const breaks = ['end', 'reset', 'stall'] as const;

/** What is wrong after the break. */
function breakOff(
  dialogue: Dialogue,
  connection: number,
  fault: LineFault,
  expected: (message: number) => Fate,
): string[] {
  const { client, server, thrown } = play(dialogue, { fault: (n) => (n === connection ? fault : undefined) });
  const wrong = falsehoods(client);
  if (client.lives.length < connection) wrong.push(`connection ${connection} was never made`);
  for (const error of thrown) wrong.push(`thrown: ${error}`);
  for (const { expected, got } of server.mismatches)
    if (got !== 'the client closed') wrong.push(`the client said ${got} in place of ${expected}`);
  for (const life of client.lives) {
    for (const begun of life.begun) {
      const fate = fateTold(client, begun);
      const right = expected(begun.message.id - 1);
      if (fate !== right) wrong.push(`message ${begun.message.id} is told ${fate}, and is ${right}`);
    }
  }
  return wrong;
}

const killing = new Set(['sendSender', 'sendBom', 'sendEom']);

function fateTold(client: WatchedClient, { message }: Begun): Fate {
  for (const event of client.lives.flatMap(({ events }) => events)) {
    if (event.name === 'EOM_ACK' && event.message === message) return 'delivered';
    if ((event.name === 'SERVER_ERROR' || event.name === 'SERVER_RETRY') && event.message === message)
      if (killing.has(event.step)) return 'refused';
    if (event.name === 'DISCONNECTED')
      for (const one of event.messages) if (one.message === message) return one.outcome;
  }
  return 'withdrawn';
}

describe('the dialogues', () => {
  it('are those that the standards print', () => {
    expect(dialogues.map(({ name }) => name)).toEqual([
      'rfc2920-4-all-refused-354.md',
      'rfc2920-4-all-refused-554.md',
      'rfc2920-4-lock-step.md',
      'rfc2920-4-pipelined.md',
      'rfc3207-6-starttls.md',
      'rfc4954-4-cancelled.md',
      'rfc4954-4-cram-md5.md',
      'rfc4954-4-plain-after-starttls.md',
      'rfc4954-4-wrong-password.md',
      'rfc5321-d1-typical.md',
      'rfc5321-d2-aborted.md',
      'rfc5321-d3-relayed.md',
      'rfc5802-5-scram-sha-1.md',
      'rfc7677-3-scram-sha-256.md',
    ]);
  });
});
