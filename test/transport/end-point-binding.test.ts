import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Random } from '../../src/testing/index.ts';
import { endPointBinding } from '../../src/transport/end-point-binding.ts';
import { certificate, type Recipe } from '../support/certificates.ts';

describe('endPointBinding', () => {
  it.each<[string, Recipe, string]>([
    ['ECDSA with SHA-256', { key: 'ec', digest: 'sha256' }, 'sha256'],
    ['ECDSA with SHA-384', { key: 'ec', digest: 'sha384' }, 'sha384'],
    ['ECDSA with SHA-512', { key: 'ec', digest: 'sha512' }, 'sha512'],
    ['RSA with SHA-1', { key: 'rsa', digest: 'sha1' }, 'sha256'],
    ['RSA with SHA-384', { key: 'rsa', digest: 'sha384' }, 'sha384'],
    ['RSA-PSS with SHA-256', { key: 'rsa', digest: 'sha256', pss: true }, 'sha256'],
    ['RSA-PSS with SHA-512', { key: 'rsa', digest: 'sha512', pss: true }, 'sha512'],
  ])('hashes a certificate signed by %s as RFC 5929 says', (_, recipe, hash) => {
    const { der } = certificate({ ...recipe, selfSigned: true });
    const data = new Uint8Array(createHash(hash).update(der).digest());
    expect(endPointBinding(der)).toEqual({ type: 'tls-server-end-point', data });
  });

  it('knows none for Ed25519', () => {
    expect(endPointBinding(certificate({ key: 'ed25519', selfSigned: true }).der)).toBeUndefined();
  });

  it('knows none for what is cut or no certificate, and never throws [S9]', () => {
    const { der } = certificate();
    const random = new Random(1);
    for (let i = 0; i < der.length; i++) expect(endPointBinding(der.subarray(0, i))).toBeUndefined();
    for (let i = 0; i < 500; i++) {
      const broken = der.slice();
      broken[random.int(40)] = random.int(256);
      endPointBinding(broken);
      endPointBinding(random.bytes(random.int(60)));
    }
  });
});
