/**
 * What a server offers: the EHLO reply (RFC 5321 §4.1.1.1) as facts. Hostile or broken lines are passed over, never
 * an error. It must not know which of the offers are used.
 */
import type { Reply } from './reply.ts';

/** RFC 9422: a limit that is not announced, or not well-formed, is missing. */
export interface ServerLimits {
  /** Transactions a connection. */
  readonly mailMax?: number;
  /** Recipients a transaction. */
  readonly rcptMax?: number;
  /** Different recipient domains a transaction. */
  readonly rcptDomainMax?: number;
}

export interface Capabilities {
  /** What the server calls itself. */
  readonly domain: string;
  /** Keyword in upper case → parameters as sent. Of a keyword sent twice the first counts, but AUTH is joined. */
  readonly keywords: ReadonlyMap<string, string>;
  /** Is the keyword, in any case, among the offers? */
  has(keyword: string): boolean;
  /** RFC 2920 */
  readonly pipelining: boolean;
  /** RFC 3030 */
  readonly chunking: boolean;
  /** RFC 3207 */
  readonly starttls: boolean;
  /** RFC 6152 */
  readonly eightBitMime: boolean;
  /** RFC 6531 */
  readonly smtpUtf8: boolean;
  /** RFC 3030; false without CHUNKING, which it needs. */
  readonly binaryMime: boolean;
  /** RFC 3461 */
  readonly dsn: boolean;
  /** RFC 2034 */
  readonly enhancedStatusCodes: boolean;
  /** Octets a message may have (RFC 1870); 0: offered, but no limit told; undefined: not offered. */
  readonly size: number | undefined;
  /** SASL mechanisms in upper case and in the server's order (RFC 4954), those of the old `AUTH=` too. */
  readonly auth: readonly string[];
  readonly limits: ServerLimits;
}

/** Reads the reply to EHLO. */
export function parseCapabilities(reply: Reply): Capabilities {
  const { text } = reply;
  let known = recent.find((one) => one.text === text);
  if (known === undefined) {
    known = { text, capabilities: readCapabilities(reply.lines) };
    recent = [known, ...recent].slice(0, mostRecent);
  }
  return known.capabilities;
}

/** Servers say the same at every connection, once in clear and once behind TLS, and nobody changes what was read. */
let recent: readonly { readonly text: string; readonly capabilities: Capabilities }[] = [];
const mostRecent = 4;

function readCapabilities([greeting = '', ...lines]: readonly string[]): Capabilities {
  const keywords = new Map<string, string>();
  for (const line of lines) addKeyword(keywords, line);
  return Object.freeze(capabilitiesOf(wordsOf(greeting)[0] ?? '', keywords));
}

/** Of a server that was greeted with HELO. */
export const noCapabilities: Capabilities = capabilitiesOf('', new Map());

function capabilitiesOf(domain: string, keywords: ReadonlyMap<string, string>): Capabilities {
  const has = (keyword: string): boolean => keywords.has(keyword.toUpperCase());
  return {
    domain,
    keywords,
    has,
    pipelining: has('PIPELINING'),
    chunking: has('CHUNKING'),
    starttls: has('STARTTLS'),
    eightBitMime: has('8BITMIME'),
    smtpUtf8: has('SMTPUTF8'),
    binaryMime: has('BINARYMIME') && has('CHUNKING'),
    dsn: has('DSN'),
    enhancedStatusCodes: has('ENHANCEDSTATUSCODES'),
    size: sizeOf(keywords.get('SIZE')),
    auth: mechanismsOf(keywords.get('AUTH')),
    limits: limitsOf(keywords.get('LIMITS')),
  };
}

// All forms are tested before letters are raised: some that are not ASCII become ASCII by that.
const keywordForm = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/** `KEYWORD params`, or `KEYWORD=params` as old servers have it. */
function addKeyword(keywords: Map<string, string>, line: string): void {
  const end = line.search(/[ \t=]/);
  const sent = end < 0 ? line : line.slice(0, end);
  const params = end < 0 ? '' : line.slice(end + 1).trim();
  if (!keywordForm.test(sent)) return;
  const keyword = sent.toUpperCase();
  const before = keywords.get(keyword);
  if (before === undefined) keywords.set(keyword, params);
  else if (keyword === 'AUTH') keywords.set(keyword, `${before} ${params}`);
}

function wordsOf(text: string): string[] {
  return text.split(/[ \t]+/).filter((word) => word !== '');
}

/** A value that is no number, or beyond all numbers, tells no limit. */
function sizeOf(params: string | undefined): number | undefined {
  if (params === undefined) return undefined;
  const [first = ''] = wordsOf(params);
  const octets = /^[0-9]{1,20}$/.test(first) ? Number(first) : 0;
  return Number.isSafeInteger(octets) ? octets : 0;
}

/** RFC 4422 §3.1: one to twenty letters, digits, hyphens and underscores. */
const mechanismForm = /^[A-Za-z0-9_-]{1,20}$/;

function mechanismsOf(params = ''): readonly string[] {
  const mechanisms = wordsOf(params).filter((word) => mechanismForm.test(word));
  return [...new Set(mechanisms.map((word) => word.toUpperCase()))];
}

const limitNames: ReadonlyMap<string, keyof ServerLimits> = new Map([
  ['MAILMAX', 'mailMax'],
  ['RCPTMAX', 'rcptMax'],
  ['RCPTDOMAINMAX', 'rcptDomainMax'],
]);

/** RFC 9422 §4: one to six digits, not zero. The first of two counts. */
function limitsOf(params = ''): ServerLimits {
  const limits: { -readonly [name in keyof ServerLimits]: number } = {};
  for (const word of wordsOf(params)) {
    const [, key = '', value = ''] = /^([A-Za-z]+)=([1-9][0-9]{0,5})$/.exec(word) ?? [];
    const name = limitNames.get(key.toUpperCase());
    if (name !== undefined) limits[name] ??= Number(value);
  }
  return limits;
}
