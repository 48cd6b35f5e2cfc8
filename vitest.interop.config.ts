/** Tests against real servers: `npm run test:interop`. Needs what test/interop/servers.sh needs. */
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

const merged = mergeConfig(
  base,
  defineConfig({
    test: { globalSetup: ['test/interop/setup.ts'], testTimeout: 30_000, hookTimeout: 180_000 },
  }),
);

// lists are joined by a merge, and the base leaves these tests out
export default { ...merged, test: { ...merged.test, include: ['test/interop/**/*.test.ts'], exclude: [] } };
