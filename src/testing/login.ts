/**
 * The login part of the polite server's dialogue: AUTH, the challenges and the client's answers (RFC 4954). The
 * mechanisms themselves are in sasl-server.ts.
 */
import type { Random } from '../transport/random.ts';
import type { ChannelBinding } from '../transport/transport.ts';
import type { Step } from './dialogue.ts';
import { type SaslServer, type ServerAuth, saslServer } from './sasl-server.ts';
import type { ServerCommand } from './script.ts';

export class Login {
  /** Who is logged in. */
  user: string | undefined;
  readonly #auth: ServerAuth | undefined;
  readonly #random: Random;
  #sasl: SaslServer | undefined;

  constructor(auth: ServerAuth | undefined, random: Random) {
    this.#auth = auth;
    this.#random = random;
  }

  /** Is the next line an answer to a challenge? */
  get going(): boolean {
    return this.#sasl !== undefined;
  }

  start(given: ServerCommand, binding: ChannelBinding): Step {
    const [name = '', initial] = given.argument.split(' ');
    const auth = this.#auth;
    if (this.user !== undefined) return { command: given, reply: '503 5.5.1 you are in already' };
    const offered = auth?.mechanisms.some((mechanism) => mechanism.toUpperCase() === name.toUpperCase());
    const sasl = auth && offered ? saslServer(name, auth, this.#random, binding) : undefined;
    if (sasl === undefined) return { command: given, reply: '504 5.5.4 unknown mechanism' };
    return this.#step(given, sasl, initial);
  }

  response(given: ServerCommand): Step {
    if (this.#sasl !== undefined && given.line !== '*') return this.#step(given, this.#sasl, given.line);
    return {
      command: given,
      reply: '501 5.7.0 cancelled',
      act: () => {
        this.#sasl = undefined;
      },
    };
  }

  #step(given: ServerCommand, sasl: SaslServer, text: string | undefined): Step {
    const outcome = sasl.next(text);
    const reply = 'challenge' in outcome ? `334 ${outcome.challenge}` : outcome.reply;
    const act = (code: number): void => {
      this.#sasl = code === 334 ? sasl : undefined;
      if (code === 235) this.user = 'user' in outcome ? outcome.user : 'somebody';
    };
    return { command: given, reply, act };
  }
}
