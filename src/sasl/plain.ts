/**
 * PLAIN (RFC 4616): everything in the initial response. It must not check what the check of credentials has
 * checked: no part holds NUL, which separates them.
 */
import { type Mechanism, SaslError, utf8 } from './mechanism.ts';
import type { Secret } from './secret.ts';

export class Plain implements Mechanism {
  readonly name = 'PLAIN';
  readonly #user: string;
  readonly #password: Secret;
  readonly #authzid: string;

  constructor(user: string, password: Secret, authzid: string | undefined) {
    this.#user = user;
    this.#password = password;
    this.#authzid = authzid ?? '';
  }

  start(): Uint8Array {
    return utf8(`${this.#authzid}\0${this.#user}\0${this.#password.reveal()}`);
  }

  respond(): Uint8Array {
    throw new SaslError('PLAIN: the server asks for more than there is');
  }

  finish(): void {}
}
