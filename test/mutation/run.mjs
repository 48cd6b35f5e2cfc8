/**
 * Plants each of the flaws of mutants.mjs into a copy of the sources, and runs the tests that should notice.
 *
 *   node test/mutation/run.mjs                    all of them, two at a time
 *   node test/mutation/run.mjs --only conduct     those whose file or text holds the word
 *   node test/mutation/run.mjs --from 30 --to 40  those from number 30 up to 39
 *   node test/mutation/run.mjs --simulate 200000  how many seeds the simulation needs in place of the tests
 *
 * First the tests run without a flaw. A flaw that no test notices has survived. The pictures of the charts are left out: they notice everything.
 */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { mutants } from './mutants.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const workshop = join(root, '.tmp/mutants');
const copied = ['bench', 'machines', 'src', 'test', 'package.json', 'tsconfig.json', 'vitest.config.ts'];
const limitMs = 240_000;

/** The tests nearest to the flaw first, then those further off. */
const stages = {
  machines: ['test/machines', 'test/core test/client', 'test/flight test/faults test/save'],
  'src/wire': ['test/wire', 'test/client test/security', 'test/flight test/save test/message'],
  'src/core': [
    'test/core',
    'test/client',
    'test/flight test/save',
    'test/faults test/security test/promises',
  ],
};
const quick = ['--pool', 'threads', '--no-isolate', '--maxWorkers', '1'];
const leftOut = ['test/machines/diagram.test.ts', 'test/simulation/**'];

/**
 * @param {string} command
 * @param {string[]} args
 * @param {string} cwd
 * @returns {Promise<{ code: number, output: string }>} code -1: it ran out of time
 */
function run(command, args, cwd) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      detached: true,
      env: { ...process.env, CI: '1', NO_COLOR: '1' },
    });
    let output = '';
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, limitMs);
    const keep = (/** @type {Buffer} */ data) => {
      output += data;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: late ? -1 : (code ?? 1), output });
    });
  });
}

/** A copy of the sources, in which one flaw after another is planted. */
class Copy {
  /** @param {number} number */
  constructor(number) {
    this.path = join(workshop, String(number));
    rmSync(this.path, { recursive: true, force: true });
    mkdirSync(this.path, { recursive: true });
    for (const name of copied) cpSync(join(root, name), join(this.path, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(this.path, 'node_modules'));
  }

  /**
   * @param {string} file
   * @param {string} find
   * @param {string} replace
   * @param {() => Promise<string>} then
   */
  async with(file, find, replace, then) {
    const path = join(this.path, file);
    const text = readFileSync(path, 'utf8');
    if (text.split(find).length !== 2) return `stands ${text.split(find).length - 1} times in the file`;
    writeFileSync(
      path,
      text.replace(find, () => replace),
    );
    try {
      return await then();
    } finally {
      writeFileSync(path, text);
    }
  }

  /**
   * @param {string} file
   * @returns {Promise<string>} what noticed
   */
  async test(file) {
    const [, folders = []] = Object.entries(stages).find(([name]) => file.startsWith(name)) ?? [];
    for (const stage of folders) {
      const args = ['vitest', 'run', ...stage.split(' '), '--bail', '1', '--reporter', 'dot', ...quick];
      for (const one of leftOut) args.push('--exclude', one);
      const { code, output } = await run('npx', args, this.path);
      if (code === -1) return `killed: ${stage} never ends`;
      if (code !== 0) return `killed: ${/FAIL +(.*)/.exec(output)?.[1] ?? stage}`;
    }
    return 'SURVIVED';
  }

  /** @param {string} seeds */
  async simulate(seeds) {
    const bundle = join(this.path, 'simulate.mjs');
    const from = [
      'rolldown',
      'test/simulation/main.ts',
      '--platform',
      'node',
      '--format',
      'esm',
      '--file',
      bundle,
    ];
    const built = await run('npx', from, this.path);
    if (built.code !== 0) return `not built: ${built.output}`;
    const { code, output } = await run('node', [bundle, '--seeds', seeds, '--failures', '1'], this.path);
    if (code === 0) return `SURVIVED ${seeds} seeds`;
    const [, seed = code === -1 ? 'never ends' : output, what = ''] =
      /seed (\d+):\n +(.*)/.exec(output) ?? [];
    return `killed by seed ${seed}: ${what}`;
  }
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    from: { type: 'string', default: '0' },
    to: { type: 'string', default: String(mutants.length) },
    simulate: { type: 'string' },
    workers: { type: 'string', default: '2' },
  },
});
const left = [...mutants.entries()]
  .slice(Number(values.from), Number(values.to))
  .filter(([, parts]) => parts.some((part) => part.includes(values.only)));
const count = left.length;
let survivors = 0;

/** @param {Copy} copy */
async function work(copy) {
  for (let next = left.shift(); next !== undefined; next = left.shift()) {
    const [number, [file, find, replace]] = next;
    const act = () =>
      values.simulate === undefined ? copy.test(file) : copy.simulate(values.simulate ?? '');
    const result = await copy.with(file, find, replace, act);
    if (!result.startsWith('killed')) survivors++;
    console.log(`${number} ${file}: ${JSON.stringify(find.trim().slice(0, 90))}\n    ${result}`);
  }
}

if (values.simulate === undefined) {
  const sound = new Copy(0);
  for (const layer of Object.keys(stages).filter((name) =>
    left.some(([, [file]]) => file.startsWith(name)),
  )) {
    const noticed = await sound.test(layer);
    if (noticed !== 'SURVIVED') throw new Error(`without any flaw, ${layer} is ${noticed}`);
  }
}
await Promise.all(Array.from({ length: Number(values.workers) }, (_, at) => work(new Copy(at + 1))));
console.log(
  `${count} flaws, ${survivors} survived: ${((100 * (count - survivors)) / count).toFixed(1)} % were noticed`,
);
