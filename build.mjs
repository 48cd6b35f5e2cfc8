// @ts-check
/**
 * The JavaScript of the package: a file for each entry of `exports`, one for the worker transport's thread, and what
 * they share beside them, so that a class is the same whichever entry it came by. A program that starts reads
 * eight files in place of 120. Dependencies stay outside; the declarations are tsc's (tsconfig.build.json).
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const root = new URL('.', import.meta.url);
/** @type {{ exports: Record<string, string | { types: string, default: string }> }} */
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'));

/** @type {Record<string, string>} */
const input = { thread: './src/transport/worker/thread.ts' };
for (const entry of Object.values(manifest.exports)) {
  if (typeof entry !== 'string') input[basename(entry.default, '.js')] = sourceOf(entry.types);
}

await build({
  cwd: fileURLToPath(root),
  input,
  platform: 'node',
  external: /^[^./]/,
  logLevel: 'warn',
  output: {
    dir: 'dist',
    // in the same folder: src/transport/worker/host.ts looks for the thread beside itself
    chunkFileNames: '[name].js',
    sourcemap: true,
    // the declarations have the documentation
    comments: { jsdoc: false },
  },
});

/** `./dist/types/src/index.d.ts` declares what stands in `src/index.ts`. @param {string} declarations */
function sourceOf(declarations) {
  return declarations.replace('/dist/types/', '/').replace(/\.d\.ts$/, '.ts');
}
