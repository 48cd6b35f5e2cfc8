/** A connection with promises over a simulated line, whose pump and clock a test turns. It checks nothing itself. */
import type { SmtpError } from 'smtpump';
import { connect, type RecipientResult, SendError, type SmtpConnection } from 'smtpump/promises';
import { type Bench, bench, type Setup } from '../client/support.ts';

export interface PromiseBench extends Bench {
  readonly smtp: SmtpConnection;
}

/** Turns the crank for as long as the promise waits: promises move in the event loop, the line in virtual time. */
export async function during<T>(made: Bench, promise: Promise<T>, ms?: number): Promise<T> {
  let done = false;
  const end = promise.finally(() => {
    done = true;
  });
  end.catch(() => {});
  for (let n = 0; n < 10_000 && !done; n++) {
    made.settle(ms);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (!done) throw new Error(`it never came to an end; told: ${made.told.join(', ')}`);
  return end;
}

export async function open(setup: Setup = {}): Promise<PromiseBench> {
  const made = bench(setup);
  const smtp = await during(made, connect(made.client));
  made.news();
  return Object.defineProperties({ smtp }, Object.getOwnPropertyDescriptors(made)) as PromiseBench;
}

/** What a call rejects with, while the crank turns. */
export async function failure(made: Bench, promise: Promise<unknown>): Promise<SmtpError> {
  try {
    await during(made, promise);
  } catch (error) {
    // what it is the test says
    return error as SmtpError;
  }
  throw new Error('it did not fail');
}

/** `ann delivered, bob refused 550` */
export function shortly(recipients: readonly RecipientResult[]): string {
  return recipients
    .map(({ recipient, status, reply }) => {
      const [name] = recipient.address.split('@');
      return reply === undefined || status === 'delivered'
        ? `${name} ${status}`
        : `${name} ${status} ${reply.code}`;
    })
    .join(', ');
}

/** Code, and the result of each recipient where there are any. */
export function fate(error: unknown): string {
  if (error instanceof SendError) return `${error.code}: ${shortly(error.recipients)}`;
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}

/** `ann` is `ann@example.test`. */
export const at = (name: string): string => `${name}@example.test`;
