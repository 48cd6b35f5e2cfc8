// @ts-check
/**
 * The bench: smtpump and its peers on the same work, in one run, against the same sink.
 *
 *   npm run bench -- [--json] [--only row,…] [--seconds n] [--rounds n] [--pin one|two|none]
 *     [--sink c|node] [--profile dir] [--check]
 *
 * Runs are interleaved (each round runs everyone once) and medians are shown. Each measured client has a process of
 * its own, so that CPU time is its own. `--pin one` (default) puts sink and client on one core, `two` on a core each,
 * where waking the other costs both. `--sink` says which of the two sinks answers: the one in C (default), or the one in
 * Node, which shares its core with the client as a server would. `--profile` keeps a CPU profile of each measured process; `--check` fails where a
 * target is missed.
 * Add a row: a module in rows/ with `name` and `run(bench)`, and its name in `rows` below.
 */
import { parseArgs } from 'node:util';
import { machineFacts } from './machine.mjs';
import { Processes } from './processes.mjs';
import * as bodies from './rows/bodies.mjs';
import * as charts from './rows/charts.mjs';
import * as connections from './rows/connections.mjs';
import * as core from './rows/core.mjs';
import * as idle from './rows/idle.mjs';
import * as link from './rows/link.mjs';
import * as recipients from './rows/many-recipients.mjs';
import * as connection from './rows/one-connection.mjs';
import * as starttls from './rows/starttls.mjs';
import * as trips from './rows/trips.mjs';
import * as worker from './rows/worker.mjs';
import { printRow } from './table.mjs';

const rows = [connection, recipients, bodies, connections, link, starttls, core, idle, trips, worker, charts];
/** For the default run, which takes under 240 s, also where others use the machine as well. */
const longestRunMs = 300_000;

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    only: { type: 'string' },
    seconds: { type: 'string', default: '0.3' },
    rounds: { type: 'string', default: '5' },
    pin: { type: 'string', default: 'one' },
    sink: { type: 'string', default: 'c' },
    profile: { type: 'string' },
    check: { type: 'boolean', default: false },
  },
});

/** @type {string[]} */
const names = rows.map(({ name }) => name);
const only = values.only?.split(',');
for (const name of only ?? []) if (!names.includes(name)) usage(`--only: one of ${names.join(', ')}`);
const seconds = Number(values.seconds);
const rounds = Number(values.rounds);
if (!(seconds > 0)) usage('--seconds: a number above 0');
if (!(Number.isInteger(rounds) && rounds > 0)) usage('--rounds: a whole number above 0');
if (!['one', 'two', 'none'].includes(values.pin)) usage('--pin: one, two or none');
if (!['c', 'node'].includes(values.sink)) usage('--sink: c or node');

const processes = new Processes(values);
const limit = setTimeout(
  () => fail(new Error('the run took too long')),
  longestRunMs * Math.max(1, (rounds / 5) * (seconds / 0.3)),
);
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => fail(new Error(signal)));

try {
  const machine = machineFacts(processes);
  if (!values.json) console.log(`${machine.text}\nmedians of ${rounds}, ${seconds} s each, interleaved\n`);
  /** @type {Record<string, unknown>} */
  const results = {};
  let missed = 0;
  for (const row of rows) {
    if (only !== undefined && !only.includes(row.name)) continue;
    const result = await row.run({ processes, milliseconds: seconds * 1000, rounds });
    for (const { met } of result.targets ?? []) if (!met) missed++;
    results[row.name] = result;
    if (!values.json) printRow(row.name, result);
  }
  if (values.json) console.log(JSON.stringify({ machine, seconds, rounds, rows: results }, undefined, 2));
  if (values.check && missed > 0) process.exitCode = 1;
} catch (error) {
  fail(error);
} finally {
  clearTimeout(limit);
  processes.killAll();
}

/** @param {string} text @returns {never} */
function usage(text) {
  console.error(text);
  process.exit(2);
}

/** @param {unknown} error @returns {never} */
function fail(error) {
  processes.killAll();
  console.error(error);
  process.exit(1);
}
