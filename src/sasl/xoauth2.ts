/**
 * XOAUTH2 (Google's and Microsoft's): a bearer token. A challenge is the report of a failure; it is answered with
 * nothing, and then the server gives its 535.
 */
import { type Mechanism, SaslError, utf8 } from './mechanism.ts';
import type { Secret } from './secret.ts';

export class XOAuth2 implements Mechanism {
  readonly name = 'XOAUTH2';
  readonly #user: string;
  readonly #token: Secret;
  #failed = false;

  constructor(user: string, token: Secret) {
    this.#user = user;
    this.#token = token;
  }

  start(): Uint8Array {
    return utf8(`user=${this.#user}\x01auth=Bearer ${this.#token.reveal()}\x01\x01`);
  }

  respond(): Uint8Array {
    if (this.#failed) throw new SaslError('XOAUTH2: the server asks a second time');
    this.#failed = true;
    return new Uint8Array();
  }

  finish(): void {
    if (this.#failed) throw new SaslError('XOAUTH2: the server accepted after it reported a failure');
  }
}
