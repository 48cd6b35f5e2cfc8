/**
 * The only encoder of command lines, but for the ordinary ones of `recipient-lines.ts`: what is not checked cannot
 * become a {@link Command}, and only a command's bytes reach the wire outside message content. It must not know the
 * server, the connection, or when a command may be sent.
 *
 * Each argument has its own grammar; the byte check at the end does not trust it. Lines are made of UTF-8 and
 * nothing else: narrowing to one octet a character would turn U+010D U+010A into CR LF (CVE-2025-7962).
 */
import { SmtpUsageError } from '../errors.ts';
import { Path, parseHelo } from './address.ts';
import { checkText, codePoint, findRefused, isAscii, quoted } from './characters.ts';
import { readDomain } from './domain.ts';
import {
  checkCount,
  encodeMailParameters,
  encodeRecipientParameters,
  type MailParameters,
  type RecipientParameters,
} from './parameters.ts';

export {
  checkMailParameters,
  checkRecipientParameters,
  type MailParameters,
  type RecipientParameters,
} from './parameters.ts';

/** RFC 5321 §4.5.3.1.4, with CRLF. */
const lineLimit = 512;
/** MAIL and RCPT may be longer by what their extensions add: SIZE 26, ENVID 307, AUTH 500, ORCPT 507 and so on. */
const envelopeLimit = 2000;
/** RFC 4954 §4, with CRLF. */
const authLimit = 12_288;

const lineEnd = '\r\n';
const mask = '****';
const encoder = new TextEncoder();

/** Printable ASCII, which is the same octets in every encoding that there is. */
const printableAscii = /^[ -~]*$/;

interface Shape {
  /** Octets, with CRLF. @default 512 */
  readonly limit?: number;
  /** May the line hold UTF-8? @default false */
  readonly utf8?: boolean;
  /** What traces show. @default the line itself */
  readonly shown?: string;
}

const plainShape: Shape = {};
const envelopeShape: Shape = { limit: envelopeLimit };
const envelopeShapeUtf8: Shape = { limit: envelopeLimit, utf8: true };
const authShape: Shape = { limit: authLimit };

// The constructor, lent to this file alone.
let makeBdat: (text: string) => Command;
let make: (verb: string, start: string, argument?: string, end?: string, shape?: Shape) => Command;

/** One command line, checked. */
export class Command {
  /** `MAIL`, `RCPT`, `AUTH`…; `''` for the later lines of an AUTH exchange. */
  readonly verb: string;
  /** How many octets {@link text} has. */
  readonly octets: number;
  // Private, so that no inspection or JSON of a command shows a password.
  readonly #text: string;
  readonly #shown: string | undefined;

  private constructor(verb: string, text: string, octets: number, shown: string | undefined) {
    this.verb = verb;
    this.octets = octets;
    this.#text = text;
    this.#shown = shown;
  }

  /** The line for traces and errors: secrets masked, no CRLF. */
  get line(): string {
    return this.#shown ?? this.#text.slice(0, -2);
  }

  /** What goes on the wire in UTF-8, with CRLF: secrets are readable here. */
  get text(): string {
    return this.#text;
  }

  /** Does {@link line} hide a secret? */
  get masked(): boolean {
    return this.#shown !== undefined;
  }

  /** The octets of {@link text}. */
  get bytes(): Uint8Array {
    return encoder.encode(this.#text);
  }

  static {
    // digits and constants: there is nothing to look at
    makeBdat = (text) => new Command('BDAT', text, text.length, undefined);
    make = (verb, start, argument = '', end = '', shape = plainShape) => {
      const octets = checkLine(verb, start, argument, end, shape);
      // most ends are a few constants, which are joined once
      return new Command(verb, `${start}${argument}${closed(end)}`, octets, shape.shown);
    };
  }
}

/** The end of a line with its line end. */
const closed = (end: string): string => (end === '>' ? '>\r\n' : `${end}${lineEnd}`);

/** Every road to a command. Arguments that do not fit throw SmtpUsageError EINVAL. */
export const commands = {
  /** One that was saved: its verb, and its line, which holds no secret. Whatever it is, it stays one line. */
  again(verb: string, line: string): Command {
    return make(verb, line, '', '', { ...authShape, utf8: true });
  },
  ehlo(name: string): Command {
    return make('EHLO', 'EHLO ', parseHelo(name, 'localName'));
  },
  helo(name: string): Command {
    return make('HELO', 'HELO ', parseHelo(name, 'localName'));
  },
  lhlo(name: string): Command {
    return make('LHLO', 'LHLO ', parseHelo(name, 'localName'));
  },
  starttls(): Command {
    return fixed.starttls;
  },
  /** With an initial response where one is given; an empty one is written `=` (RFC 4954 §4). */
  auth(mechanism: string, initial?: Uint8Array): Command {
    const start = `AUTH ${checkMechanism(mechanism)}`;
    if (initial === undefined) return make('AUTH', start, '', '', authShape);
    return make('AUTH', `${start} `, base64(initial) || '=', '', { ...authShape, shown: `${start} ${mask}` });
  },
  authResponse(bytes: Uint8Array): Command {
    return make('', base64(bytes), '', '', { ...authShape, shown: mask });
  },
  /** `*`: gives the exchange up (RFC 4954 §4). */
  authCancel(): Command {
    return fixed.authCancel;
  },
  mail(path: Path, params: MailParameters): Command {
    const shape = params.smtputf8 ? envelopeShapeUtf8 : envelopeShape;
    const address = checkPath(path, params.smtputf8, 'sender');
    return make('MAIL', 'MAIL FROM:<', address, `>${encodeMailParameters(params, 'sender')}`, shape);
  },
  rcpt(path: Path, params: RecipientParameters): Command {
    const shape = params.smtputf8 ? envelopeShapeUtf8 : envelopeShape;
    const address = checkPath(path, params.smtputf8, 'recipient');
    return make('RCPT', 'RCPT TO:<', address, `>${encodeRecipientParameters(params, 'recipient')}`, shape);
  },
  data(): Command {
    return fixed.data;
  },
  /** RFC 3030 §2: so many octets of content follow at once. */
  bdat(size: number, last: boolean): Command {
    return makeBdat(`BDAT ${checkCount(size, 'octets')}${last ? ' LAST\r\n' : lineEnd}`);
  },
  rset(): Command {
    return fixed.rset;
  },
  noop(): Command {
    return fixed.noop;
  },
  quit(): Command {
    return fixed.quit;
  },
  vrfy(text: string): Command {
    return make('VRFY', 'VRFY ', checkArgument(text, 'vrfy'));
  },
  expn(text: string): Command {
    return make('EXPN', 'EXPN ', checkArgument(text, 'expn'));
  },
  /** RFC 1985: a domain, `@domain` with its sub-domains, or `#queue`. */
  etrn(node: string): Command {
    return make('ETRN', 'ETRN ', checkNode(node));
  },
};

const fixed = {
  starttls: make('STARTTLS', 'STARTTLS'),
  authCancel: make('', '*'),
  data: make('DATA', 'DATA'),
  rset: make('RSET', 'RSET'),
  noop: make('NOOP', 'NOOP'),
  quit: make('QUIT', 'QUIT'),
};

/**
 * Does the initial response fit into the AUTH command? It must not make that line longer than 512 octets
 * (RFC 4954 §4); one that does is sent as the answer to an empty 334.
 */
export function initialResponseFits(mechanism: string, initial: Uint8Array): boolean {
  const response = Math.max(1, Math.ceil(initial.length / 3) * 4);
  return 'AUTH '.length + mechanism.length + 1 + response + 2 <= lineLimit;
}

/**
 * The last look at every line, whatever its parts have been through: how many octets it has. Part by part, since
 * looking at a joined text makes the engine copy it.
 */
function checkLine(verb: string, start: string, argument: string, end: string, shape: Shape): number {
  const { limit = lineLimit, utf8 = false } = shape;
  const octets = start.length + argument.length + end.length + lineEnd.length;
  if (octets > limit) throw tooLong(verb, octets, limit);
  const plain = printableAscii.test(start) && printableAscii.test(argument) && printableAscii.test(end);
  return plain ? octets : checkUtf8Line(verb, start + argument + end, limit, utf8);
}

function checkUtf8Line(verb: string, line: string, limit: number, utf8: boolean): number {
  // A lone surrogate would be replaced silently; C1 and U+2028 are line ends to somebody.
  const at = utf8 ? findRefused(line) : line.search(/[^ -~]/);
  if (at >= 0) throw refused(verb, line, at);
  const bytes = encoder.encode(line);
  if (bytes.length + 2 > limit) throw tooLong(verb, bytes.length + 2, limit);
  for (const octet of bytes) if (octet < 0x20 || octet === 0x7f) throw refused(verb, line, 0);
  return bytes.length + 2;
}

// Neither message quotes the line: it may hold a password.
function refused(verb: string, line: string, at: number): SmtpUsageError {
  const message = `a ${verb || 'command'} line may not hold ${codePoint(line, at)} (position ${at})`;
  return new SmtpUsageError('EINVAL', line.charCodeAt(at) > 0x9f ? `${message} without SMTPUTF8` : message);
}

function tooLong(verb: string, size: number, limit: number): SmtpUsageError {
  return new SmtpUsageError('EINVAL', `a ${verb || 'command'} line of ${size} octets: ${limit} are allowed`);
}

/** TypeScript keeps other objects out; this is for callers that it does not watch. */
function checkPath(path: Path, utf8: boolean | undefined, option: string): string {
  if (!Path.is(path)) throw new SmtpUsageError('EINVAL', 'the address has not been parsed', option);
  if (path.utf8 && !utf8) {
    const hint = option === 'recipient' ? ': give sendSender smtputf8: true' : '';
    throw new SmtpUsageError('EINVAL', `${quoted(path.address)} needs SMTPUTF8${hint}`, `${option}.address`);
  }
  return path.address;
}

/** RFC 4422 §3.1: 1 to 20 of A–Z, 0–9, `-` and `_`. */
function checkMechanism(mechanism: string): string {
  if (/^[A-Z0-9_-]{1,20}$/.test(mechanism)) return mechanism;
  throw new SmtpUsageError('EINVAL', `${quoted(mechanism)} is no name of a mechanism`, 'auth.mechanism');
}

function checkArgument(text: string, option: string): string {
  checkText(text, option);
  if (text !== '' && text.trim() === text && isAscii(text)) return text;
  const message = `${quoted(text)} is not printable ASCII that begins and ends with a visible character`;
  throw new SmtpUsageError('EINVAL', message, option);
}

function checkNode(node: string): string {
  const text = checkArgument(node, 'etrn');
  if (text.startsWith('#') && text.length > 1 && !text.includes(' ')) return text;
  const sign = text.startsWith('@') ? '@' : '';
  const domain = readDomain(text.slice(sign.length));
  if (typeof domain !== 'string') return sign + domain.ascii;
  throw new SmtpUsageError('EINVAL', `${quoted(node)} is no domain, @domain or #queue: ${domain}`, 'etrn');
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
