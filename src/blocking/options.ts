/**
 * The options of a blocking client: those of the step client, but for what only Node's event loop could do.
 */
import { checkObject } from '../checks.ts';
import { SmtpUsageError } from '../errors.ts';
import type { SmtpClientOptions, TargetOptions } from '../options.ts';
import type { AuthOptions } from '../sasl/credentials.ts';
import type { WaitingTransport } from '../transport/transport.ts';
import { worker } from '../transport/worker.ts';

export interface BlockingOptions extends Omit<SmtpClientOptions, 'pump' | 'transport'> {
  /** One that can be waited for. @default worker({ ref: false }): the program may end before it has disconnected */
  readonly transport?: WaitingTransport | undefined;
}

/** @throws SmtpUsageError EINVAL, naming the option */
export function checkBlocking(options: BlockingOptions): void {
  checkObject(options, 'options');
  if ('pump' in options) throw new SmtpUsageError('EINVAL', 'a blocking client turns its own pump', 'pump');
  const { transport } = options;
  if (transport !== undefined && typeof transport.wait !== 'function') {
    const text = 'it cannot be waited for: a blocking client needs worker(), or one in memory';
    throw new SmtpUsageError('EINVAL', text, 'transport');
  }
}

/** @default worker({ ref: false }) */
export function transportOf(options: BlockingOptions): WaitingTransport {
  return options.transport ?? worker({ ref: false });
}

/** The same options, with a token source that must answer at once. @param refuse hears why it did not */
export function withSynchronousToken<T extends TargetOptions>(
  options: T,
  refuse: (error: SmtpUsageError) => void,
): T {
  const { auth } = options;
  if (typeof auth !== 'object' || auth === null || typeof auth.token !== 'function') return options;
  const { token } = auth;
  const synchronous = (): string => {
    const answer = token();
    if (typeof answer === 'string') return answer;
    const text = 'a blocking client needs a source that returns the token itself, not a promise of it';
    const error = new SmtpUsageError('EINVAL', text, 'auth.token');
    refuse(error);
    throw error;
  };
  const synchronousAuth: AuthOptions = { ...auth, token: synchronous };
  return { ...options, auth: synchronousAuth };
}
