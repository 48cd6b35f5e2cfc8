/**
 * Who the server is, is verified by default in every TLS mode (S4), here on the simulated network; with real
 * certificates the same is asked in test/transport/tls.test.ts.
 */

import { ScriptedServer } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { falsehoods } from '../faults/truths.ts';
import { sendWhole } from '../faults/watched.ts';
import { auth, field } from './field.ts';

const modes = [
  ['optional', 'starttls'],
  ['always', 'starttls'],
  ['implicit', 'implicit'],
] as const;

describe.each(modes)('S4: tls %s', (tls, offered) => {
  it.each(['wrong-name', 'untrusted'] as const)(
    'a certificate that is %s ends the connection unused',
    (handshake) => {
      const server = new ScriptedServer({
        tls: offered,
        handshake,
        auth: { mechanisms: ['PLAIN'], users: {} },
      });
      const made = field(server, { tls, auth });
      made.client.connect();
      sendWhole(made.client);
      made.finish();
      expect(made.told).toEqual(['SECURE_FAIL', 'DISCONNECTED ETLS 1:unsent']);
      expect(server.commands).not.toContainEqual(expect.stringMatching(/AUTH|MAIL/));
      expect(made.tap.text).not.toMatch(/AUTH|MAIL/);
      expect(falsehoods(made.client, { secure: true, server })).toEqual([]);
    },
  );

  it('only rejectUnauthorized: false lets such a one pass, and SECURE_OK says that it was not verified', () => {
    const made = field(new ScriptedServer({ tls: offered, handshake: 'untrusted' }), {
      tls,
      tlsOptions: { rejectUnauthorized: false },
    });
    made.client.connect();
    made.settle();
    expect(made.client.life.events[0]).toMatchObject({ name: 'SECURE_OK', tls: { authorized: false } });
    expect(made.client.secure).toBe(true);
  });

  it('tlsOptions without a say on verification do not turn it off', () => {
    for (const rejectUnauthorized of [undefined, true]) {
      const made = field(new ScriptedServer({ tls: offered, handshake: 'untrusted' }), {
        tls,
        tlsOptions: { rejectUnauthorized, minVersion: 'TLSv1.2' },
      });
      made.client.connect();
      made.finish();
      expect(made.told).toEqual(['SECURE_FAIL', 'DISCONNECTED ETLS']);
    }
  });

  it('the name is always given: the host, or the one that was asked for, and none for an address', () => {
    const nameFor = (options: object): string | undefined => {
      const made = field(new ScriptedServer({ tls: offered }), { tls, ...options });
      made.client.connect();
      made.settle();
      expect(made.client.secure).toBe(true);
      expect(made.tap.servernames).toHaveLength(1);
      return made.tap.servernames[0];
    };
    expect(nameFor({})).toBe('mx.example.test');
    expect(nameFor({ tlsOptions: {} })).toBe('mx.example.test');
    expect(nameFor({ tlsOptions: { servername: undefined } })).toBe('mx.example.test');
    expect(nameFor({ tlsOptions: { servername: 'other.example.test' } })).toBe('other.example.test');
    expect(nameFor({ host: '192.0.2.1' })).toBe('');
    expect(nameFor({ host: '2001:db8::1' })).toBe('');
  });

  it('a host given to connect() is the name that is verified', () => {
    const made = field(new ScriptedServer({ tls: offered }), { tls });
    made.client.connect({ host: 'second.example.test' });
    made.settle();
    expect(made.tap.servernames).toEqual(['second.example.test']);
  });
});
