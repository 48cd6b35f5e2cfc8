/**
 * Certificates for tests, made by the openssl program and kept in the system's folder for temporary files. Keys never
 * enter the repository.
 */
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Recipe {
  /** Names in the certificate, as openssl writes them. @default ['DNS:mx.example.test'] */
  readonly names?: readonly string[];
  /** -1 = expired. @default 3650 */
  readonly days?: number;
  /** @default 'ec' */
  readonly key?: 'ec' | 'rsa' | 'ed25519';
  /** Of the signature. @default 'sha256' */
  readonly digest?: 'sha1' | 'sha256' | 'sha384' | 'sha512';
  /** @default false */
  readonly pss?: boolean;
  /** Signed by itself instead of the test authority. @default false */
  readonly selfSigned?: boolean;
}

export interface Certificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
  /** Who signed it. */
  readonly ca: string;
  readonly der: Uint8Array;
}

const version = 1;
const keyOptions = {
  ec: ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
  rsa: ['rsa:2048'],
  ed25519: ['ed25519'],
};

/** The certificate for a recipe, made at most once on a machine. */
export function certificate(recipe: Recipe = {}): Certificate {
  const label = createHash('sha256')
    .update(JSON.stringify([version, recipe]))
    .digest('hex')
    .slice(0, 16);
  const folder = cached(`leaf-${label}`, (into) => make(into, recipe));
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const cert = read('cert.pem');
  const ca = recipe.selfSigned === true ? cert : authority().cert;
  return { key: read('key.pem'), cert, ca, der: new Uint8Array(new X509Certificate(cert).raw) };
}

function authority(): { readonly folder: string; readonly cert: string } {
  const folder = cached(`authority-${version}`, (into) => {
    const key = ['-newkey', ...keyOptions.ec, '-nodes', '-keyout', join(into, 'key.pem')];
    openssl(
      'req',
      '-x509',
      ...key,
      '-out',
      join(into, 'cert.pem'),
      '-days',
      '3650',
      '-subj',
      '/CN=test authority',
    );
  });
  return { folder, cert: readFileSync(join(folder, 'cert.pem'), 'utf8') };
}

function make(into: string, recipe: Recipe): void {
  const { names = ['DNS:mx.example.test'], days = 3650, key = 'ec', digest = 'sha256' } = recipe;
  const file = (name: string): string => join(into, name);
  const signature = key === 'ed25519' ? [] : [`-${digest}`];
  if (recipe.pss === true) signature.push('-sigopt', 'rsa_padding_mode:pss', '-sigopt', 'rsa_pss_saltlen:32');
  const newKey = ['-newkey', ...keyOptions[key], '-nodes', '-keyout', file('key.pem')];
  openssl('req', ...newKey, '-out', file('request.pem'), '-subj', '/CN=test');
  writeFileSync(file('extensions'), `subjectAltName=${names.join(',')}\n`);
  const signer =
    recipe.selfSigned === true
      ? ['-signkey', file('key.pem')]
      : ['-CA', join(authority().folder, 'cert.pem'), '-CAkey', join(authority().folder, 'key.pem')];
  const serial = ['-set_serial', `0x${createHash('sha256').update(into).digest('hex').slice(0, 12)}`];
  const input = ['-req', '-in', file('request.pem'), '-extfile', file('extensions'), '-days', String(days)];
  openssl('x509', ...input, ...signer, ...serial, ...signature, '-out', file('cert.pem'));
}

/** Test files run side by side: the first finished folder stays. */
function cached(name: string, fill: (into: string) => void): string {
  const folder = join(tmpdir(), `smtpump-test-${name}`);
  if (existsSync(folder)) return folder;
  const draft = mkdtempSync(join(tmpdir(), 'smtpump-draft-'));
  fill(draft);
  try {
    renameSync(draft, folder);
  } catch {
    rmSync(draft, { recursive: true });
  }
  return folder;
}

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: 'pipe' });
}
