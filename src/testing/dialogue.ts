/**
 * The polite server's side of SMTP and LMTP: what it answers by itself, and what it does when that answer is positive.
 * It reads no bytes and writes none; {@link ServerSession} does, and lets the script overrule each answer.
 */

import type { Random } from '../transport/random.ts';
import { Login } from './login.ts';
import type { ServerCommand, ServerMessage, ServerOptions, ServerRecipient } from './script.ts';
import { extensionOf, parsePath, politeExtensions } from './script.ts';
import type { ServerSession } from './session.ts';
import type { Host, Reading, Step } from './step.ts';

export interface Transaction {
  readonly from: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly recipients: ServerRecipient[];
  readonly chunks: Uint8Array[];
  size: number;
  /** A chunk was refused. */
  failed: boolean;
}

const positive = (code: number): boolean => code >= 200 && code < 400;

export class Dialogue {
  reading: Reading = 'line';
  /** Name given with EHLO, LHLO or HELO. */
  clientName: string | undefined;
  readonly login: Login;
  transaction: Transaction | undefined;
  /** The message that is being judged, for whom it was accepted so far, and how many verdicts are to come. */
  #judged: { readonly message: ServerMessage; readonly left: number } | undefined;
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
    return [{ command: given, reply: `250 2.0.0 ${data.length} octets`, deed: 'chunk' }];
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
        return [{ command: given, reply: '250 2.0.0 forgotten', deed: 'forget' }];
      case 'NOOP':
        return [{ command: given, reply: '250 2.0.0 still here' }];
      case 'VRFY':
        return [{ command: given, reply: '252 2.5.2 send some mail and see' }];
      case 'QUIT':
        return [{ command: given, reply: '221 2.0.0 bye', deed: 'quit' }];
      default:
        return [{ command: given, reply: '500 5.5.2 unknown command' }];
    }
  }

  #hello(given: ServerCommand): Step {
    const { lmtp = false } = this.#options;
    if ((given.verb === 'LHLO') !== lmtp) return { command: given, reply: '500 5.5.1 wrong protocol' };
    if (given.argument === '') return { command: given, reply: '501 5.5.4 who is there?' };
    const first = `250 mx.example.test greets ${given.argument}`;
    const more = given.verb === 'HELO' ? [] : this.extensions().map((keyword) => `250 ${keyword}`);
    return { command: given, reply: [first, ...more], deed: 'hello' };
  }

  #mail(given: ServerCommand): Step {
    const path = /^FROM:/i.test(given.argument) ? parsePath(given.argument.slice(5)) : undefined;
    if (path === undefined) return { command: given, reply: '501 5.5.4 MAIL FROM:<address>' };
    const full = { ...given, ...path };
    const problem = this.#mailProblem(path.parameters);
    return { command: full, reply: problem ?? '250 2.1.0 sender ok', deed: 'mail' };
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
    return { command: full, reply, deed: 'rcpt' };
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
    const problem = transaction === undefined ? '503 5.5.1 MAIL first' : dataProblem(transaction);
    return { command: given, reply: problem ?? '354 end with a dot', deed: 'data' };
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
    const { secure, number: connection } = this.#session;
    const lmtp = this.#options.lmtp === true;
    const message = {
      from,
      to: [],
      parameters,
      recipients,
      data,
      secure,
      by,
      user: this.login.user,
      connection,
    };
    this.#judged = { message, left: lmtp ? recipients.length : 1 };
    if (!lmtp) return [{ command: named(), reply: '250 2.0.0 accepted', deed: 'verdict' }];
    return recipients.map(({ address }) => ({
      command: { ...named(), address },
      reply: `250 2.0.0 <${address}> accepted`,
      deed: 'verdict',
    }));
  }

  #starttls(given: ServerCommand): Step {
    const offered = this.#options.tls === 'starttls' && !this.#session.secure;
    return {
      command: given,
      reply: offered ? '220 2.0.0 go ahead' : '502 5.5.1 no TLS here',
      deed: 'starttls',
    };
  }

  #auth(given: ServerCommand): Step {
    if (!this.announces('AUTH')) return { command: given, reply: '502 5.5.1 no logins here' };
    if (this.transaction !== undefined || this.clientName === undefined) {
      return { command: given, reply: '503 5.5.1 not now' };
    }
    return this.login.start(given, this.#session.line.binding);
  }

  /** What follows from an answer whose code was this. */
  act({ deed, command: { argument, address, parameters } }: Step, code: number): void {
    const { transaction } = this;
    const yes = positive(code);
    if (deed === 'hello' && yes) {
      this.clientName = argument;
      this.#forget();
    }
    if (deed === 'mail' && yes && address !== undefined) {
      this.transaction = { from: address, parameters, recipients: [], chunks: [], size: 0, failed: false };
    }
    if (deed === 'rcpt' && yes && address !== undefined)
      transaction?.recipients.push({ address, parameters });
    if (deed === 'data' && code >= 300 && code < 400) this.reading = 'content';
    if (deed === 'chunk' && !yes && transaction !== undefined) transaction.failed = true;
    if (deed === 'verdict') this.#judge(yes, address);
    if (deed === 'forget') this.#forget();
    if (deed === 'starttls' && code === 220) this.#host.startTls();
    if (deed === 'quit' && code === 221) this.#host.end();
    if (deed === 'login' || deed === 'cancelLogin') this.login.act(deed, code);
  }

  /** @param one in LMTP whose verdict it is */
  #judge(yes: boolean, one: string | undefined): void {
    const judged = this.#judged;
    if (judged === undefined) return;
    const { message, left } = judged;
    const all = one === undefined ? message.recipients.map(({ address }) => address) : [one];
    const taken = yes ? { ...message, to: [...message.to, ...all] } : message;
    this.#judged = left > 1 ? { message: taken, left: left - 1 } : undefined;
    // whoever was said yes to has it, whatever becomes of the line
    if (yes) this.#host.deliver(taken, message.to.length > 0);
  }

  save() {
    const { reading, clientName, transaction } = this;
    return { reading, clientName, transaction, judged: this.#judged, login: this.login.save() };
  }

  load(saved: ReturnType<Dialogue['save']>): void {
    this.reading = saved.reading;
    this.clientName = saved.clientName;
    this.transaction = saved.transaction;
    this.#judged = saved.judged;
    this.login.load(saved.login, this.#session.line.binding);
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
