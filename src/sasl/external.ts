/** EXTERNAL (RFC 4422, appendix A): the identity comes from the TLS client certificate, or is given here. */
import { type Mechanism, SaslError, utf8 } from './mechanism.ts';

export class External implements Mechanism {
  readonly name = 'EXTERNAL';
  readonly #authzid: string;

  /** Without an identity the server takes the certificate's own. */
  constructor(authzid: string | undefined) {
    this.#authzid = authzid ?? '';
  }

  start(): Uint8Array {
    return utf8(this.#authzid);
  }

  respond(): Uint8Array {
    throw new SaslError('EXTERNAL: the server asks for more than there is');
  }

  finish(): void {}
}
