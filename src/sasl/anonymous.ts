/** ANONYMOUS (RFC 4505): a trace for the server's log, or nothing. */
import { type Mechanism, SaslError, utf8 } from './mechanism.ts';

/** Characters, RFC 4505 §2. */
const traceLimit = 255;

export class Anonymous implements Mechanism {
  readonly name = 'ANONYMOUS';
  readonly #trace: string;

  constructor(trace = '') {
    if ([...trace].length > traceLimit)
      throw new SaslError(`ANONYMOUS: a trace over ${traceLimit} characters`);
    this.#trace = trace;
  }

  start(): Uint8Array {
    return utf8(this.#trace);
  }

  respond(): Uint8Array {
    throw new SaslError('ANONYMOUS: the server asks for more than there is');
  }

  finish(): void {}
}
