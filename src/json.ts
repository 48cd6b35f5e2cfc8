/**
 * What has been saved, as plain JSON: values that JSON does not know get a form of their own, and a seal says whether
 * all of it is there. Each noun says itself what of it is to be saved; this file knows none of them.
 *
 * Octets are `{ "$base64": … }`, numbers without end `{ "$number": "Infinity" }`, replies `{ "$reply": … }`, errors
 * `{ "$error": … }`. What is undefined is left out.
 */
import { createHash } from 'node:crypto';
import { SmtpError, type SmtpErrorDetails, SmtpUsageError } from './errors.ts';
import { Reply } from './wire/reply.ts';

/** Plain data: it is the same after `JSON.parse(JSON.stringify(json))`. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

type Fields = { readonly [key: string]: unknown };

/** Throws where a value is met that has no form: a function, a secret, an object of an unknown class. */
export function toJson(value: unknown): Json {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : { $number: String(value) };
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Uint8Array) return { $base64: base64(value) };
  if (value instanceof Reply) return { $reply: base64(value.bytes) };
  if (value instanceof Error) return { $error: fieldsToJson(errorFields(value)) };
  if (isPlain(value)) return fieldsToJson(value);
  throw new TypeError(
    `there is no JSON for ${typeof value === 'object' ? value.constructor.name : typeof value}`,
  );
}

/** The values that the JSON was made of. Arrays and objects are new ones. */
export function fromJson(json: Json | undefined): unknown {
  if (json === undefined || json === null || typeof json !== 'object') return json;
  if (isList(json)) return json.map(fromJson);
  const [key, ...more] = Object.keys(json);
  const only = key === undefined || more.length > 0 ? undefined : json[key];
  if (typeof only === 'string') {
    if (key === '$number') return Number(only);
    if (key === '$base64') return fromBase64(only);
    if (key === '$reply') return Reply.of(fromBase64(only));
  }
  const fields = Object.fromEntries(Object.entries(json).map(([name, inner]) => [name, fromJson(inner)]));
  // an error's fields are those that `errorFields` has written
  return key === '$error' && more.length === 0 ? errorOf(fields.$error as ErrorFields) : fields;
}

function fieldsToJson(fields: Fields): Json {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries.map(([key, value]) => [key, toJson(value)]));
}

function isPlain(value: unknown): value is Fields {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

const isList = (json: Json): json is readonly Json[] => Array.isArray(json);

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** In memory of its own: what comes out of Buffer's pool would pin it. */
function fromBase64(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

// ── errors ──

type ErrorFields = { readonly name: string; readonly message: string } & Fields;
type Details = Pick<SmtpErrorDetails, keyof SmtpErrorDetails>;

/** What an error tells, without its stack. Of a foreign one only what is text or number. */
function errorFields(error: Error): ErrorFields {
  const { name, message, cause } = error;
  const told = Object.entries(error).filter(
    ([key, value]) =>
      error instanceof SmtpError || (key !== 'stack' && /^(?:string|number)$/.test(typeof value)),
  );
  return { ...Object.fromEntries(told), name, message, cause: cause instanceof Error ? cause : undefined };
}

function errorOf({ name, message, cause, ...told }: ErrorFields): Error {
  if (name !== 'SmtpError') {
    const error = new Error(message, cause === undefined ? undefined : { cause });
    return Object.assign(error, { name, ...told });
  }
  const details = told as Details;
  const error = new SmtpError({ ...details, cause });
  // it was made of more than is kept
  error.message = message;
  return error;
}

// ── the whole ──

const format = 1;

/** Names what was saved, says in which form, and seals it. */
export function seal(what: string, content: Json): Json {
  return { smtpump: what, format, seal: sealOf(content), content };
}

/**
 * What {@link seal} was given.
 * @throws SmtpUsageError EINVAL where it is something else, of another format, or was changed since
 */
export function unseal(what: string, json: Json): Json {
  if (typeof json !== 'object' || json === null || isList(json) || json.smtpump !== what) {
    throw invalid(what, `it is no saved ${what}`);
  }
  if (json.format !== format) {
    const hint = 'save it again with this version of smtpump, or restore it with the one that saved it';
    throw invalid(
      what,
      `its format is ${JSON.stringify(json.format)}, this version reads ${format}: ${hint}`,
    );
  }
  if (json.content === undefined || json.seal !== sealOf(json.content)) {
    throw invalid(what, 'it was cut or changed since it was saved');
  }
  return json.content;
}

/** Whatever `restore` stumbles over is a fault of what it was given. */
export function restoring<T>(what: string, restore: () => T): T {
  try {
    return restore();
  } catch (error) {
    if (error instanceof SmtpUsageError) throw error;
    throw invalid(what, `it cannot be restored: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function invalid(what: string, message: string): SmtpUsageError {
  return new SmtpUsageError('EINVAL', message, `saved ${what}`);
}

/** The order of keys does not count: not every store keeps it. */
function sealOf(content: Json): string {
  const sorted = (_: string, value: Json): Json =>
    typeof value === 'object' && value !== null && !isList(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return createHash('sha256').update(JSON.stringify(content, sorted)).digest('base64');
}
