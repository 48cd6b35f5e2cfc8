/**
 * What matters only while a connection opens, and is forgotten with it: our name, what the server said of itself, the
 * login. A new one for each connection. The chart decides what happens; this knows with what.
 */
import type { ConnectionWord } from '../../machines/vocabulary.ts';
import { asError } from '../errors.ts';
import type { TlsInfo } from '../transport/transport.ts';
import { addressLiteral } from '../wire/address.ts';
import { type Capabilities, noCapabilities, parseCapabilities } from '../wire/capabilities.ts';
import { type Command, commands } from '../wire/command.ts';
import type { Reply } from '../wire/reply.ts';
import { connectionChart, connectionWords as words } from './charts.ts';
import { LoginAttempt } from './login.ts';
import type { ConnectionSettings } from './settings.ts';
import { TokenRequest } from './token.ts';
import type { Word } from './walk.ts';

export class Opening {
  /** The reply to EHLO or HELO that stands. */
  hello: Reply | undefined;
  /** What the server offers, on this line as it is now. */
  offered: Capabilities = noCapabilities;
  /** Our end of the line. */
  localAddress: string | undefined;
  login: LoginAttempt | undefined;
  readonly #settings: ConnectionSettings;
  #token: TokenRequest | undefined;
  /** The line as it was when the server said what it offers: a login goes by that. */
  #tls: TlsInfo | undefined;
  #response: Command | undefined;

  constructor(settings: ConnectionSettings) {
    this.#settings = settings;
  }

  /** A token has come in and was not looked at. */
  get tokenAnswered(): boolean {
    return this.#token?.answered === true;
  }

  introduce(command: 'EHLO' | 'LHLO' | 'HELO'): Command {
    const name = this.#name();
    if (command === 'LHLO') return commands.lhlo(name);
    return command === 'EHLO' ? commands.ehlo(name) : commands.helo(name);
  }

  /** The server said yes to EHLO. */
  hear(reply: Reply, tls: TlsInfo | undefined): Word<ConnectionWord> {
    this.hello = reply;
    this.#tls = tls;
    this.offered = parseCapabilities(reply);
    const { login } = this.#settings;
    const { auth, starttls } = this.offered;
    this.login = login && new LoginAttempt(this.#settings, login, auth, tls !== undefined, tls?.binding);
    return connectionChart.word({ type: 'ehlo.ok', starttls, auth: this.login?.more ?? false });
  }

  /** TLS begins: nothing that was said in clear counts any more (RFC 3207 §4.2). */
  forget(): void {
    this.hello = undefined;
    this.offered = noCapabilities;
    this.login = undefined;
  }

  // ── the login ──

  /** A reply to AUTH; undefined where its class cannot follow. */
  hearLogin(reply: Reply): Word<ConnectionWord> | undefined {
    const { login } = this;
    if (login === undefined) return undefined;
    if (reply.code === 334) {
      this.#response = login.answer(reply.text);
      return this.#response === undefined ? words['auth.invalid'] : words['auth.challenge'];
    }
    if (reply.code >= 500) return connectionChart.word({ type: 'auth.refused', more: login.more });
    if (reply.code >= 400) return words['auth.deferred'];
    if (reply.code >= 300) return undefined;
    return login.accept() ? words['auth.ok'] : words['auth.unproved'];
  }

  /** The answer to the challenge at hand. */
  takeResponse(): Command | undefined {
    const response = this.#response;
    this.#response = undefined;
    return response;
  }

  /** AUTH with the next mechanism that the credentials can serve; undefined where none is left. */
  nextMechanism(): Command | undefined {
    const { login } = this;
    while (login?.more) {
      try {
        return login.begin();
      } catch (error) {
        login.error = asError(error);
      }
    }
    return undefined;
  }

  /** Asks the user's code for a token; `onAnswer` is called for an answer that comes later. */
  fetchToken(onAnswer: () => void): void {
    const source = this.#settings.login?.token;
    if (source !== undefined) this.#token = new TokenRequest(source, onAnswer);
  }

  /** What came of asking, once. */
  takeToken(): Word<ConnectionWord> | undefined {
    const request = this.#token;
    const { login } = this;
    if (request?.answered !== true || login === undefined) return undefined;
    this.#token = undefined;
    login.token = request.token;
    login.error = request.error;
    return request.token === undefined ? words['token.failed'] : words['token.ready'];
  }

  // ── saved and restored ──

  save() {
    return {
      hello: this.hello,
      extended: this.offered !== noCapabilities,
      tls: this.#tls,
      localAddress: this.localAddress,
      login: this.login?.save(),
      awaitsToken: this.#token !== undefined,
    };
  }

  /** A token that was asked for is asked for again. */
  load(saved: ReturnType<Opening['save']>, onAnswer: () => void): void {
    const { hello, extended, tls, localAddress, login, awaitsToken } = saved;
    if (extended && hello !== undefined) this.hear(hello, tls);
    this.hello = hello;
    this.localAddress = localAddress;
    if (login !== undefined && this.login === undefined)
      throw new Error('a login was begun, and auth is missing');
    if (login !== undefined) this.login?.load(login);
    if (awaitsToken) this.fetchToken(onAnswer);
  }

  #name(): string {
    const { localName, fallbackName } = this.#settings;
    if (localName !== undefined) return localName;
    return this.localAddress === undefined ? fallbackName : addressLiteral(this.localAddress);
  }
}
