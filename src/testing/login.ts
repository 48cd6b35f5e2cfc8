/**
 * The login part of the polite server's dialogue: AUTH, the challenges and the client's answers (RFC 4954). The
 * mechanisms themselves are in sasl-server.ts.
 */
import { Random } from '../transport/random.ts';
import type { ChannelBinding } from '../transport/transport.ts';
import { type SaslServer, type ServerAuth, saslServer } from './sasl-server.ts';
import type { ServerCommand } from './script.ts';
import type { Step } from './step.ts';

export class Login {
  /** Who is logged in. */
  user: string | undefined;
  readonly #auth: ServerAuth | undefined;
  readonly #random: Random;
  #going: Exchange | undefined;
  /** What was tried, and is to be answered. */
  #tried: { readonly exchange: Exchange; readonly user: string | undefined } | undefined;

  constructor(auth: ServerAuth | undefined, random: Random) {
    this.#auth = auth;
    this.#random = random;
  }

  /** Is the next line an answer to a challenge? */
  get going(): boolean {
    return this.#going !== undefined;
  }

  start(given: ServerCommand, binding: ChannelBinding): Step {
    const [name = '', initial] = given.argument.split(' ');
    if (this.user !== undefined) return { command: given, reply: '503 5.5.1 you are in already' };
    // of its own, so that it can be run again
    const exchange = this.#begin(name, this.#random.fork().save(), binding);
    if (exchange === undefined) return { command: given, reply: '504 5.5.4 unknown mechanism' };
    return this.#step(given, exchange, initial);
  }

  response(given: ServerCommand): Step {
    if (this.#going !== undefined && given.line !== '*') return this.#step(given, this.#going, given.line);
    return { command: given, reply: '501 5.7.0 cancelled', deed: 'cancelLogin' };
  }

  act(deed: 'login' | 'cancelLogin', code: number): void {
    const tried = this.#tried;
    this.#tried = undefined;
    this.#going = deed === 'login' && code === 334 ? tried?.exchange : undefined;
    if (deed === 'login' && code === 235) this.user = tried?.user ?? 'somebody';
  }

  save() {
    const { name, chance, texts } = this.#tried?.exchange ?? this.#going ?? {};
    return {
      user: this.user,
      exchange: name && chance && texts && { name, chance, texts },
      isGoing: this.going,
      tried: this.#tried && { user: this.#tried.user },
    };
  }

  /** Runs the mechanism again with what it drew and heard. */
  load({ user, exchange, isGoing, tried }: ReturnType<Login['save']>, binding: ChannelBinding): void {
    this.user = user;
    if (!exchange) return;
    const again = this.#begin(exchange.name, exchange.chance, binding);
    if (again === undefined) return;
    for (const text of exchange.texts) again.next(text ?? undefined);
    if (isGoing) this.#going = again;
    if (tried !== undefined) this.#tried = { exchange: again, user: tried.user };
  }

  #begin(name: string, chance: readonly number[], binding: ChannelBinding): Exchange | undefined {
    const auth = this.#auth;
    const offered = auth?.mechanisms.some((mechanism) => mechanism.toUpperCase() === name.toUpperCase());
    const random = new Random();
    random.load(chance);
    const sasl = auth && offered ? saslServer(name, auth, random, binding) : undefined;
    return sasl && new Exchange(name, chance, sasl);
  }

  #step(given: ServerCommand, exchange: Exchange, text: string | undefined): Step {
    const outcome = exchange.next(text);
    const reply = 'challenge' in outcome ? `334 ${outcome.challenge}` : outcome.reply;
    this.#tried = { exchange, user: 'user' in outcome ? outcome.user : undefined };
    return { command: given, reply, deed: 'login' };
  }
}

/** One run of a mechanism, with all that decides how it goes. */
class Exchange {
  readonly name: string;
  readonly chance: readonly number[];
  /** null: no initial response. */
  readonly texts: (string | null)[] = [];
  readonly #sasl: SaslServer;

  constructor(name: string, chance: readonly number[], sasl: SaslServer) {
    this.name = name;
    this.chance = chance;
    this.#sasl = sasl;
  }

  next(text: string | undefined): ReturnType<SaslServer['next']> {
    this.texts.push(text ?? null);
    return this.#sasl.next(text);
  }
}
