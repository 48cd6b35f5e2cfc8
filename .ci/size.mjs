/**
 * How big is `import { SmtpClient } from 'smtpump'`, minified and gzipped? Our own code has a budget; what the
 * dependencies add is printed beside it. Bundles from the sources, so it needs no build.
 */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { rolldown } from 'rolldown';

/** Saving and restoring a client is in it, the search for line ends by vectors, and a check of every option by name. */
const budgetBytes = 44 * 1024;

/** @param {(id: string) => boolean} external what stays outside the bundle */
async function measure(external) {
  const entry = fileURLToPath(new URL('../src/index.ts', import.meta.url));
  const program = {
    name: 'program',
    resolveId: (/** @type {string} */ id) => (id === 'program' ? id : undefined),
    load: (/** @type {string} */ id) =>
      id === 'program' ? `export { SmtpClient } from ${JSON.stringify(entry)}` : undefined,
  };
  const bundle = await rolldown({
    input: 'program',
    plugins: [program],
    platform: 'node',
    external: (id) => id !== 'program' && external(id),
    logLevel: 'warn',
  });
  const { output } = await bundle.generate({ format: 'esm', minify: true });
  await bundle.close();
  const code = output.map((file) => (file.type === 'chunk' ? file.code : '')).join('');
  return { minified: Buffer.byteLength(code), gzipped: gzipSync(code, { level: 9 }).length };
}

const kib = (/** @type {number} */ bytes) => `${(bytes / 1024).toFixed(1).padStart(6)} KiB`;

const own = await measure((id) => !/^[./]/.test(id));
const all = await measure((id) => id.startsWith('node:'));
console.log(`own code             ${kib(own.minified)} minified  ${kib(own.gzipped)} gzipped`);
console.log(`with dependencies    ${kib(all.minified)} minified  ${kib(all.gzipped)} gzipped`);
console.log(`budget for own code                       ${kib(budgetBytes)} gzipped`);
if (own.gzipped > budgetBytes) {
  console.error(
    `Too big by ${own.gzipped - budgetBytes} bytes: make it smaller, or raise the budget and say why.`,
  );
  process.exitCode = 1;
}
