/**
 * One request for an access token to whoever the user named. The answer may come at once or much later; it is kept
 * until the pump asks for it. It knows no connection.
 */

import { asError } from '../errors.ts';
import { sealToken } from '../sasl/credentials.ts';
import type { Secret } from '../sasl/secret.ts';
import type { TokenSource } from './settings.ts';

export class TokenRequest {
  token: Secret | undefined;
  error: Error | undefined;
  /** The user's code has answered, or failed. */
  answered = false;

  /** `onAnswer` is called only for an answer that comes later. */
  constructor(source: TokenSource, onAnswer: () => void) {
    try {
      const answer = source();
      if (isThenable(answer)) {
        // a thenable of another kind may answer at once, twice, or throw
        Promise.resolve(answer)
          .then(
            (token) => this.#keep(token),
            (error) => this.#fail(error),
          )
          .finally(onAnswer);
      } else {
        this.#keep(answer);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  #keep(token: string): void {
    try {
      this.token = sealToken(token, 'auth.token');
    } catch (error) {
      this.error = asError(error);
    }
    this.answered = true;
  }

  #fail(error: unknown): void {
    this.error = asError(error);
    this.answered = true;
  }
}

function isThenable(answer: unknown): answer is PromiseLike<string> {
  return (
    typeof answer === 'object' && answer !== null && 'then' in answer && typeof answer.then === 'function'
  );
}
