/**
 * Exactness: a random world that was saved at a random turn, made again on a clock that shows another time, comes to the
 * same end by the same way: octets, events, traces and times.
 */
import { Random } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { plain, World } from './world.ts';

const long = process.env.SMTPUMP_LONG === '1';
const day = 86_400_000;

const outcome = (world: World): unknown => {
  const { commands, messages, reads, log, violations, delivered, accepted } = world.server;
  return plain({ commands, messages, reads, log, violations, delivered, accepted });
};

describe('§8.6: a world that was saved and restored goes on as if it had not been', () => {
  const count = long ? 5000 : 300;
  const size = count / 10;
  for (let from = 0; from < count; from += size) {
    it(`seeds ${from} to ${from + size - 1}`, () => {
      for (let seed = from; seed < from + size; seed++) check(seed);
    });
  }
});

function check(seed: number): void {
  const random = new Random(seed * 7 + 3);
  const one = new World(seed);
  for (let left = random.int(random.pick([20, 80, 200])); left > 0; left--) one.turn();
  const saved = JSON.parse(JSON.stringify(one.save()));
  const other = new World(seed, saved, one.clock.now() - (1 + random.int(300)) * day);
  expect(other.save(), `seed ${seed}: saved again at once`).toEqual(saved);
  const heard = one.told.length;
  const since = one.age;
  for (const world of [one, other]) {
    for (let turns = 0; turns < 60; turns++) world.turn();
    world.pass(1_000_000);
  }
  const told = one.told.slice(heard).map((entry) => {
    const [at, what] = entry as [number, unknown];
    return [at - since, what];
  });
  expect(other.told, `seed ${seed}: events`).toEqual(told);
  expect(outcome(other), `seed ${seed}: what the server heard`).toEqual(outcome(one));
  expect(other.age, `seed ${seed}: time`).toBe(one.age - since);
  expect(plainSave(other), `seed ${seed}: saved at the end`).toEqual(plainSave(one));
}

const plainSave = (world: World): unknown => JSON.parse(JSON.stringify(world.save()));
