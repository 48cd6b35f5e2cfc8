/**
 * Every behaviour and every protection that this version promises is named in the title of some test: the ids of
 * the Treck client (TK…) and of the security rules (S…). Ids that are not here belong to parts not built yet.
 */
import type { ESTree } from 'rolldown/utils';
import { expect, test } from 'vitest';
import { dotted, sourcesIn } from './support/source.ts';

/** `1, 9–49` with TK is TK01, TK09, … TK49. */
function ids(prefix: string, width: number, ranges: string): readonly string[] {
  return ranges.split(', ').flatMap((range) => {
    const [from = 0, to = from] = range.split('–').map(Number);
    return Array.from(
      { length: to - from + 1 },
      (_, i) => `${prefix}${String(from + i).padStart(width, '0')}`,
    );
  });
}

const text = (node: ESTree.Node): string => {
  if (node.type === 'TemplateLiteral') return node.quasis.map((part) => part.value.raw).join(' ');
  return node.type === 'Literal' ? String(node.value) : '';
};

/** Titles, the rows of `.each` (which go into titles), and what tables call `title` or `name`. */
function titles(): string {
  const found: string[] = [];
  for (const source of sourcesIn('test')) {
    source.visit({
      CallExpression(node) {
        const [first] = node.arguments;
        if (first === undefined || !/^(?:test|it|describe)(?:\.|$)/.test(dotted(node.callee))) return;
        if (/\.(?:each|for)$/.test(dotted(node.callee)))
          found.push(source.text.slice(first.start, first.end));
        else found.push(text(first));
      },
      Property(node) {
        if (node.key.type === 'Identifier' && /^(?:title|name)$/.test(node.key.name))
          found.push(text(node.value));
      },
    });
  }
  return found.join('\n');
}

const named = new Set(titles().match(/\b(?:TK|S)\d+\b/g));

test.each([
  ['behaviours of the Treck client', ids('TK', 2, '1–71')],
  ['security rules', ids('S', 1, '1–15, 17–20')],
])('a test is named for each of the %s', (_, wanted) => {
  const missing = wanted.filter((id) => !named.has(id));
  expect(missing, `no title of a test names ${missing.join(' ')}`).toEqual([]);
});
