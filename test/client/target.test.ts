/** Where connect() goes and by which name, with what it is given and what the client has. */
import type { Target, TlsOptions, Transport } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { type Bench, bench, counted, plainLogin, plainServer, type Setup } from './support.ts';

/** A bench that notes what its transport is asked. */
function watched(setup: Setup = {}): Bench & { readonly targets: Target[]; readonly names: unknown[] } {
  const targets: Target[] = [];
  const names: unknown[] = [];
  const wrap = (inner: Transport): Transport => ({
    ...counted(inner, []),
    open(target) {
      targets.push(target);
      inner.open(target);
    },
    secure(options: TlsOptions) {
      names.push(options.servername);
      inner.secure(options);
    },
    get onReady() {
      return inner.onReady;
    },
    set onReady(fn) {
      inner.onReady = fn;
    },
  });
  return Object.assign(bench({ ...setup, wrap }), { targets, names });
}

describe('the name that TLS verifies', () => {
  it.each([
    ['mx.example', 'mx.example'],
    ['mx.example.', 'mx.example'],
    ['bücher.example', 'xn--bcher-kva.example'],
    ['BÜCHER.example.', 'xn--bcher-kva.example'],
    ['例え.テスト', 'xn--r8jz45g.xn--zckzah'],
    ['xn--bcher-kva.example', 'xn--bcher-kva.example'],
    ['192.0.2.25', ''],
    ['2001:db8::25', ''],
  ])('S4: of host %s is %s', (host, name) => {
    const made = watched({ server: { tls: 'starttls' }, client: { host } });
    made.client.connect();
    made.settle();
    expect(made.names).toEqual([name]);
    expect(made.targets[0]?.host).toBe(host);
    // and of a host given to connect() alike
    const other = watched({ server: { tls: 'implicit' }, client: { tls: 'implicit' } });
    other.client.connect({ host });
    other.settle();
    expect(other.names).toEqual([name]);
  });

  it('S4: is the servername that was given, where one was', () => {
    const tlsOptions = { servername: 'mine.example' };
    const made = watched({ server: { tls: 'starttls' }, client: { host: 'mx.example.', tlsOptions } });
    made.client.connect();
    made.settle();
    expect(made.names).toEqual(['mine.example']);
  });
});

describe('what connect() is given stands before the client’s own', () => {
  const targetOf = (client: Setup['client'], target: Parameters<Bench['client']['connect']>[0]) => {
    const made = watched({ ...(client && { client }) });
    made.client.connect(target);
    made.settle();
    return made.targets[0];
  };
  const path = '/run/smtp.sock';

  it('a host or a port does not go to the client’s path; a path given with it does', () => {
    expect(targetOf({ path }, {})?.path).toBe(path);
    expect(targetOf({ path }, { host: 'other.example' })).toMatchObject({
      host: 'other.example',
      path: undefined,
    });
    expect(targetOf({ path }, { port: 2525 })).toMatchObject({ port: 2525, path: undefined });
    expect(targetOf({ path }, { host: 'other.example', path: '/mine' })?.path).toBe('/mine');
    expect(targetOf({ path }, { tls: 'never' })?.path).toBe(path);
    expect(targetOf({ path }, { host: undefined })?.path).toBe(path);
    expect(targetOf({ path }, { path: undefined })?.path).toBeUndefined();
  });

  it('the next connect() without a target is the client’s own again', () => {
    const made = watched({ client: { path } });
    for (const target of [{ host: 'other.example' }, {}]) {
      made.client.connect(target);
      made.settle();
      made.client.abort();
      made.settle();
    }
    expect(made.targets.map((target) => target.path)).toEqual([undefined, path]);
  });

  it('S6: auth: undefined sends no credentials, though the client has some', () => {
    const made = watched({
      server: { tls: 'starttls', ...plainServer },
      client: { auth: plainLogin },
    });
    made.client.connect({ auth: undefined });
    made.settle();
    expect(made.told).toEqual(['SECURE_OK', 'CONNECTED']);
    expect(made.server.commands.filter((line) => line.startsWith('AUTH'))).toEqual([]);
    made.client.disconnect();
    made.settle();
    made.client.connect();
    made.settle();
    expect(made.told).toContain('AUTH_OK PLAIN');
  });
});
