/** CRAM-MD5 (RFC 2195): a keyed digest of the server's challenge. It proves the client only. */
import { createHmac } from 'node:crypto';
import { type Mechanism, SaslError, utf8 } from './mechanism.ts';
import type { Secret } from './secret.ts';

export class CramMd5 implements Mechanism {
  readonly name = 'CRAM-MD5';
  readonly #user: string;
  readonly #password: Secret;
  #done = false;

  constructor(user: string, password: Secret) {
    this.#user = user;
    this.#password = password;
  }

  start(): undefined {
    return undefined;
  }

  respond(challenge: Uint8Array): Uint8Array {
    if (this.#done) throw new SaslError('CRAM-MD5: the server asks a second time');
    // A digest of nothing is the same for ever, and so as good as the password.
    if (challenge.length === 0) throw new SaslError('CRAM-MD5: the challenge is empty');
    this.#done = true;
    const digest = createHmac('md5', this.#password.reveal()).update(challenge).digest('hex');
    return utf8(`${this.#user} ${digest}`);
  }

  finish(): void {
    if (!this.#done) throw new SaslError('CRAM-MD5: the server accepted before it asked');
  }
}
