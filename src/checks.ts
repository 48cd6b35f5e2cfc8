/**
 * Checks of the values that a caller gives as options: each refuses what it is no good for with SmtpUsageError EINVAL,
 * naming the option and what it should be. It knows none of the options.
 */
import { SmtpUsageError } from './errors.ts';
import { quoted } from './wire/characters.ts';

/** How each option is checked that there is; a new one cannot be forgotten. */
export type Checks<T> = { readonly [K in keyof T]-?: (value: T[K], option: string) => unknown };

/**
 * Checks an object of options, and that it has no others.
 * @param name what the options belong to, such as `tcp`
 */
export function checkOptionsOf<T extends object>(options: T, checks: Checks<T>, name: string): void {
  checkObject(options, name);
  checkKeys(options, Object.keys(checks), name);
  const one = <K extends keyof T & string>(key: K): unknown => checks[key](options[key], `${name}.${key}`);
  // what is inherited counts as well
  for (const key in checks) one(key);
}

/** Refuses what has a key that is none of these. */
export function checkKeys(options: object, known: readonly string[], name: string): void {
  for (const key of Object.keys(options)) if (!known.includes(key)) throw noSuch(key, known, name);
}

export function noSuch(key: string, known: readonly string[], name: string): SmtpUsageError {
  return new SmtpUsageError('EINVAL', `it has no ${quoted(key)}; there are ${known.join(', ')}`, name);
}

export function checkObject(value: unknown, option: string): void {
  if (typeof value !== 'object' || value === null) throw wrong(value, option, 'an object');
}

/** Refuses what is not given at all. */
export function needed<T>(value: T | undefined, option: string): T {
  if (value === undefined) throw new SmtpUsageError('EINVAL', 'it is needed', option);
  return value;
}

export function oneOf<T extends string | number>(
  value: T | undefined,
  list: readonly T[],
  option: string,
): T | undefined {
  if (value === undefined || list.includes(value)) return value;
  throw wrong(value, option, `one of ${list.join(', ')}`);
}

/** @returns true where nothing is given */
export function flag(value: boolean | undefined, option: string): boolean {
  if (value !== undefined && typeof value !== 'boolean') throw wrong(value, option, 'true or false');
  return value ?? true;
}

export function count(value: number | undefined, option: string, least = 0): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return value;
  throw wrong(value, option, `a whole number from ${least} on`);
}

/** A time or a rate, which may be endless. */
export function amount(value: number | undefined, option: string): void {
  if (value === undefined || (typeof value === 'number' && value >= 0)) return;
  throw wrong(value, option, 'a number from 0 on');
}

export function finite(value: number | undefined, option: string): void {
  if (value !== undefined && !Number.isFinite(value)) throw wrong(value, option, 'a number');
}

export function callable(value: unknown, option: string): void {
  if (value !== undefined && typeof value !== 'function') throw wrong(value, option, 'a function');
}

/** An object with that method. */
export function objectWith(method: string): (value: object | undefined, option: string) => void {
  return (value, option) => {
    if (value === undefined) return;
    checkObject(value, option);
    if (typeof Reflect.get(value, method) !== 'function') {
      throw wrong(value, option, `an object with ${method}()`);
    }
  };
}

export function wrong(value: unknown, option: string, wanted: string): SmtpUsageError {
  return new SmtpUsageError('EINVAL', `${quoted(value)} is not ${wanted}`, option);
}
