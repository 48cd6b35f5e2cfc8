/** S17: whenever a client is saved, whatever it logs in with is not in it; and the login goes on all the same. */
import { createHmac, pbkdf2Sync } from 'node:crypto';
import { type Json, SmtpClient, type SmtpClientOptions } from 'smtpump';
import { ScriptedServer, SimNetwork, VirtualClock } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';

const password = 'hunter2-CANARY-password';
const token = 'ya29.CANARY-token_9f8e7d';
const shape = { latencyMs: 7, cut: true, bytesPerSecond: 4000 };

function world(auth: SmtpClientOptions['auth'], mechanism: string, at = 0) {
  const clock = new VirtualClock(at);
  const users = { ann: /OAUTH/.test(mechanism) ? token : password };
  const server = new ScriptedServer({ auth: { mechanisms: [mechanism], users, iterations: 64 }, delayMs: 3 });
  const network = new SimNetwork({ clock, ...shape }).listen('*', server);
  const options: SmtpClientOptions = {
    ...{ host: 'mx.example', localName: 'c.example', tls: 'optional', pump: 'manual', auth },
    ...{ clock, transport: network.transport(), random: (length) => new Uint8Array(length).fill(65) },
  };
  return { clock, server, network, options };
}

/** A client whose first word of the login has just left. */
function loggingIn({ clock, options }: ReturnType<typeof world>): SmtpClient {
  const client = new SmtpClient(options);
  client.connect();
  while (client.lastReply?.code !== 250) {
    client.execute();
    clock.advance(1);
  }
  client.execute();
  return client;
}

/** The JSON, and all octets in it as they are: one after another, so that what was cut is whole again. */
function seen(json: Json): string {
  const text = JSON.stringify(json);
  const octets = [...text.matchAll(/"\$(?:base64|reply)":"([^"]*)"/g)];
  return text + octets.map(([, base64 = '']) => Buffer.from(base64, 'base64').toString('latin1')).join('');
}

/** A text, and what base64 makes of it wherever in its groups of three it stands. */
function forms(secret: string | Buffer): string[] {
  const bytes = Buffer.from(secret);
  const shifted = [0, 1, 2].map((by) =>
    Buffer.concat([Buffer.alloc(by), bytes])
      .toString('base64')
      .replaceAll('=', '')
      .slice(by === 0 ? 0 : 4, -2),
  );
  return [bytes.toString('latin1'), bytes.toString('hex'), ...shifted];
}

function scramKeys(text: string, hash: 'sha1' | 'sha256'): Buffer[] {
  const first = /r=[^,]+,s=([^,]+),i=(\d+)/;
  const salts = text.split('\n').flatMap((line) => {
    const [, challenge = ''] = /^334 (\S+)/.exec(line) ?? [];
    const [, salt, rounds] = first.exec(Buffer.from(challenge, 'base64').toString()) ?? [];
    return salt === undefined ? [] : [[salt, Number(rounds)] as const];
  });
  return salts.flatMap(([salt, rounds]) => {
    const size = hash === 'sha256' ? 32 : 20;
    const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), rounds, size, hash);
    const key = (name: string): Buffer => createHmac(hash, salted).update(name).digest();
    return [salted, key('Client Key'), key('Server Key')];
  });
}

describe('S17: no secret is saved, and the login goes on', () => {
  const mechanisms = ['PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'XOAUTH2', 'OAUTHBEARER'];

  it.each(mechanisms)('%s, at every millisecond of the login', (mechanism) => {
    const secret = /OAUTH/.test(mechanism) ? { token: () => token } : { password };
    const auth = { user: 'ann', allowPlaintext: true, ...secret };
    const one = world(auth, mechanism);
    const client = new SmtpClient(one.options);
    client.connect();
    let haul = '';
    let saves = 0;
    while (client.state === 'connecting') {
      client.execute();
      const saved = JSON.parse(JSON.stringify({ client: client.save(), network: one.network.save() }));
      haul += seen(saved.client);
      if (saves++ % 5 === 0) expect(goesOn(saved, one.clock.now())).toBe('ready');
      one.clock.advance(1);
    }
    expect(client.state).toBe('ready');
    expect(saves).toBeGreaterThan(50);
    const keys = scramKeys(haul, mechanism.endsWith('256') ? 'sha256' : 'sha1');
    expect(keys.length > 0).toBe(mechanism.startsWith('SCRAM'));
    const lines = one.server.commands.filter((line) => !/^(?:EHLO|AUTH \S+$)/.test(line));
    const responses = lines.map((line) => line.split(' ').at(-1) ?? '').filter((text) => text.length > 8);
    const user = Buffer.from('ann').toString('base64');
    for (const hidden of [password, token, ...keys].flatMap(forms)) expect(haul).not.toContain(hidden);
    for (const response of responses) if (response !== user) expect(haul).not.toContain(response);

    function goesOn(saved: { client: Json; network: Json }, now: number): string {
      const other = world(auth, mechanism, now);
      other.network.restore(saved.network);
      const again = SmtpClient.restore(saved.client, other.options);
      for (let ms = 0; ms < 2000 && again.state === 'connecting'; ms++) {
        again.execute();
        other.clock.advance(1);
      }
      return again.state;
    }
  });

  it('a login on a line that the client has left is not in it either', () => {
    const one = world({ user: 'ann', password, allowPlaintext: true }, 'PLAIN');
    const client = loggingIn(one);
    client.abort();
    while (client.execute() === 'more');
    const login = Buffer.from(`\0ann\0${password}`).toString('base64');
    expect(seen(client.save())).not.toContain(login);
    client.connect();
    client.execute();
    const saved = client.save();
    expect(seen(saved)).not.toContain(login);
    const other = world({ user: 'ann', password, allowPlaintext: true }, 'PLAIN');
    other.network.restore(one.network.save());
    const again = SmtpClient.restore(saved, other.options);
    for (let ms = 0; ms < 2000 && again.state === 'connecting'; ms++) {
      again.execute();
      other.clock.advance(1);
    }
    expect(again.state).toBe('ready');
    expect(other.server.commands.some((line) => /^\*{9,}$/.test(line))).toBe(true);
    expect(() => SmtpClient.restore(client.save(), { ...other.options, auth: undefined })).toThrow(
      expect.objectContaining({ code: 'EINVAL' }),
    );
  });

  it('a token that is fetched is fetched again; one that comes late cannot stand in for one that was used', () => {
    const late = { user: 'ann', allowPlaintext: true, token: () => new Promise<string>(() => {}) };
    const ready = { ...late, token };
    const one = world({ ...late, token: () => token }, 'XOAUTH2');
    const client = loggingIn(one);
    const saved = client.save();
    const restore = (auth: SmtpClientOptions['auth']) => {
      const other = world(auth, 'XOAUTH2');
      other.network.restore(one.network.save());
      return SmtpClient.restore(saved, other.options);
    };
    expect(() => restore(late)).toThrow(expect.objectContaining({ code: 'EINVAL', option: 'auth.token' }));
    expect(restore(ready).state).toBe('connecting');
  });
});
