// @ts-check
/** Modules that the package does not export, built for a measurement of their own. */
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

const root = new URL('..', import.meta.url);
const folder = new URL('.tmp/inside/', root);

/**
 * @returns {Promise<{
 *   charts: typeof import('../src/core/charts.ts'),
 *   ledger: typeof import('../src/core/ledger.ts'),
 *   machines: typeof import('../machines/index.ts'),
 * }>}
 */
export async function inside() {
  await build({
    cwd: fileURLToPath(root),
    input: {
      charts: './src/core/charts.ts',
      ledger: './src/core/ledger.ts',
      machines: './machines/index.ts',
    },
    platform: 'node',
    external: /^[^./]/,
    output: { dir: fileURLToPath(folder) },
  });
  const load = (/** @type {string} */ name) => import(new URL(`${name}.js`, folder).href);
  return { charts: await load('charts'), ledger: await load('ledger'), machines: await load('machines') };
}
