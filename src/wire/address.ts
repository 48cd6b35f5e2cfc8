/**
 * The one grammar of mailboxes in the envelope (RFC 5321 §4.1.2, RFC 6531 §3.3): parse, then print what was
 * understood. It must not know message headers: a display name, a list or a comment is refused here, not skipped,
 * because software that guesses at addresses sends mail to the wrong person.
 *
 * One pass, no regular expression on input, and nothing longer than a path may be is looked at.
 */
import { SmtpUsageError } from '../errors.ts';
import { checkText, isAscii, isAtext, octets, quoted } from './characters.ts';
import { readDomain } from './domain.ts';

export { addressLiteral, parseHelo } from './domain.ts';

/** RFC 5321 §4.5.3.1.1. */
const localLimit = 64;
/** RFC 5321 §4.5.3.1.3: 256 with `<` and `>` (erratum 1690). */
const addressLimit = 254;
/** Every character quoted with a backslash, and then some: no valid address is longer. */
const sanityLimit = 600;

export interface PathRules {
  /** Takes `''`, the null reverse-path of bounces. */
  readonly allowNull?: boolean;
  /** Takes `Postmaster` without a domain (RFC 5321 §4.1.1.3). */
  readonly allowPostmaster?: boolean;
}

/**
 * What nearly all addresses look like: atoms, `@`, a name that is no IP address. A part of the grammar below, decided
 * in one pass of the engine; no two of its parts can take the same character, so it does not backtrack.
 */
const ordinary = /^[\w+-]+(?:\.[\w+-]+)*@[a-z0-9]+(?:[.-][a-z0-9]+)*(?<!\d)$/i;
/** So short that no part of it is too long. */
const ordinaryLength = 64;

// The constructor, lent to this file alone.
let makePath: (address: string, at: number, utf8: boolean) => Path;

/** A mailbox that has passed the grammar. {@link parsePath} is the only way to get one. */
export class Path {
  /** As it goes between `<` and `>`; `''` is the null reverse-path. */
  readonly address: string;
  /** Needs SMTPUTF8. */
  readonly utf8: boolean;
  // Where the `@` stands, or -1. Makes the type nominal as well: an object with the same fields is no Path.
  readonly #at: number;

  private constructor(address: string, at: number, utf8: boolean) {
    this.address = address;
    this.utf8 = utf8;
    this.#at = at;
  }

  /** As on the wire: quoted only where it must be. */
  get local(): string {
    return this.#at < 0 ? this.address : this.address.slice(0, this.#at);
  }

  /** LDH or A-labels; U-labels where `utf8`; a literal in brackets; `''` for the null path and bare Postmaster. */
  get domain(): string {
    return this.#at < 0 ? '' : this.address.slice(this.#at + 1);
  }

  static {
    makePath = (address, at, utf8) => new Path(address, at, utf8);
  }

  /** Did this go through the grammar? For callers that TypeScript does not watch. */
  static is(value: unknown): value is Path {
    return typeof value === 'object' && value !== null && #at in value;
  }
}

/** Is this an address of ASCII letters, digits, `.`, `@`, `+`, `_` and `-` alone, which is printed as it is given? */
export function isOrdinary(text: string): boolean {
  // looked for first: a joined text becomes one piece by that, which an expression would take longer for
  return (
    typeof text === 'string' && text.length <= ordinaryLength && text.includes('@') && ordinary.test(text)
  );
}

/**
 * Reads a mailbox such as `user@example.org`, `"a b"@example.org` or `user@[192.0.2.1]`.
 * A domain that is not ASCII becomes A-labels where the local part is ASCII, so that no SMTPUTF8 is needed.
 * @throws SmtpUsageError EINVAL, naming `option` and quoting the value
 */
export function parsePath(text: string, option: string, rules: PathRules = {}): Path {
  if (isOrdinary(text)) return makePath(text, text.indexOf('@'), false);
  checkText(text, option);
  if (text === '' && rules.allowNull) return makePath('', -1, false);
  if (rules.allowPostmaster && text.toLowerCase() === 'postmaster') return makePath(text, -1, false);
  const mailbox = text.length > sanityLimit ? tooLong() : readMailbox(text);
  if (typeof mailbox !== 'string') {
    const { local, domain, utf8 } = mailbox;
    return makePath(`${local}@${domain}`, local.length, utf8);
  }
  throw new SmtpUsageError('EINVAL', `${quoted(text)} is no address: ${mailbox}`, option);
}

interface Mailbox {
  readonly local: string;
  readonly domain: string;
  readonly utf8: boolean;
}

/** The mailbox, or the reason why it is none. */
function readMailbox(text: string): Mailbox | string {
  const local = text.startsWith('"') ? readQuoted(text) : readDotString(text);
  if (typeof local === 'string') return local;
  const domain = readDomain(text.slice(local.end + 1));
  if (typeof domain === 'string') return domain;
  const utf8 = !isAscii(local.value);
  const printed = local.quoted ? printLocal(local.value) : local.value;
  const mailbox = { local: printed, domain: utf8 ? domain.unicode : domain.ascii, utf8 };
  const size = utf8 ? octets(printed) : printed.length;
  if (size > localLimit) return `the local part is longer than ${localLimit} octets`;
  const domainSize = utf8 ? octets(mailbox.domain) : mailbox.domain.length;
  return size + 1 + domainSize > addressLimit ? tooLong() : mailbox;
}

/** A local part without its quotes and backslashes; `end` is where the `@` stands. */
interface Local {
  readonly value: string;
  readonly quoted: boolean;
  readonly end: number;
}

function readDotString(text: string): Local | string {
  let afterDot = true;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (isAtext(code)) {
      afterDot = false;
    } else if (code === 0x2e && !afterDot) {
      afterDot = true;
    } else if (code === 0x40 && !afterDot) {
      return { value: text.slice(0, i), quoted: false, end: i };
    } else {
      return strange(text, i);
    }
  }
  return 'it has no @domain';
}

function readQuoted(text: string): Local | string {
  let value = '';
  for (let i = 1; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '"') {
      if (text.charAt(i + 1) === '@') return { value, quoted: true, end: i + 1 };
      return i + 1 < text.length ? strange(text, i + 1) : 'it has no @domain';
    }
    // A quoted pair holds a printable ASCII character (RFC 5321 §4.1.2); controls were refused before.
    if (char === '\\' && (++i >= text.length || text.charCodeAt(i) > 0x7e))
      return 'a backslash quotes nothing';
    value += text.charAt(i);
  }
  return 'a quote is not closed';
}

/** With quotes only where the grammar wants them, so that one mailbox has one spelling. */
function printLocal(value: string): string {
  let atom = false;
  let plain = true;
  for (let i = 0; i < value.length && plain; i++) {
    const isDot = value.charCodeAt(i) === 0x2e;
    plain = isDot ? atom : isAtext(value.charCodeAt(i));
    atom = !isDot;
  }
  return plain && atom ? value : `"${value.replace(/["\\]/g, '\\$&')}"`;
}

/** What a character that does not belong there usually means. */
function strange(text: string, at: number): string {
  const char = text.charAt(at);
  if (char === '<' || char === '>' || (char === ' ' && text.endsWith('>'))) {
    return 'give the bare address, without < and >; a display name is an option of its own, name';
  }
  if (char === '@') return at === 0 ? 'source routes are not supported' : 'the local part is not complete';
  if (char === '.') return 'the local part has a dot too many';
  if (char === ' ') return `a space at position ${at} stands outside quotes`;
  if (char === '(' || char === ')') return 'comments are not part of an address';
  if (char === ',' || char === ';') return 'give one address at a time';
  return `${char} at position ${at} stands outside quotes`;
}

function tooLong(): string {
  return `the address is longer than ${addressLimit} octets`;
}
