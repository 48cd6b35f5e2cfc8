// @ts-check
/** The flags that the examples have in common: which server, which mail. */
import { parseArgs } from 'node:util';

const text = /** @type {const} */ ({ type: 'string' });
const options = { host: text, port: text, tls: text, user: text, pass: text, from: text, to: text };

/**
 * What the command line says; undefined without any flag. Without `--pass`, SMTP_PASS of the environment is taken.
 * Ends the process where the flags make no sense.
 * @returns {{ target: import('smtpump').TargetOptions, from: string, to: string } | undefined}
 */
export function readFlags() {
  if (process.argv.length === 2) return undefined;
  const { host, port, tls, user, pass = process.env.SMTP_PASS ?? '', from, to } = parse();
  if (host === undefined) return exitWithUsage('--host is missing');
  if (from === undefined || to === undefined) return exitWithUsage('--from and --to are missing');
  return {
    target: {
      host,
      port: port === undefined ? undefined : Number(port),
      tls: /** @type {import('smtpump').TargetOptions['tls']} */ (tls),
      auth: user === undefined ? undefined : { user, password: pass },
    },
    from,
    to,
  };
}

/**
 * @param {string} reason
 * @returns {never}
 */
export function exitWithUsage(reason) {
  console.error(`${reason}
flags: --host NAME [--port N] [--tls never|optional|always|implicit] [--user NAME --pass TEXT]
       --from ADDRESS --to ADDRESS`);
  process.exit(2);
}

function parse() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return exitWithUsage(error instanceof Error ? error.message : String(error));
  }
}
