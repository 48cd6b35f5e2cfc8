/** Reads the project's own sources, for the tests about how it is built. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ESTree, parseSync, Visitor, type VisitorObject } from 'rolldown/utils';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** @param path from the root of the repository */
export const read = (path: string): string => readFileSync(root + path, 'utf8');

export const exists = (path: string): boolean => existsSync(root + path);

export interface Import {
  /** A path from the root of the repository, or the name of a module. */
  readonly from: string;
  readonly relative: boolean;
  readonly typeOnly: boolean;
  readonly names: readonly string[];
}

export class Source {
  readonly path: string;
  readonly text: string;
  #program: ESTree.Program | undefined;
  #imports: readonly Import[] | undefined;

  constructor(path: string) {
    this.path = path;
    this.text = read(path);
  }

  get lines(): number {
    return this.text.split('\n').length - 1;
  }

  get imports(): readonly Import[] {
    this.#imports ??= this.#findImports();
    return this.#imports;
  }

  visit(visitor: VisitorObject): void {
    this.#program ??= parseSync(this.path, this.text).program;
    new Visitor(visitor).visit(this.#program);
  }

  /** `path:line`, for a message. */
  at(node: { readonly start: number }): string {
    return `${this.path}:${this.text.slice(0, node.start).split('\n').length}`;
  }

  #findImports(): readonly Import[] {
    const found: Import[] = [];
    const add = (from: string, typeOnly: boolean, names: readonly string[]): void => {
      const relative = from.startsWith('.');
      found.push({
        from: relative ? posix.join(posix.dirname(this.path), from) : from,
        relative,
        typeOnly,
        names,
      });
    };
    this.visit({
      ImportDeclaration(node) {
        const names = node.specifiers.map((one) =>
          one.type === 'ImportSpecifier' ? nameOf(one.imported) : '*',
        );
        add(node.source.value, node.importKind === 'type', names);
      },
      ExportNamedDeclaration(node) {
        if (node.source === null) return;
        const names = node.specifiers.map((one) => nameOf(one.local));
        add(node.source.value, node.exportKind === 'type', names);
      },
      ExportAllDeclaration(node) {
        add(node.source.value, node.exportKind === 'type', ['*']);
      },
      ImportExpression(node) {
        if (node.source.type === 'Literal') add(String(node.source.value), false, ['*']);
      },
    });
    return found;
  }
}

/** All sources below some folders. */
export function sourcesIn(...folders: readonly string[]): readonly Source[] {
  return folders.filter(exists).flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.m?[jt]s$/.test(name))
      .sort()
      .map((name) => new Source(posix.join(folder, name))),
  );
}

/** `a.b.c` for such an expression, through calls: `test.each(rows)` is `test.each`. Else ''. */
export function dotted(node: ESTree.Node): string {
  switch (node.type) {
    case 'Identifier':
      return node.name;
    case 'CallExpression':
      return dotted(node.callee);
    case 'TaggedTemplateExpression':
      return dotted(node.tag);
    case 'MemberExpression':
      return node.property.type === 'Identifier' && !node.computed
        ? `${dotted(node.object)}.${node.property.name}`
        : '';
    default:
      return '';
  }
}

const nameOf = (node: ESTree.ModuleExportName): string => (node.type === 'Literal' ? node.value : node.name);
