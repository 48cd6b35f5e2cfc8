/** What `servers.sh` says of each server that it started; the one place where that JSON is believed. */
import { readFileSync } from 'node:fs';

export interface Server {
  readonly host: string;
  readonly port: number;
  readonly implicitTlsPort: number;
  readonly protocol: 'smtp' | 'lmtp';
  /** Holds a maildir for each local part of `recipients`. */
  readonly mail: string;
  readonly recipients: readonly [string, string];
  /** Refused for good at RCPT. */
  readonly refused: string;
  /** The certificate to trust, a file. */
  readonly ca: string;
  readonly log: string;
  readonly user?: string;
  readonly password?: string;
  /** For OAUTHBEARER and XOAUTH2. */
  readonly token?: string;
  /** No mail without a login. */
  readonly authRequired?: true;
  /** Every handshake fails, whatever it offers. */
  readonly brokenTls?: true;
  /** As announced to a probe that is no part of this package. */
  readonly features: { readonly clear: readonly string[]; readonly tls?: readonly string[] };
  readonly auth: { readonly clear: readonly string[]; readonly tls?: readonly string[] };
}

export interface Servers {
  readonly up: Readonly<Record<string, Server>>;
  /** Name to reason. */
  readonly skipped: Readonly<Record<string, string>>;
}

export function readServers(path: string): Servers {
  const all: Record<string, Server | { skipped: string }> = JSON.parse(readFileSync(path, 'utf8'));
  const up: Record<string, Server> = {};
  const skipped: Record<string, string> = {};
  for (const [name, server] of Object.entries(all)) {
    if ('skipped' in server) skipped[name] = server.skipped;
    else up[name] = server;
  }
  return { up, skipped };
}
