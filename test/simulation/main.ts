/**
 * `npm run simulate -- --seeds N --from S --workers W`, or `--seed X` for one world and its transcript.
 */
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { type Many, runSeed, runSeeds } from './simulate.ts';

interface Range {
  readonly from: number;
  readonly seeds: number;
}

/** Small shares, so that all workers end together and failures come early. */
const share = 2000;

async function one(seed: number): Promise<number> {
  const { transcript, wrong, digest } = await runSeed(seed, true);
  for (const line of transcript) console.log(line);
  console.log(`\n${digest}`);
  for (const text of wrong) console.log(`WRONG ${text}`);
  return wrong.length;
}

/** @param most stops when so many have failed */
async function many({ from, seeds }: Range, workers: number, most: number): Promise<number> {
  const began = performance.now();
  noStacks();
  const left: Range[] = [];
  for (let at = from; at < from + seeds; at += share)
    left.push({ from: at, seeds: Math.min(share, from + seeds - at) });
  let done = 0;
  let failures = 0;
  const met: Record<string, number> = {};
  const add = (result: Many): void => {
    done += result.seeds;
    failures += result.failed.length;
    if (failures >= most) left.length = 0;
    for (const { seed, wrong } of result.failed) {
      console.log(`seed ${seed}:`);
      for (const text of wrong) console.log(`  ${text}`);
    }
    for (const [name, count] of Object.entries(result.met)) met[name] = (met[name] ?? 0) + count;
  };
  if (workers <= 1)
    for (let next = left.shift(); next; next = left.shift())
      add(await runSeeds(next.from, next.seeds, 50, most));
  else await Promise.all(Array.from({ length: workers }, () => worker(left, add)));
  const seconds = (performance.now() - began) / 1000;
  console.log(met);
  console.log(
    `${done} seeds from ${from}, ${failures} failed, ${seconds.toFixed(1)} s, ${(done / seconds).toFixed(0)} seeds/s`,
  );
  return failures;
}

/** A thread that takes shares until none is left. */
function worker(left: Range[], add: (result: Many) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const thread = new Worker(new URL(import.meta.url), { workerData: 'simulate' });
    const next = (): void => {
      const range = left.shift();
      if (range !== undefined) thread.postMessage(range);
      else void thread.terminate().then(() => resolve());
    };
    thread.on('message', (result: Many) => {
      add(result);
      next();
    });
    thread.on('error', reject);
    next();
  });
}

/** Of millions of errors nobody reads where they came from; a failing seed is run again by itself. */
const noStacks = (): void => void Object.assign(Error, { stackTraceLimit: 0 });

if (isMainThread) {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string', default: '2000' },
      from: { type: 'string', default: '1' },
      workers: { type: 'string', default: '1' },
      failures: { type: 'string', default: '10' },
    },
  });
  const failures =
    values.seed === undefined
      ? await many(
          { from: Number(values.from), seeds: Number(values.seeds) },
          Number(values.workers),
          Number(values.failures),
        )
      : await one(Number(values.seed));
  process.exitCode = failures > 0 ? 1 : 0;
} else if (workerData === 'simulate') {
  noStacks();
  parentPort?.on('message', ({ from, seeds }: Range) => {
    // the reports without their transcripts: a failing seed is run again by itself
    void runSeeds(from, seeds).then((result) => {
      const failed = result.failed.map((report) => ({ ...report, transcript: [] }));
      parentPort?.postMessage({ ...result, failed });
    });
  });
}
