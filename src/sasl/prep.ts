/**
 * SASLprep (RFC 4013). Printable ASCII stands for itself; the library with the tables for everything else is loaded
 * when a text first needs them, since it costs a program 3 MB and a tenth of its time to start.
 */
import { createRequire } from 'node:module';
import type saslprep from '@mongodb-js/saslprep';
import { SaslError } from './mechanism.ts';

const printable = /^[ -~]+$/;
let library: typeof saslprep | undefined;

/**
 * Characters newer than Unicode 3.2 pass, since people do have them in passwords and servers take them.
 * @param what named in errors; the text is not
 */
export function prepare(text: string, what: string): string {
  if (printable.test(text)) return text;
  library ??= load(what);
  let prepared = '';
  try {
    prepared = library(text, { allowUnassigned: true });
  } catch {
    // the library's message may speak of the text
    throw new SaslError(`SCRAM: the ${what} holds characters that SASLprep forbids`);
  }
  if (prepared === '') throw new SaslError(`SCRAM: the ${what} is empty after SASLprep`);
  return prepared;
}

/** At once, as every mechanism answers; `import()` would not. */
function load(what: string): typeof saslprep {
  try {
    return createRequire(import.meta.url)('@mongodb-js/saslprep');
  } catch (error) {
    const text = `SCRAM: the ${what} is not ASCII, which needs @mongodb-js/saslprep: a bundle has to leave it outside`;
    throw new SaslError(text, { cause: error });
  }
}
