/**
 * LOGIN (draft-murchison-sasl-login): the user for the first challenge, the password for the second. The prompts
 * differ from server to server and are not read.
 */
import { type Mechanism, SaslError, utf8 } from './mechanism.ts';
import type { Secret } from './secret.ts';

export class Login implements Mechanism {
  readonly name = 'LOGIN';
  readonly #user: string;
  readonly #password: Secret;
  #asked = 0;

  constructor(user: string, password: Secret) {
    this.#user = user;
    this.#password = password;
  }

  start(): undefined {
    return undefined;
  }

  respond(): Uint8Array {
    this.#asked += 1;
    if (this.#asked === 1) return utf8(this.#user);
    if (this.#asked === 2) return utf8(this.#password.reveal());
    throw new SaslError('LOGIN: the server asks a third time');
  }

  finish(): void {}
}
