/**
 * The polite server's side of SMTP and LMTP: what it answers by itself, and what it does when that answer is positive.
 * It reads no bytes and writes none; {@link ServerSession} does, and lets the script overrule each answer.
 */

import type { Random } from '../transport/random.ts';
import { Login } from './login.ts';
import type { ServerCommand, ServerMessage, ServerOptions, ServerRecipient } from './script.ts';
import { parsePath, politeExtensions } from './script.ts';
import type { ServerSession } from './session.ts';

/** One answer that is due. `act` is carried out with the code that was really sent. */
export interface Step {
  readonly command: ServerCommand;
  readonly reply: string | readonly string[];
  readonly act?: ((code: number) => void) | undefined;
}

/** What the dialogue may do to its connection. */
export interface Host {
  startTls(): void;
  end(): void;
  deliver(message: ServerMessage): void;
}

/** What the next bytes are. */
export type Reading = 'line' | 'content' | { readonly chunk: number; readonly command: ServerCommand };

interface Transaction {
  readonly from: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly recipients: ServerRecipient[];
  readonly chunks: Uint8Array[];
  size: number;
  /** A chunk was refused. */
  failed: boolean;
}

/** Parameters that only an announced extension allows. */
const extensionOf: Readonly<Record<string, string>> = {
  SIZE: 'SIZE',
  BODY: '8BITMIME',
  SMTPUTF8: 'SMTPUTF8',
  RET: 'DSN',
  ENVID: 'DSN',
  NOTIFY: 'DSN',
  ORCPT: 'DSN',
  BY: 'DELIVERBY',
  REQUIRETLS: 'REQUIRETLS',
  'MT-PRIORITY': 'MT-PRIORITY',
};

const positive = (code: number): boolean => code >= 200 && code < 400;

export class Dialogue {
  reading: Reading = 'line';
  /** Name given with EHLO, LHLO or HELO. */
  clientName: string | undefined;
  readonly login: Login;
  transaction: Transaction | undefined;
  readonly #options: ServerOptions;
  readonly #session: ServerSession;
  readonly #host: Host;

  constructor(options: ServerOptions, session: ServerSession, host: Host, random: Random) {
    this.#options = options;
    this.#session = session;
    this.#host = host;
    this.login = new Login(options.auth, random);
  }

  greet(): Step {
    const { greeting = '220 mx.example.test ESMTP' } = this.#options;
    return { command: command('CONNECT'), reply: greeting };
  }

  /** The keywords announced now, STARTTLS and AUTH included. */
  extensions(): readonly string[] {
    const { extensions = politeExtensions, tls, auth } = this.#options;
    const list = [...(typeof extensions === 'function' ? extensions(this.#session) : extensions)];
    if (tls === 'starttls' && !this.#session.secure) list.push('STARTTLS');
    const hidden = auth?.secureOnly === true && !this.#session.secure;
    if (auth !== undefined && !hidden) list.push(`AUTH ${auth.mechanisms.join(' ')}`);
    return list;
  }

  announces(keyword: string): boolean {
    return this.extensions().some((line) => line.toUpperCase().split(' ')[0] === keyword);
  }

  line(line: string): readonly Step[] {
    if (this.login.going) return [this.login.response(command('RESPONSE', line, line))];
    const blank = line.indexOf(' ');
    const verb = (blank < 0 ? line : line.slice(0, blank)).toUpperCase();
    const argument = blank < 0 ? '' : line.slice(blank + 1);
    return this.#command(command(verb, line, argument));
  }

  /** The text after DATA has ended. */
  content(data: Uint8Array): readonly Step[] {
    this.reading = 'line';
    return this.#verdict(data, 'DATA', () => command('CONTENT'));
  }

  /** A chunk is complete (RFC 3030). */
  chunk(data: Uint8Array, given: ServerCommand): readonly Step[] {
    this.reading = 'line';
    const { transaction } = this;
    if (transaction === undefined || transaction.failed || transaction.recipients.length === 0) {
      return [{ command: given, reply: '503 5.5.1 no transaction for this chunk' }];
    }
    transaction.chunks.push(data);
    transaction.size += data.length;
    if (given.last === true) return this.#verdict(Buffer.concat(transaction.chunks), 'BDAT', () => given);
    const act = (code: number): void => {
      if (!positive(code)) transaction.failed = true;
    };
    return [{ command: given, reply: `250 2.0.0 ${data.length} octets`, act }];
  }

  #command(given: ServerCommand): readonly Step[] {
    switch (given.verb) {
      case 'EHLO':
      case 'LHLO':
      case 'HELO':
        return [this.#hello(given)];
      case 'MAIL':
        return [this.#mail(given)];
      case 'RCPT':
        return [this.#rcpt(given)];
      case 'DATA':
        return [this.#data(given)];
      case 'BDAT':
        return this.#bdat(given);
      case 'AUTH':
        return [this.#auth(given)];
      case 'STARTTLS':
        return [this.#starttls(given)];
      case 'RSET':
        return [{ command: given, reply: '250 2.0.0 forgotten', act: () => this.#forget() }];
      case 'NOOP':
        return [{ command: given, reply: '250 2.0.0 still here' }];
      case 'VRFY':
        return [{ command: given, reply: '252 2.5.2 send some mail and see' }];
      case 'QUIT':
        return [{ command: given, reply: '221 2.0.0 bye', act: (code) => code === 221 && this.#host.end() }];
      default:
        return [{ command: given, reply: '500 5.5.2 unknown command' }];
    }
  }

  #hello(given: ServerCommand): Step {
    const { lmtp = false } = this.#options;
    if ((given.verb === 'LHLO') !== lmtp) return { command: given, reply: '500 5.5.1 wrong protocol' };
    if (given.argument === '') return { command: given, reply: '501 5.5.4 who is there?' };
    const act = (code: number): void => {
      if (!positive(code)) return;
      this.clientName = given.argument;
      this.#forget();
    };
    const first = `250 mx.example.test greets ${given.argument}`;
    const more = given.verb === 'HELO' ? [] : this.extensions().map((keyword) => `250 ${keyword}`);
    return { command: given, reply: [first, ...more], act };
  }

  #mail(given: ServerCommand): Step {
    const path = /^FROM:/i.test(given.argument) ? parsePath(given.argument.slice(5)) : undefined;
    if (path === undefined) return { command: given, reply: '501 5.5.4 MAIL FROM:<address>' };
    const full = { ...given, ...path };
    const problem = this.#mailProblem(path.parameters);
    const act = (code: number): void => {
      if (!positive(code)) return;
      const { address: from, parameters } = path;
      this.transaction = { from, parameters, recipients: [], chunks: [], size: 0, failed: false };
    };
    return { command: full, reply: problem ?? '250 2.1.0 sender ok', act };
  }

  #mailProblem(parameters: Readonly<Record<string, string>>): string | undefined {
    if (this.clientName === undefined) return '503 5.5.1 EHLO first';
    if (this.#options.auth?.required === true && this.login.user === undefined)
      return '530 5.7.0 log in first';
    if (this.transaction !== undefined) return '503 5.5.1 there is a sender already';
    const limit = Number(/^SIZE (\d+)$/im.exec(this.extensions().join('\n'))?.[1] ?? 0);
    if (limit > 0 && Number(parameters.SIZE ?? 0) > limit) return '552 5.3.4 too big';
    return this.#parameterProblem(parameters);
  }

  #rcpt(given: ServerCommand): Step {
    const path = /^TO:/i.test(given.argument) ? parsePath(given.argument.slice(3)) : undefined;
    if (path === undefined || path.address === '')
      return { command: given, reply: '501 5.5.4 RCPT TO:<address>' };
    const { transaction } = this;
    const full = { ...given, ...path };
    if (transaction === undefined) return { command: full, reply: '503 5.5.1 MAIL first' };
    const reply = this.#parameterProblem(path.parameters) ?? '250 2.1.5 recipient ok';
    return { command: full, reply, act: (code) => positive(code) && transaction.recipients.push(path) };
  }

  #parameterProblem(parameters: Readonly<Record<string, string>>): string | undefined {
    for (const keyword of Object.keys(parameters)) {
      const extension = extensionOf[keyword];
      if (extension !== undefined && !this.announces(extension)) return `555 5.5.4 ${keyword} is not offered`;
    }
    const body = parameters.BODY?.toUpperCase();
    if (body === 'BINARYMIME' && !this.announces('BINARYMIME')) return '555 5.5.4 BINARYMIME is not offered';
    return undefined;
  }

  #data(given: ServerCommand): Step {
    const { transaction } = this;
    const act = (code: number): void => {
      if (code >= 300 && code < 400) this.reading = 'content';
    };
    const problem = transaction === undefined ? '503 5.5.1 MAIL first' : dataProblem(transaction);
    return { command: given, reply: problem ?? '354 end with a dot', act };
  }

  #bdat(given: ServerCommand): readonly Step[] {
    const match = /^(\d{1,10})( LAST)?$/i.exec(given.argument);
    if (!this.announces('CHUNKING')) return [{ command: given, reply: '502 5.5.1 no chunking here' }];
    if (match === null) return [{ command: given, reply: '501 5.5.4 BDAT size [LAST]' }];
    this.reading = { chunk: Number(match[1]), command: { ...given, last: match[2] !== undefined } };
    return [];
  }

  /** One verdict, or in LMTP one for each recipient. */
  #verdict(data: Uint8Array, by: 'DATA' | 'BDAT', named: () => ServerCommand): readonly Step[] {
    const { transaction } = this;
    this.transaction = undefined;
    if (transaction === undefined || transaction.recipients.length === 0) {
      return [{ command: named(), reply: '554 5.5.1 no valid recipients' }];
    }
    const { recipients, from, parameters } = transaction;
    const message = (to: readonly string[]): ServerMessage => {
      const { secure, number: connection } = this.#session;
      return { from, to, parameters, recipients, data, secure, by, user: this.login.user, connection };
    };
    if (this.#options.lmtp === true) return this.#eachVerdict(recipients, message, named);
    const to = recipients.map(({ address }) => address);
    const act = (code: number): void => {
      if (positive(code)) this.#host.deliver(message(to));
    };
    return [{ command: named(), reply: '250 2.0.0 accepted', act }];
  }

  #eachVerdict(
    recipients: readonly ServerRecipient[],
    message: (to: readonly string[]) => ServerMessage,
    named: () => ServerCommand,
  ): readonly Step[] {
    const accepted: string[] = [];
    return recipients.map(({ address }) => ({
      command: { ...named(), address },
      reply: `250 2.0.0 <${address}> accepted`,
      act: (code) => {
        if (!positive(code)) return;
        // whoever was said yes to has it, whatever becomes of the line
        accepted.push(address);
        if (accepted.length === 1) this.#host.deliver(message(accepted));
      },
    }));
  }

  #starttls(given: ServerCommand): Step {
    const offered = this.#options.tls === 'starttls' && !this.#session.secure;
    const act = (code: number): void => {
      if (code === 220) this.#host.startTls();
    };
    return { command: given, reply: offered ? '220 2.0.0 go ahead' : '502 5.5.1 no TLS here', act };
  }

  #auth(given: ServerCommand): Step {
    if (!this.announces('AUTH')) return { command: given, reply: '502 5.5.1 no logins here' };
    if (this.transaction !== undefined || this.clientName === undefined) {
      return { command: given, reply: '503 5.5.1 not now' };
    }
    return this.login.start(given, this.#session.line.binding);
  }

  /** After TLS everything said before is forgotten (RFC 3207 §4.2). */
  startAnew(): void {
    this.clientName = undefined;
    this.#forget();
  }

  #forget(): void {
    this.transaction = undefined;
  }
}

function dataProblem(transaction: Transaction): string | undefined {
  if (transaction.chunks.length > 0 || transaction.failed) return '503 5.5.1 chunks and DATA do not mix';
  return transaction.recipients.length === 0 ? '554 5.5.1 no valid recipients' : undefined;
}

function command(verb: string, line = '', argument = ''): ServerCommand {
  return { verb, line, argument, parameters: {} };
}
