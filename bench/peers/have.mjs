// @ts-check
/**
 * The peers in C and the sink in C: compiled at run time; packages of Debian are unpacked beside, never installed.
 * What can't be had is said with the reason, and the run goes on without it.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const store = join(tmpdir(), 'smtpump-bench');
const triplet = 'usr/lib/x86_64-linux-gnu';
const dev = join(store, 'dev');
const include = [join(dev, 'usr/include'), join(dev, 'usr/include/x86_64-linux-gnu')];

/** @typedef {{ command: string, env: Record<string, string> }} Tool */

const makers = {
  sink: () => compiled('sink', '../sink/sink.c', []),
  'smtp-source'() {
    const root = join(store, 'postfix');
    unpack(['postfix'], root, 'usr/sbin/smtp-source');
    return {
      command: join(root, 'usr/sbin/smtp-source'),
      env: { LD_LIBRARY_PATH: join(root, 'usr/lib/postfix') },
    };
  },
  esmtp() {
    unpack(['libesmtp6', 'libesmtp-dev'], dev, 'usr/include/libesmtp.h');
    const tool = compiled('esmtp', 'esmtp.c', [...headers(), `-L${join(dev, triplet)}`, '-lesmtp']);
    return { ...tool, env: { LD_LIBRARY_PATH: join(dev, triplet) } };
  },
  curl() {
    unpack(['libcurl4-openssl-dev'], dev, 'usr/include/x86_64-linux-gnu/curl/curl.h');
    return compiled('curl', 'curl.c', [...headers(), '-l:libcurl.so.4']);
  },
};

/** @type {Map<string, Tool | string>} */
const had = new Map();

/** A tool, or why there is none. @param {keyof typeof makers} name @returns {Tool | string} */
export function have(name) {
  let tool = had.get(name);
  if (tool === undefined) {
    try {
      mkdirSync(store, { recursive: true });
      tool = makers[name]();
    } catch (error) {
      tool = String(error instanceof Error ? error.message : error).split('\n')[0] ?? 'unknown';
    }
    had.set(name, tool);
  }
  return tool;
}

const headers = () => include.map((path) => `-I${path}`);

/** @param {string} name @param {string} source @param {string[]} flags @returns {Tool} */
function compiled(name, source, flags) {
  const command = join(store, `${name}-${process.pid}`);
  run('gcc', ['-O2', '-o', command, fileURLToPath(new URL(source, import.meta.url)), ...flags]);
  return { command, env: {} };
}

/** @param {string[]} packages @param {string} root @param {string} wanted a file that shows it is there */
function unpack(packages, root, wanted) {
  if (existsSync(join(root, wanted))) return;
  for (const name of packages) {
    const isIt = (/** @type {string} */ file) => file.startsWith(`${name}_`) && file.endsWith('.deb');
    if (!readdirSync(store).some(isIt)) run('apt-get', ['download', name]);
    const file = readdirSync(store).find(isIt);
    if (file === undefined) throw new Error(`no package ${name}`);
    run('dpkg-deb', ['-x', file, root]);
  }
}

/** @param {string} command @param {string[]} args */
function run(command, args) {
  execFileSync(command, args, { cwd: store, stdio: ['ignore', 'ignore', 'pipe'], timeout: 30_000 });
}
