/**
 * Domains, address literals and the name in EHLO (RFC 5321 §4.1.2, §4.1.3; IDNA for names that are not ASCII).
 * It must not know about mailboxes or commands.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net';
import { domainToASCII, domainToUnicode } from 'node:url';
import { SmtpUsageError } from '../errors.ts';
import { checkText, codePoint, isAlphanumeric, isAscii, quoted } from './characters.ts';

/** RFC 5321 §4.5.3.1.2, RFC 1035 §2.3.4. */
const domainLimit = 255;
const labelLimit = 63;
/** Longer than any name that could pass, in any script: refused before it is looked at. */
const sanityLimit = 1000;

const hyphen = 0x2d;
const dot = 0x2e;
const hyphenEdge = 'a label of the domain begins or ends with "-"';

export interface Domain {
  /** As it goes on a line without SMTPUTF8: LDH labels, A-labels, or a literal in brackets. */
  readonly ascii: string;
  /** The same with U-labels. */
  readonly unicode: string;
}

/** Why a text is no domain, or the domain. Never throws: the caller knows what to quote. */
export function readDomain(text: string): Domain | string {
  if (text === '') return 'the domain is empty';
  if (text.length > sanityLimit) return `the domain is longer than ${domainLimit} octets`;
  if (text.startsWith('[')) return readLiteral(text);
  if (isAscii(text)) return nameFault(text) ?? { ascii: text, unicode: text };
  return readInternational(text);
}

/** IDNA (RFC 5890). What is not ASCII is converted, and the result has to be a name like any other. */
function readInternational(text: string): Domain | string {
  // domainToASCII must see no ASCII character but LDH: it would cut at "/" and decode "%41".
  const wrong = wrongCharacter(text);
  if (wrong !== undefined) return wrong;
  const ascii = domainToASCII(text);
  const fault = ascii === '' ? 'the domain is not valid under IDNA' : nameFault(ascii);
  if (fault !== undefined) return fault;
  const unicode = domainToUnicode(ascii);
  // The conversion hides a hyphen at the edge of a U-label inside the A-label.
  const hidden = unicode.split('.').some((label) => label.startsWith('-') || label.endsWith('-'));
  return hidden ? hyphenEdge : { ascii, unicode };
}

function wrongCharacter(text: string): string | undefined {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (isAlphanumeric(code) || code === hyphen || code === dot || code > 0x7f) continue;
    const shown = code > 0x20 && code < 0x7f ? `"${text.charAt(i)}"` : codePoint(text, i);
    const hint = shown === '","' || shown === '";"' ? ': give one address at a time' : '';
    return `the domain holds ${shown}${hint}`;
  }
  return undefined;
}

/** Why an ASCII text is no domain name: one pass, label by label. */
function nameFault(name: string): string | undefined {
  if (name.length > domainLimit) return `the domain is longer than ${domainLimit} octets`;
  let start = 0;
  for (let i = 0; i <= name.length; i++) {
    const code = i < name.length ? name.charCodeAt(i) : dot;
    if (code === dot) {
      const fault = labelFault(name, start, i);
      if (fault !== undefined) return fault;
      start = i + 1;
    } else if (code !== hyphen && !isAlphanumeric(code)) {
      return wrongCharacter(name);
    }
  }
  const last = name.charCodeAt(name.length - 1);
  // An address ends in a digit; few names do.
  if (last >= 0x30 && last <= 0x39 && isIPv4(name)) return `an IP address is written in brackets, [${name}]`;
  return undefined;
}

function labelFault(name: string, start: number, end: number): string | undefined {
  if (end === start) return 'the domain has an empty label (a dot too many?)';
  if (end - start > labelLimit) return `a label of the domain is longer than ${labelLimit} octets`;
  if (name.charCodeAt(start) === hyphen || name.charCodeAt(end - 1) === hyphen) return hyphenEdge;
  return undefined;
}

/** `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 §4.1.3). */
function readLiteral(text: string): Domain | string {
  const inner = text.slice(1, -1);
  const isSix = /^ipv6:/i.test(inner);
  const ip = isSix ? inner.slice(5) : inner;
  // A zone ("%eth0") means nothing to anyone else.
  const valid = text.endsWith(']') && (isSix ? isIPv6(ip) && !ip.includes('%') : isIPv4(ip));
  if (!valid) {
    const hint = isIPv6(inner) ? `: write [IPv6:${inner}]` : '';
    return `${quoted(text)} is no address literal, such as [192.0.2.1] or [IPv6:2001:db8::1]${hint}`;
  }
  const ascii = isSix ? `[IPv6:${ip}]` : text;
  return { ascii, unicode: ascii };
}

/** The address literal of an IP address: `[192.0.2.1]`, `[IPv6:2001:db8::1]`. An IPv4-mapped address becomes IPv4. */
export function addressLiteral(ip: string): string {
  const bare = ip.split('%', 1)[0] ?? '';
  const mapped = /^::ffff:(?=\d+\.)/i.test(bare) ? bare.slice(7) : bare;
  const version = isIP(mapped);
  if (version === 0) throw new SmtpUsageError('EINVAL', `${quoted(ip)} is no IP address`, 'address');
  return version === 4 ? `[${mapped}]` : `[IPv6:${mapped}]`;
}

/**
 * The name given in EHLO, HELO and LHLO (RFC 5321 §4.1.1.1): a domain or an address literal, nothing else.
 * Names that are not ASCII become A-labels, since EHLO comes before SMTPUTF8 is known.
 */
export function parseHelo(text: string, option: string): string {
  checkText(text, option);
  const domain = readDomain(text);
  if (typeof domain !== 'string') return domain.ascii;
  throw new SmtpUsageError('EINVAL', `${quoted(text)} is no domain or address literal: ${domain}`, option);
}
