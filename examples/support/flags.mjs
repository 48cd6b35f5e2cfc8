// @ts-check
/** The flags that the examples have in common: which server, which mail. */
import { parseArgs } from 'node:util';

const text = /** @type {const} */ ({ type: 'string' });
const options = { host: text, port: text, tls: text, user: text, pass: text, from: text, to: text };
const modes = /** @type {const} */ (['never', 'optional', 'always', 'implicit']);

/**
 * What the command line says; undefined without any flag. Without `--pass`, SMTP_PASS of the environment is taken.
 * Ends the process where the flags make no sense.
 * @returns {{ target: import('smtpump').TargetOptions, from: string, to: string } | undefined}
 */
export function readFlags() {
  if (process.argv.length === 2) return undefined;
  const { host, port, user, pass = process.env.SMTP_PASS ?? '', from, to, ...rest } = parse();
  const tls = modes.find((mode) => mode === rest.tls);
  if (host === undefined) return exitWithUsage('--host is missing');
  if (from === undefined || to === undefined) return exitWithUsage('--from and --to are missing');
  if (tls !== rest.tls) return exitWithUsage(`--tls ${rest.tls} is none of ${modes.join(', ')}`);
  if (port !== undefined && !isPort(port)) return exitWithUsage(`--port ${port} is none of 1 to 65535`);
  if (user !== undefined && pass === '') {
    return exitWithUsage('--pass is missing, and SMTP_PASS is not set: --user needs one of them');
  }
  return {
    target: {
      host,
      port: port === undefined ? undefined : Number(port),
      tls,
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
       --from ADDRESS --to ADDRESS
The password may be in the environment instead, as SMTP_PASS.`);
  process.exit(2);
}

/** @param {string} text */
const isPort = (text) => /^[0-9]{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535;

function parse() {
  try {
    return parseArgs({ options }).values;
  } catch (error) {
    return exitWithUsage(error instanceof Error ? error.message : String(error));
  }
}
