/**
 * One login: which mechanisms are left, which one runs, what it says next. The charts decide when; the mechanisms in
 * `sasl/` decide what. It knows no ledger and no reply.
 */
import { asError, SmtpUsageError } from '../errors.ts';
import { decodeBase64 } from '../sasl/base64.ts';
import { choose } from '../sasl/choose.ts';
import { createMechanism } from '../sasl/create.ts';
import { holdings, sealToken } from '../sasl/credentials.ts';
import type { Mechanism } from '../sasl/mechanism.ts';
import type { Secret } from '../sasl/secret.ts';
import type { ChannelBinding } from '../transport/transport.ts';
import { type Command, commands, initialResponseFits } from '../wire/command.ts';
import type { ConnectionSettings, Login } from './settings.ts';

/** What one run of a mechanism was given. */
interface Try {
  readonly drawn: readonly Uint8Array[];
  readonly challenges: string[];
}

export interface Saved {
  readonly left: readonly string[];
  readonly tries: readonly Try[];
  readonly error: Error | undefined;
  readonly mechanism: string | undefined;
  /** The token was asked for, and came. */
  readonly fetched: boolean;
}

export class LoginAttempt {
  readonly #settings: ConnectionSettings;
  readonly #login: Login;
  readonly #binding: ChannelBinding | undefined;
  readonly #offered: readonly string[];
  readonly #plusOffered: boolean;
  readonly #secure: boolean;
  #left: string[];
  #mechanism: Mechanism | undefined;
  /** An initial response too long for the AUTH line goes after the 334 (RFC 4954 §4). */
  #held: Uint8Array | undefined;
  /** What each mechanism was begun and went on with, so that it can be run again. */
  #tries: Try[] = [];
  /** What is to be run again, before anything is asked of a mechanism. */
  #saved: Saved | undefined;
  /** Every line with secrets in it. */
  readonly #said: Command[] = [];
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
    this.#offered = offered;
    this.#left = this.#choose();
  }

  #choose(): string[] {
    const { credentials, token, allowPlaintext } = this.#login;
    const channel = { secure: this.#secure, allowPlaintext, binding: this.#binding?.type };
    return choose(this.#offered, holdings(credentials, token !== undefined), channel);
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
    return this.#mechanism?.name ?? this.#saved?.mechanism;
  }

  /** Begins the next mechanism. Throws SaslError where the credentials cannot serve it. */
  begin(): Command {
    this.revive();
    return this.#keep(this.#begin(this.#settings.random));
  }

  #begin(chance: ConnectionSettings['random']): Command {
    const drawn: Uint8Array[] = [];
    this.#tries.push({ drawn, challenges: [] });
    const random = (bytes: number): Uint8Array => {
      const octets = chance(bytes);
      drawn.push(octets);
      return octets;
    };
    const name = this.#left.shift() ?? '';
    const { target } = this.#settings;
    const credentials = { ...this.#login.credentials, token: this.token ?? this.#login.credentials.token };
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
    this.revive();
    try {
      this.#tries.at(-1)?.challenges.push(challenge);
      const held = this.#held;
      this.#held = undefined;
      if (held !== undefined) return this.#keep(commands.authResponse(held));
      if (this.#mechanism === undefined) return undefined;
      return this.#keep(commands.authResponse(this.#mechanism.respond(decodeBase64(challenge.trim()))));
    } catch (error) {
      this.error = asError(error);
      return undefined;
    }
  }

  #keep(command: Command): Command {
    if (command.masked) this.#said.push(command);
    return command;
  }

  // ── saved and restored: no secret is saved, so the mechanisms are run again with what they drew and were asked ──

  /** The line with secrets that was said last. */
  get lastSaid(): Command | undefined {
    this.revive();
    return this.#said.at(-1);
  }

  /** What must not be saved. */
  get secrets(): readonly Uint8Array[] {
    return this.#said.map(({ bytes }) => bytes);
  }

  save(): Saved {
    if (this.#saved !== undefined) return this.#saved;
    const { error, mechanism, token } = this;
    return { left: this.#left, tries: this.#tries, error, mechanism, fetched: token !== undefined };
  }

  load(saved: Saved): void {
    this.#saved = saved;
    this.#left = [...saved.left];
    this.error = saved.error;
  }

  /** Stands where the one stood that was saved. Throws SmtpUsageError EINVAL where the token is missing. */
  revive(): void {
    const saved = this.#saved;
    if (saved === undefined) return;
    this.#saved = undefined;
    this.#left = this.#choose();
    if (saved.fetched) this.token = tokenAgain(this.#login);
    for (const { drawn, challenges } of saved.tries) this.#tryAgain([...drawn], challenges);
    this.error = saved.error;
  }

  #tryAgain(drawn: Uint8Array[], challenges: readonly string[]): void {
    try {
      this.#keep(this.#begin((bytes) => drawn.shift() ?? new Uint8Array(bytes)));
    } catch {
      // as it was the first time: another mechanism followed
    }
    for (const challenge of challenges) this.answer(challenge);
  }

  /** The server accepted. Has it proved itself, where the mechanism asks for that? If not, `error` says why. */
  accept(): boolean {
    this.revive();
    try {
      this.#mechanism?.finish();
      return true;
    } catch (error) {
      this.error = asError(error);
      return false;
    }
  }
}

/** A token is no part of what is saved, and a mechanism that is run again does not wait for one. */
function tokenAgain({ token }: Login): Secret | undefined {
  const answer = token?.();
  if (answer === undefined) return undefined;
  if (typeof answer === 'string') return sealToken(answer, 'auth.token');
  answer.catch(() => {});
  const hint = 'give the token itself, or a function that returns it at once';
  throw new SmtpUsageError('EINVAL', `the login was under way: ${hint}`, 'auth.token');
}
