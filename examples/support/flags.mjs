// @ts-check
/** The flags that the examples have in common: which server, which mail. */
import { parseArgs } from 'node:util';

export const usage =
  '--host NAME [--port N] [--tls never|optional|always|implicit] [--user NAME --pass TEXT] --from ADDRESS --to ADDRESS';

/**
 * What the command line says; undefined without `--host`. Without `--pass`, the environment's SMTP_PASS is taken.
 * @returns {{ target: import('smtpump').TargetOptions, from: string, to: string } | undefined}
 */
export function readFlags() {
  const text = /** @type {const} */ ({ type: 'string' });
  const { values } = parseArgs({
    options: { host: text, port: text, tls: text, user: text, pass: text, from: text, to: text },
  });
  const { host, port, tls, user, pass = process.env.SMTP_PASS ?? '', from = '', to = '' } = values;
  if (host === undefined) return undefined;
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
