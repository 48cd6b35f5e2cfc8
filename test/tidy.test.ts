/** The rules of the house that no compiler and no linter knows. Each exception stands here with its reason. */
import { describe, expect, test } from 'vitest';
import { dotted, exists, read, type Source, sourcesIn } from './support/source.ts';

const library = sourcesIn('machines', 'src');
const tests = sourcesIn('test');
const all = [...library, ...tests, ...sourcesIn('bench', 'examples', '.ci')];

/** `src/core/ledger.ts` is of the layer `core`, `src/clock.ts` of `clock`, `machines/mail.ts` of `machines`. */
const layerOf = (path: string): string => path.replace(/^src\//, '').split(/[/.]/)[0] ?? '';

const sourceOf = new Map([...library, ...tests].map((source) => [source.path, source]));

describe('who may import whom', () => {
  const pure = ['errors', 'json', 'checks', 'wire', 'sasl', 'message', 'transport', 'clock'];
  const core = ['machines', ...pure];
  const client = [...core, 'core', 'options'];
  const above = [...client, 'client'];
  const may: Readonly<Record<string, readonly string[]>> = {
    machines: [],
    wakes: [],
    clock: ['wakes'],
    errors: ['wire'], // the type of a reply
    wire: ['errors'],
    json: ['errors', 'wire'],
    checks: ['errors', 'wire'],
    message: ['errors', 'wire'],
    transport: ['errors', 'json', 'clock', 'checks'],
    sasl: ['errors', 'wire', 'checks', 'transport'],
    testing: ['wakes', 'clock', 'json', 'checks', 'transport'],
    core,
    options: [...core, 'core'],
    client,
    promises: above,
    blocking: above,
    treck: [...above, 'blocking'],
    session: above,
    sendmail: [...above, 'promises', 'blocking', 'treck', 'session'],
    index: above,
  };

  test('each layer imports only what is below it', () => {
    const wrong = library.flatMap((source) => {
      const layer = layerOf(source.path);
      return source.imports
        .filter((one) => one.relative)
        .map((one) => layerOf(one.from))
        .filter((to) => to !== layer && may[layer]?.includes(to) !== true)
        .map((to) => `${source.path} (${layer}) imports of ${to}`);
    });
    expect(wrong).toEqual([]);
  });

  test('the charts import xstate and each other', () => {
    const modules = library
      .filter((source) => layerOf(source.path) === 'machines')
      .flatMap((source) => source.imports.filter((one) => !one.relative));
    expect([...new Set(modules.map((one) => one.from))]).toEqual(['xstate']);
  });

  test('only transports open sockets', () => {
    const opens = /^node:(?:net|tls|dns|dgram|http|https|http2|worker_threads|child_process)(?:\/|$)/;
    const wrong = library
      .filter((source) => !['transport', 'sendmail'].includes(layerOf(source.path)))
      .flatMap((source) =>
        source.imports
          .filter((one) => opens.test(one.from) && !one.typeOnly)
          .filter((one) => !one.names.every((name) => /^isIP(?:v[46])?$/.test(name)))
          .map((one) => `${source.path} imports ${one.from}`),
      );
    expect(wrong).toEqual([]);
  });
});

describe('time and chance come from outside', () => {
  const allowed = (path: string): boolean =>
    path === 'src/clock.ts' || path === 'src/client/driver.ts' || path.startsWith('src/transport/');
  const calls = /^(?:Date\.now|Math\.random|performance\.now|process\.(?:hrtime|uptime)(?:\.bigint)?)$/;
  const timers = /^(?:globalThis\.)?(?:setTimeout|setInterval|setImmediate)$/;
  const chance = /^(?:get)?random/i;
  const inside = library.filter((source) => !allowed(source.path));

  test('no clock, timer or source of chance is called', () => {
    const wrong: string[] = [];
    for (const source of inside) {
      source.visit({
        CallExpression(node) {
          const name = dotted(node.callee);
          const last = name.split('.').at(-1) ?? '';
          const isChance = last === name || name.startsWith('crypto.') ? chance.test(last) : false;
          if (calls.test(name) || timers.test(name) || isChance) wrong.push(`${source.at(node)} ${name}()`);
        },
        NewExpression(node) {
          if (dotted(node.callee) === 'Date' && node.arguments.length === 0)
            wrong.push(`${source.at(node)} new Date()`);
        },
      });
    }
    // a parameter of that name is the caller's
    expect(wrong.filter((one) => !one.endsWith(' random()'))).toEqual([]);
  });

  test('nor imported', () => {
    const wrong = inside.flatMap((source) =>
      source.imports
        .filter((one) => !one.typeOnly)
        .flatMap((one) =>
          one.names
            .filter((name) =>
              one.from === 'node:crypto'
                ? chance.test(name) || name === '*' || name === 'webcrypto'
                : /^node:(?:timers|perf_hooks)/.test(one.from),
            )
            .map((name) => `${source.path} imports ${name} of ${one.from}`),
        ),
    );
    expect(wrong).toEqual([]);
  });
});

describe('files', () => {
  const most = 300;
  /** Longer than the rule. A number here may only go down, and the line has to go when the file fits. */
  const tooLong: Readonly<Record<string, number>> = {};

  test.each(library.map((source) => [source.path, source] as const))('%s', (path, source) => {
    expect(source.text, 'begins with a doc comment').toMatch(/^(?:#!.*\n)?\/\*\*/);
    const limit = tooLong[path];
    if (limit === undefined) expect(source.lines, 'lines').toBeLessThan(most);
    else {
      expect(source.lines, 'lines, as long as it is listed as too long').toBeLessThanOrEqual(limit);
      expect(source.lines, 'fits: take it off the list').toBeGreaterThanOrEqual(most);
    }
  });

  test('the list of long files names only files that are there', () => {
    expect(Object.keys(tooLong).filter((path) => !sourceOf.has(path))).toEqual([]);
  });
});

describe('types', () => {
  test('no any', () => {
    const wrong: string[] = [];
    for (const source of all) source.visit({ TSAnyKeyword: (node) => void wrong.push(source.at(node)) });
    expect(wrong).toEqual([]);
  });

  /** How often, and why. */
  const casts: Readonly<Record<string, number>> = {
    'src/core/charts.ts': 1, // a type of `Plain` is the whole word
  };

  test('no `as unknown as`', () => {
    const counts: Record<string, number> = {};
    for (const source of all) {
      source.visit({
        TSAsExpression(node) {
          const { expression: inner } = node;
          if (inner.type === 'TSAsExpression' && inner.typeAnnotation.type === 'TSUnknownKeyword')
            counts[source.path] = (counts[source.path] ?? 0) + 1;
        },
      });
    }
    expect(counts).toEqual(casts);
  });
});

describe('tests', () => {
  test('none is `.only`', () => {
    const wrong: string[] = [];
    for (const source of tests) {
      source.visit({
        MemberExpression(node) {
          if (/^(?:test|it|describe|bench|suite)\.(?:.*\.)?only$/.test(dotted(node)))
            wrong.push(source.at(node));
        },
      });
    }
    expect(wrong).toEqual([]);
  });

  /** They read the project, or run it, in place of importing it. */
  const readers = [
    'test/save/fields.test.ts',
    'test/tidy.test.ts',
    'test/ids.test.ts',
    'test/package/package.test.ts',
    'test/examples/examples.test.ts',
    'test/examples/firmware.test.ts',
  ];

  test('each imports something of the project', () => {
    const reaches = (source: Source, seen = new Set<string>()): boolean =>
      source.imports.some(({ from }) => {
        if (/^(?:src|machines)\/|^smtpump(?:\/|$)/.test(from)) return true;
        const helper = sourceOf.get(from);
        if (helper === undefined || seen.has(from)) return false;
        seen.add(from);
        return reaches(helper, seen);
      });
    const wrong = tests
      .filter((source) => source.path.endsWith('.test.ts') && !readers.includes(source.path))
      .filter((source) => !reaches(source));
    expect(wrong.map((source) => source.path)).toEqual([]);
  });

  /** What runs on a clock that is not ours. */
  const sleepers: Readonly<Record<string, string>> = {
    'test/interop/maildir.ts': 'a real server delivers when it likes',
    'test/interop/servers/probe.mjs': 'a real server starts when it likes',
  };

  test('none sleeps', () => {
    const found = new Set<string>();
    for (const source of tests) {
      if (source.imports.some(({ from }) => from === 'node:timers/promises')) found.add(source.path);
      source.visit({
        CallExpression(node) {
          const [first] = node.arguments;
          if (dotted(node.callee) === 'setTimeout' && first?.type === 'Identifier') found.add(source.path);
        },
      });
    }
    expect([...found].sort()).toEqual(Object.keys(sleepers).sort());
  });
});

describe('package.json', () => {
  const manifest = JSON.parse(read('package.json')) as {
    dependencies: Record<string, string>;
    exports: Record<string, string | { types: string; default: string }>;
  };
  const entries = Object.entries(manifest.exports).flatMap(([name, target]) =>
    typeof target === 'string' ? [] : [{ name, ...target }],
  );
  /** `./dist/types/src/index.d.ts` declares what stands in `src/index.ts`. */
  const sourceFile = (declarations: string): string =>
    declarations.replace(/^\.\/dist\/types\//, '').replace(/\.d\.ts$/, '.ts');

  test('the dependencies are what is imported, no more and no less', () => {
    const modules = library.flatMap((source) =>
      source.imports.filter((one) => !one.relative && !one.from.startsWith('node:')),
    );
    // of `@a/b/c` the package is `@a/b`, of `a/b` it is `a`
    const names = modules.map(({ from }) => /^(?:@[^/]+\/)?[^/]+/.exec(from)?.[0] ?? from);
    expect([...new Set(names)].sort()).toEqual(Object.keys(manifest.dependencies).sort());
  });

  test.skipIf(!exists('README.md'))('the README names every dependency', () => {
    const readme = exists('README.md') ? read('README.md') : '';
    expect(Object.keys(manifest.dependencies).filter((name) => !readme.includes(name))).toEqual([]);
  });

  test.each(entries)('$name is a file that the build makes', (entry) => {
    expect(entry.default).toMatch(/^\.\/dist\/[a-z]+\.js$/);
    expect(entry.types).toMatch(/^\.\/dist\/types\/(?:src|machines)\/.*\.d\.ts$/);
    expect(sourceOf.has(sourceFile(entry.types))).toBe(true);
  });

  test('the compiler and the test runner find each entry in the sources', () => {
    const compiler = JSON.parse(read('tsconfig.json')) as { compilerOptions: { paths: object } };
    const expected = entries.map(({ name, types }) => [
      name.replace('.', 'smtpump'),
      [`./${sourceFile(types)}`],
    ]);
    expect(compiler.compilerOptions.paths).toEqual(Object.fromEntries(expected));
    const runner = read('vitest.config.ts');
    expect(entries.filter(({ types }) => !runner.includes(`'${sourceFile(types)}'`))).toEqual([]);
  });
});
