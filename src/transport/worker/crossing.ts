/**
 * What can be handed to another thread: plain data. Functions and objects that live in one thread are refused by
 * name, before anything is sent.
 */
import { SmtpUsageError } from '../../errors.ts';

/** @throws SmtpUsageError EINVAL, naming the option that cannot cross, such as `tlsOptions.checkServerIdentity` */
export function checkCrossing(value: unknown, option: string): void {
  if (typeof value === 'function') throw stays(option, 'a function');
  if (typeof value === 'symbol') throw stays(option, 'a symbol');
  if (typeof value !== 'object' || value === null) return;
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return;
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) checkCrossing(item, `${option}[${at}]`);
    return;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw stays(option, `a ${value.constructor?.name ?? 'special object'}`);
  }
  for (const [key, item] of Object.entries(value)) checkCrossing(item, `${option}.${key}`);
}

function stays(option: string, what: string): SmtpUsageError {
  const text = `${what} cannot cross to the thread of the worker transport; the tcp() transport takes it`;
  return new SmtpUsageError('EINVAL', text, option);
}
