/**
 * One login: which mechanisms are left, which one runs, what it says next. The charts decide when; the mechanisms in
 * `sasl/` decide what. It knows no ledger and no reply.
 */
import { asError } from '../errors.ts';
import { decodeBase64 } from '../sasl/base64.ts';
import { choose } from '../sasl/choose.ts';
import { createMechanism } from '../sasl/create.ts';
import { holdings } from '../sasl/credentials.ts';
import type { Mechanism } from '../sasl/mechanism.ts';
import type { Secret } from '../sasl/secret.ts';
import type { ChannelBinding } from '../transport/transport.ts';
import { type Command, commands, initialResponseFits } from '../wire/command.ts';
import type { ConnectionSettings, Login } from './settings.ts';

/** No mechanism here needs more than four; a server that asks on and on is given up (S5). */
const challengeLimit = 16;

export class LoginAttempt {
  readonly #settings: ConnectionSettings;
  readonly #login: Login;
  readonly #binding: ChannelBinding | undefined;
  readonly #plusOffered: boolean;
  readonly #secure: boolean;
  #left: string[];
  #mechanism: Mechanism | undefined;
  /** An initial response too long for the AUTH line goes after the 334 (RFC 4954 §4). */
  #held: Uint8Array | undefined;
  #challenges = 0;
  token: Secret | undefined;
  /** What went wrong last, without secrets. */
  error: Error | undefined;

  constructor(
    settings: ConnectionSettings,
    login: Login,
    offered: readonly string[],
    secure: boolean,
    binding: ChannelBinding | undefined,
  ) {
    this.#settings = settings;
    this.#login = login;
    this.#binding = binding;
    this.#secure = secure;
    this.#plusOffered = offered.some((name) => name.toUpperCase().endsWith('-PLUS'));
    this.#left = choose(offered, holdings(login.credentials, login.token !== undefined), {
      secure,
      allowPlaintext: login.allowPlaintext,
      binding: binding?.type,
    });
  }

  /** No mechanism may run, whatever the server offers. */
  get barred(): boolean {
    return !(this.#secure || this.#login.allowPlaintext);
  }

  /** Is another mechanism left to try? */
  get more(): boolean {
    return this.#left.length > 0;
  }

  get mechanism(): string | undefined {
    return this.#mechanism?.name;
  }

  /** Begins the next mechanism. Throws SaslError where the credentials cannot serve it. */
  begin(): Command {
    const name = this.#left.shift() ?? '';
    const { target, random } = this.#settings;
    const credentials = { ...this.#login.credentials, token: this.token ?? this.#login.credentials.token };
    this.#challenges = 0;
    this.#held = undefined;
    this.#mechanism = createMechanism(name, credentials, {
      random,
      host: target.host,
      port: target.port,
      binding: this.#binding,
      plusOffered: this.#plusOffered,
    });
    const initial = this.#mechanism.start();
    if (initial === undefined || initialResponseFits(name, initial)) return commands.auth(name, initial);
    this.#held = initial;
    return commands.auth(name);
  }

  /** The answer to a 334's text, or undefined where the exchange must be cancelled: then `error` says why. */
  answer(challenge: string): Command | undefined {
    try {
      if (++this.#challenges > challengeLimit) throw new Error('the server asks without end');
      const held = this.#held;
      this.#held = undefined;
      if (held !== undefined) return commands.authResponse(held);
      return (
        this.#mechanism && commands.authResponse(this.#mechanism.respond(decodeBase64(challenge.trim())))
      );
    } catch (error) {
      this.error = asError(error);
      return undefined;
    }
  }

  /** The server accepted. Has it proved itself, where the mechanism asks for that? If not, `error` says why. */
  accept(): boolean {
    try {
      this.#mechanism?.finish();
      return true;
    } catch (error) {
      this.error = asError(error);
      return false;
    }
  }
}
