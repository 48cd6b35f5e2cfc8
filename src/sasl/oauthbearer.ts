/**
 * OAUTHBEARER (RFC 7628): a bearer token, with the server's name. A challenge is the report of a failure; it is
 * answered with one 0x01 (§3.2.3), and then the server gives its 535.
 */
import { findRefused } from '../wire/characters.ts';
import { gs2Header } from './gs2.ts';
import { type Mechanism, type MechanismContext, SaslError, utf8 } from './mechanism.ts';
import type { Secret } from './secret.ts';

export class OAuthBearer implements Mechanism {
  readonly name = 'OAUTHBEARER';
  readonly #user: string;
  readonly #token: Secret;
  readonly #server: string;
  #failed = false;

  constructor(user: string, token: Secret, { host, port }: Pick<MechanismContext, 'host' | 'port'>) {
    if (findRefused(host) >= 0) throw new SaslError('OAUTHBEARER: the host holds a control character');
    this.#user = user;
    this.#token = token;
    this.#server = `host=${host}\x01port=${port}\x01`;
  }

  start(): Uint8Array {
    const header = gs2Header('n', this.#user);
    return utf8(`${header}\x01${this.#server}auth=Bearer ${this.#token.reveal()}\x01\x01`);
  }

  respond(): Uint8Array {
    if (this.#failed) throw new SaslError('OAUTHBEARER: the server asks a second time');
    this.#failed = true;
    return Uint8Array.of(1);
  }

  finish(): void {
    if (this.#failed) throw new SaslError('OAUTHBEARER: the server accepted after it reported a failure');
  }
}
