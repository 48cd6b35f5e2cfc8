/** The programs of a page of the documentation, in a package that has installed ours: type-checked, and run. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Outcome, root, runNode } from './run-node.ts';

const compilerOptions = {
  module: 'nodenext',
  target: 'es2023',
  strict: true,
  noImplicitAny: false,
  allowJs: true,
  checkJs: true,
  noEmit: true,
  skipLibCheck: true,
  types: ['node'],
  typeRoots: [join(root, 'node_modules/@types')],
};

export class Page {
  readonly text: string;
  /** Its blocks of JavaScript, in order. */
  readonly programs: readonly string[];
  #folder = '';

  /** @param path from the root of the repository */
  constructor(path: string) {
    this.text = readFileSync(join(root, path), 'utf8');
    this.programs = [...this.text.matchAll(/^```js\n(.*?)^```$/gms)].map(([, text = '']) => text);
  }

  /** Writes the programs down. @param port where they find a server, in place of 2525 */
  install(port: number): void {
    this.#folder = mkdtempSync(join(tmpdir(), 'smtpump-page-'));
    mkdirSync(join(this.#folder, 'node_modules'));
    symlinkSync(root, join(this.#folder, 'node_modules', 'smtpump'));
    this.programs.forEach((text, i) => {
      writeFileSync(join(this.#folder, `${i}.mjs`), text.replaceAll('2525', String(port)));
    });
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  /** Runs the program of that number, from 0. */
  run(i: number): Promise<Outcome> {
    return runNode([`${i}.mjs`], { cwd: this.#folder });
  }

  /** Runs a variant of one. */
  runText(name: string, text: string): Promise<Outcome> {
    writeFileSync(join(this.#folder, `${name}.mjs`), text);
    return runNode([`${name}.mjs`], { cwd: this.#folder });
  }

  /** What the compiler says of the programs, against the published types; '' where they fit. */
  async typeErrors(): Promise<string> {
    writeFileSync(
      join(this.#folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['*.mjs'] }),
    );
    const compiler = join(root, 'node_modules/typescript/bin/tsc');
    const { stdout } = await promisify(execFile)(process.execPath, [compiler, '-p', this.#folder]).catch(
      (error) => error,
    );
    return stdout;
  }
}
