// @ts-check
/** Where a run was made and with what: read, not guessed. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg, release, type } from 'node:os';

/** @param {{ pinning: string, sinkIn: string }} run */
export function machineFacts({ pinning, sinkIn }) {
  const versions = {
    smtpump: versionAt(new URL('../package.json', import.meta.url)),
    xstate: versionOf('xstate'),
    nodemailer: versionOf('nodemailer'),
    emailjs: versionOf('emailjs'),
    '@upyo/smtp': versionOf('@upyo/smtp'),
  };
  const cpu = cpus()[0]?.model ?? 'unknown CPU';
  const cores = availableParallelism();
  const load = loadavg()[0] ?? 0;
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const text =
    `Node ${process.version}, ${packages.join(', ')}\n` +
    `${cpu}, ${cores} cores, ${type()} ${release()}, load ${load.toFixed(1)} at the start, ${pinning}, sink in ${sinkIn}`;
  return { node: process.version, versions, cpu, cores, load, pinning, sinkIn, text };
}

/** @param {string} name */
function versionOf(name) {
  // not every package exports its package.json
  const paths = createRequire(import.meta.url).resolve.paths(name) ?? [];
  for (const path of paths) {
    try {
      return versionAt(`${path}/${name}/package.json`);
    } catch {}
  }
  return 'unknown';
}

/** @param {string | URL} path @returns {string} */
function versionAt(path) {
  return JSON.parse(readFileSync(path, 'utf8')).version;
}
