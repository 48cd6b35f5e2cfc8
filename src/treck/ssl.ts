/** TLS: what an SSL session id stands for, and which session may use it. */
import type { TlsPolicy } from '../../machines/vocabulary.ts';
import type { TlsOptions } from '../transport/transport.ts';
import { type Box, put } from './box.ts';
import * as codes from './codes.ts';
import { type ttSmtpClientHandle, withSession } from './handle.ts';
import type { Session } from './session.ts';

declare const inside: unique symbol;

/** How TLS is to be: certificates, and what is verified. */
export interface SslSession {
  readonly [inside]?: never;
}

const sslSessions = new WeakMap<SslSession, TlsOptions>();

/**
 * Makes an SSL session id of `node:tls` options. The certificate is verified unless `rejectUnauthorized` is false;
 * servers are connected to by address, so give `servername` for a certificate that bears a name.
 * @returns null, and TM_EINVAL, for what are no options
 */
export function tfSslNewSession(
  tlsOptions: TlsOptions = {},
  errorCodePtr?: Box<number> | null,
): SslSession | null {
  const good = typeof tlsOptions === 'object' && tlsOptions !== null;
  put(errorCodePtr, good ? codes.TM_ENOERROR : codes.TM_EINVAL);
  if (!good) return null;
  const id: SslSession = Object.freeze({});
  sslSessions.set(id, tlsOptions);
  return id;
}

/** Allows TLS for the connections to come, by default where the server offers it. TM_EPERM while there is one. */
export function tfSmtpUserSetSsl(handle: ttSmtpClientHandle, ssl: SslSession | null): number {
  return withSession(handle, (session) => {
    const tlsOptions = typeof ssl === 'object' && ssl !== null ? sslSessions.get(ssl) : undefined;
    if (tlsOptions === undefined) return codes.TM_EINVAL;
    if (session.isOnline) return codes.TM_EPERM;
    session.tlsOptions = tlsOptions;
    return codes.TM_ENOERROR;
  });
}

const policies: Readonly<Record<number, TlsPolicy>> = {
  [codes.TM_SMTP_TLSMODE_OPTIONAL]: 'optional',
  [codes.TM_SMTP_TLSMODE_ALWAYS]: 'always',
  [codes.TM_SMTP_TLSMODE_IMPLICIT]: 'implicit',
};

/** Without an SSL session id: never. */
export function policyOf({ tlsOptions, tlsMode }: Session): TlsPolicy {
  return tlsOptions === undefined ? 'never' : (policies[tlsMode] ?? 'optional');
}
