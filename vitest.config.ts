import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^smtpump\/promises$/, replacement: here('src/promises/index.ts') },
      { find: /^smtpump\/testing$/, replacement: here('src/testing/index.ts') },
      { find: /^smtpump\/blocking$/, replacement: here('src/blocking/index.ts') },
      { find: /^smtpump\/treck$/, replacement: here('src/treck/index.ts') },
      { find: /^smtpump\/machines$/, replacement: here('machines/index.ts') },
      { find: /^smtpump$/, replacement: here('src/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/interop/**', 'node_modules/**'],
    testTimeout: 30_000,
  },
});
