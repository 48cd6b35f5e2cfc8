/** Logins under attack (S5): what is chosen, what never leaves, and what ends an exchange. */

import type { SmtpClientOptions } from 'smtpump';
import { ScriptedServer, type ServerOptions } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { Attacker, type Move } from './attacker.ts';
import { auth, type Field, field } from './field.ts';

const users = { ann: 'secret' };
const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Connects to the polite server, as far as that goes. */
function meet(server: ServerOptions, client: SmtpClientOptions): Field & { server: ScriptedServer } {
  const scripted = new ScriptedServer(server);
  const made = field(scripted, client);
  made.client.connect();
  made.settle();
  return { ...made, server: scripted };
}

/** Connects to a server that asks and answers as it likes, under implicit TLS. */
function exchange(mechanism: string, moves: Readonly<Record<string, Move>>, client: SmtpClientOptions = {}) {
  const attacker = new Attacker({
    implicit: true,
    moves: { EHLO: { say: [`250-mx\r\n250 AUTH ${mechanism}\r\n`] }, ...moves },
  });
  const made = field(attacker, { tls: 'implicit', auth, ...client });
  made.client.connect();
  made.settle();
  return { ...made, heard: attacker.heard.map((line) => line.slice(1)).slice(1) };
}

const strongestFirst = [
  'SCRAM-SHA-256-PLUS',
  'SCRAM-SHA-1-PLUS',
  'SCRAM-SHA-256',
  'SCRAM-SHA-1',
  'CRAM-MD5',
  'PLAIN',
  'LOGIN',
];

describe('S5: the choice', () => {
  it('is the strongest that is offered, whatever comes first in the list', () => {
    for (let i = 0; i < strongestFirst.length; i++) {
      const offered = strongestFirst.slice(i).reverse();
      const { told } = meet({ tls: 'starttls', auth: { mechanisms: offered, users } }, { auth });
      expect(told[1]).toBe(`AUTH_OK ${strongestFirst[i]}`);
    }
  });

  it('is made from the list under TLS: a mechanism that was offered in clear only is not used', () => {
    const attacker = new Attacker({
      moves: {
        EHLO: { say: ['250-mx\r\n250-STARTTLS\r\n250 AUTH LOGIN PLAIN\r\n'] },
        STARTTLS: { say: ['220 go\r\n'], tls: 'ok' },
        'EHLO!': { say: ['250 mx\r\n'] },
      },
    });
    const { client, settle, told } = field(attacker, { auth });
    client.connect();
    settle();
    expect(told).toEqual(['SECURE_OK', 'AUTH_FAIL']);
    expect(attacker.heard.join()).not.toContain('AUTH');
  });

  it.each(strongestFirst.slice(2))(
    'in clear there is none: %s alone is offered, and nothing leaves',
    (mechanism) => {
      for (const tls of ['never', 'optional'] as const) {
        const { told, server, client } = meet({ auth: { mechanisms: [mechanism], users } }, { tls, auth });
        expect(told).toEqual(['AUTH_FAIL']);
        expect(server.commands).toEqual(['EHLO client.example.test']);
        const [event] = client.life.events;
        expect(event?.name === 'AUTH_FAIL' && event.error.code).toBe('EAUTH');
        expect(event?.name === 'AUTH_FAIL' && event.error.hint).toContain("tls: 'always'");
      }
    },
  );

  it('in clear a token stays here as well, and its source is not even asked', () => {
    let asked = 0;
    const token = (): string => {
      asked++;
      return 'token';
    };
    const { told } = meet(
      { auth: { mechanisms: ['XOAUTH2'], users: { ann: 'token' } } },
      { auth: { user: 'ann', token } },
    );
    expect(told).toEqual(['AUTH_FAIL']);
    expect(asked).toBe(0);
  });

  it('allowPlaintext, by name, lets it', () => {
    const { told } = meet(
      { auth: { mechanisms: ['LOGIN'], users } },
      { auth: { ...auth, allowPlaintext: true } },
    );
    expect(told).toEqual(['AUTH_OK LOGIN', 'CONNECTED']);
  });

  it('a server cannot turn a login with a password into EXTERNAL or ANONYMOUS', () => {
    const { told, server } = meet(
      { tls: 'starttls', auth: { mechanisms: ['EXTERNAL', 'ANONYMOUS'], users } },
      { auth },
    );
    expect(told).toEqual(['SECURE_OK', 'AUTH_FAIL']);
    expect(server.commands.join()).not.toContain('AUTH');
  });

  it('a mechanism that the user did not allow is not tried, be it the only one', () => {
    const { told, server } = meet(
      { tls: 'starttls', auth: { mechanisms: ['PLAIN', 'LOGIN'], users } },
      { auth: { ...auth, mechanisms: ['SCRAM-SHA-256'] } },
    );
    expect(told).toEqual(['SECURE_OK', 'AUTH_FAIL']);
    expect(server.commands.join()).not.toContain('AUTH');
  });
});

describe('S5: the exchange', () => {
  it.each(['LOGIN', 'CRAM-MD5', 'XOAUTH2', 'OAUTHBEARER', 'SCRAM-SHA-1'])(
    '%s: a server that asks on and on is cancelled',
    (mechanism) => {
      const challenge = { say: [`334 ${base64('more')}\r\n`] };
      const attacker = new Attacker({
        implicit: true,
        moves: new Proxy<Record<string, Move>>(
          {},
          {
            get(_, verb) {
              if (verb === 'EHLO') return { say: [`250-mx\r\n250 AUTH ${mechanism}\r\n`] };
              if (verb === '*') return { say: ['501 cancelled\r\n'] };
              return String(verb).endsWith('!') ? undefined : challenge;
            },
          },
        ),
      });
      const made = field(attacker, {
        tls: 'implicit',
        auth: /OAUTH/.test(mechanism) ? { user: 'ann', token: 'token' } : auth,
      });
      made.client.connect();
      made.settle();
      expect(made.told).toEqual(['SECURE_OK', 'AUTH_FAIL 501']);
      expect(attacker.heard.at(-1)).toBe('!*');
      expect(attacker.heard.filter((line) => line.startsWith('!AUTH'))).toHaveLength(1);
      expect(attacker.heard.length).toBeLessThan(8);
    },
  );

  it('a server that asks on after the cancellation loses the connection', () => {
    const made = exchange('PLAIN', { AUTH: { say: ['334 !\r\n'] }, '*': { say: ['334 more\r\n'] } });
    expect(made.heard.at(-1)).toBe('*');
    expect(made.told.at(-1)).toBe('DISCONNECTED ESERVERSYNC');
  });

  it.each([
    '!!!',
    '=',
    'QQ',
    'QQ=',
    'Q===',
    'QUJD QUJD',
    'QUJD\\',
    'čĊ',
    `${base64('x')}\0`,
    'A'.repeat(4000),
  ])('a challenge that is no base64 or no sense is cancelled with `*`: %j', (challenge) => {
    const made = exchange('SCRAM-SHA-256 LOGIN PLAIN', {
      AUTH: { say: [`334 ${challenge}\r\n`] },
      '*': { say: ['501 cancelled\r\n'] },
    });
    expect(made.told).toEqual(['SECURE_OK', 'AUTH_FAIL 501']);
    expect(made.heard).toHaveLength(2);
    expect(made.heard[1]).toBe('*');
  });

  const nonce = Buffer.alloc(24, 7).toString('base64');
  const first = (text: string): Move => ({ say: [`334 ${base64(text)}\r\n`] });

  it.each([
    ['another nonce', 'r=other,s=c2FsdA==,i=4096'],
    ['our nonce and no more', `r=${nonce},s=c2FsdA==,i=4096`],
    ['no salt', `r=${nonce}x,s=,i=4096`],
    ['no iterations', `r=${nonce}x,s=c2FsdA==,i=0`],
    ['negative iterations', `r=${nonce}x,s=c2FsdA==,i=-1`],
    ['iterations without end', `r=${nonce}x,s=c2FsdA==,i=999999999999`],
    ['too many iterations', `r=${nonce}x,s=c2FsdA==,i=1000001`],
    ['an unknown extension', `m=must,r=${nonce}x,s=c2FsdA==,i=4096`],
    ['the last message first', 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ='],
    ['an error', 'e=other-error'],
    ['nothing', ''],
  ])('SCRAM: %s in the first message is cancelled, and no proof leaves', (_, text) => {
    const made = exchange('SCRAM-SHA-1', { AUTH: first(text), '*': { say: ['501 cancelled\r\n'] } });
    expect(made.told).toEqual(['SECURE_OK', 'AUTH_FAIL 501']);
    expect(made.heard.slice(1)).toEqual(['*']);
  });

  const good = first(`r=${nonce}x,s=c2FsdA==,i=4096`);
  /** Answers the proof, whatever it is, by way of its verb: the whole line. */
  const afterProof = (move: Move) => {
    const attacker = new Attacker({
      implicit: true,
      moves: new Proxy<Record<string, Move>>(
        {},
        {
          get(_, verb) {
            if (verb === 'EHLO') return { say: ['250-mx\r\n250 AUTH SCRAM-SHA-1\r\n'] };
            if (verb === 'AUTH') return good;
            if (verb === '*') return { say: ['501 cancelled\r\n'] };
            if (verb === '') return { say: ['235 in\r\n'] };
            return /^[\w+/=]{20,}$/.test(String(verb)) ? move : undefined;
          },
        },
      ),
    });
    const made = field(attacker, { tls: 'implicit', auth });
    made.client.connect();
    made.settle();
    return { ...made, heard: attacker.heard };
  };

  it.each([
    ['a wrong one', `v=${base64('x'.repeat(20))}`],
    ['a short one', 'v=QQ=='],
    ['an empty one', 'v='],
    ['none', 'x=y'],
    ['an error', 'e=invalid-proof'],
  ])('SCRAM: the server’s signature is verified: %s is cancelled', (_, text) => {
    const { told, heard } = afterProof(first(text));
    expect(told).toEqual(['SECURE_OK', 'AUTH_FAIL 501']);
    expect(heard.at(-1)).toBe('!*');
  });

  it('SCRAM: 235 without a signature is no login: not CONNECTED, and no weaker try', () => {
    const { told, client } = afterProof({ say: ['235 welcome\r\n'] });
    expect(told).toEqual(['SECURE_OK', 'AUTH_FAIL 235']);
    expect(client.can('sendSender')).toBe(false);
    expect(client.can('disconnect')).toBe(true);
  });

  it('SCRAM: 235 to the first message is no login either', () => {
    const made = exchange('SCRAM-SHA-1 PLAIN', { AUTH: { say: ['235 welcome\r\n'] } });
    expect(made.told).toEqual(['SECURE_OK', 'AUTH_FAIL 235']);
    expect(made.heard).toHaveLength(1);
  });

  it('an initial response over 512 octets moves after the 334, and arrives whole', () => {
    const token = 'T'.repeat(5000);
    const { told, server } = meet(
      { tls: 'starttls', auth: { mechanisms: ['XOAUTH2'], users: { ann: token } } },
      { auth: { user: 'ann', token } },
    );
    expect(told).toEqual(['SECURE_OK', 'AUTH_OK XOAUTH2', 'CONNECTED']);
    expect(server.commands).toContain('AUTH XOAUTH2');
  });
});
