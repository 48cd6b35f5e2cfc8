/**
 * A text that shows itself to nobody by accident: not in an error, an event, a snapshot, a log or a debugger's dump.
 * It must not know what it protects.
 */
import { inspect } from 'node:util';

const placeholder = '[secret]';

export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** For the mechanisms in this folder, and nobody else. */
  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return placeholder;
  }

  toJSON(): string {
    return placeholder;
  }

  static {
    // Not a method with a computed name: isolated declarations cannot describe one.
    Object.defineProperty(Secret.prototype, inspect.custom, { value: () => placeholder });
  }
}
