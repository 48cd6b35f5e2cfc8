/**
 * Runs one world, or many. A world that needs Node's own ticks is given them; the others run through at once.
 */
import { type Report, World } from './world.ts';

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** @param record write down all bytes, steps and events */
export async function runSeed(seed: number, record = false): Promise<Report> {
  const world = new World(seed, record);
  const run = world.run();
  for (;;) {
    const { done, value } = run.next();
    if (done) return value;
    if (world.ticks) await tick();
  }
}

/** The same, for a world that needs no ticks; undefined for the others. */
function runAtOnce(seed: number): Report | undefined {
  const world = new World(seed);
  if (world.ticks) return undefined;
  const run = world.run();
  for (;;) {
    const { done, value } = run.next();
    if (done) return value;
  }
}

export interface Many {
  readonly seeds: number;
  readonly failed: readonly Report[];
  /** Events by name, over all worlds. */
  readonly met: Readonly<Record<string, number>>;
}

/** Runs so many seeds; every so many-th twice, to see that it comes to the same. */
export async function runSeeds(
  from: number,
  seeds: number,
  twiceEvery = 50,
  mostFailures = 10,
): Promise<Many> {
  const failed: Report[] = [];
  const met: Record<string, number> = {};
  let seed = from;
  for (; seed < from + seeds && failed.length < mostFailures; seed++) {
    const report =
      seed % twiceEvery === 0 ? await runTwice(seed) : (runAtOnce(seed) ?? (await runSeed(seed)));
    for (const [name, count] of Object.entries(report.met)) met[name] = (met[name] ?? 0) + count;
    if (report.wrong.length > 0) failed.push(report);
  }
  return { seeds: seed - from, failed, met };
}

async function runTwice(seed: number): Promise<Report> {
  const first = await runSeed(seed, true);
  const second = await runSeed(seed, true);
  if (first.digest === second.digest) return first;
  const at = first.transcript.findIndex((line, i) => line !== second.transcript[i]);
  const differ = `twice the same seed differs: ${first.transcript[at]} | ${second.transcript[at]}`;
  return { ...first, wrong: [...first.wrong, differ] };
}
