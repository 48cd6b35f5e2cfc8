/**
 * Exactness: a random world that is saved at random turns, and each time made again on a clock that shows another time,
 * comes to the same end by the same way as one that never was: octets, events, traces and times.
 */
import type { Json } from 'smtpump';
import { Random } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { plain, World } from './world.ts';

const long = process.env.SMTPUMP_LONG === '1';
const day = 86_400_000;
const turns = 150;

const outcome = (world: World): unknown => {
  const { commands, messages, reads, log, violations, delivered, accepted } = world.server;
  return plain({ commands, messages, reads, log, violations, delivered, accepted });
};

describe('§8.6: a world that was saved and restored goes on as if it had not been', () => {
  const count = long ? 1000 : 80;
  const size = count / 10;
  for (let from = 0; from < count; from += size) {
    it(`seeds ${from} to ${from + size - 1}`, () => {
      for (let seed = from; seed < from + size; seed++) check(seed);
    });
  }
});

function check(seed: number): void {
  const straight = new World(seed);
  for (let turn = 0; turn < turns; turn++) straight.turn();
  straight.pass(1_000_000);

  const random = new Random(seed * 7 + 3);
  const every = random.pick([0.3, 0.1, 0.02]);
  let world = new World(seed);
  let age = 0;
  const told: unknown[] = [];
  const leave = (): void => {
    for (const [at, what] of world.told) told.push([age + at, what]);
    age += world.age;
  };
  for (let turn = 0; turn < turns; turn++) {
    world.turn();
    if (!random.chance(every)) continue;
    const saved = saveOf(world);
    if (hidesForsaken(saved.client)) continue;
    leave();
    // with clocks of one magnitude times are exact, fractions of a millisecond too
    world = new World(seed, saved, world.clock.now() + (random.int(600) - 300) * day);
    expect(saveOf(world), `seed ${seed}, turn ${turn}: saved again at once`).toEqual(saved);
  }
  world.pass(1_000_000);
  leave();
  expect(told, `seed ${seed}: events`).toEqual(straight.told);
  expect(outcome(world), `seed ${seed}: what the server heard`).toEqual(outcome(straight));
  expect(age, `seed ${seed}: time`).toBe(straight.age);
  expect(saveOf(world), `seed ${seed}: saved at the end`).toEqual(saveOf(straight));
}

/** A login that is under way on a line that the client has left: it is not saved, and its server hears asterisks. */
function hidesForsaken(client: Json): boolean {
  const { content } = client as { readonly content: { readonly transport: { readonly left: Json } } };
  return JSON.stringify(content.transport.left).includes('"secret"');
}

const saveOf = (world: World): ReturnType<World['save']> => JSON.parse(JSON.stringify(world.save()));
