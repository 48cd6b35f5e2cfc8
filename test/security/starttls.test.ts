/** What may go wrong between the first clear octet and the first secret one: STARTTLS under attack (S1, S2, S3). */

import { ScriptedServer } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { falsehoods } from '../faults/truths.ts';
import { sendWhole } from '../faults/watched.ts';
import { Attacker, type Plan } from './attacker.ts';
import { auth, type Field, field } from './field.ts';

const offer = { say: ['250-mx.example.test\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n'] };

/** The client said STARTTLS, or nothing beyond EHLO, and not an octet more; it knows why, and is at rest. */
function stopped({ client, tap, told }: Field, lastWords: string): void {
  expect(tap.text.endsWith(lastWords), `the last words are ${JSON.stringify(tap.text.slice(-60))}`).toBe(
    true,
  );
  expect(tap.text).not.toContain('AUTH');
  expect(tap.text).not.toContain('MAIL');
  expect(told.join()).not.toContain('CONNECTED,');
  expect(told.filter((one) => one === 'CONNECTED')).toEqual([]);
  expect(falsehoods(client, { secure: true })).toEqual([]);
  expect(client.capabilities).toBeUndefined();
}

describe('S1: clear octets behind the 220 to STARTTLS', () => {
  const injected = {
    'a whole reply': '250-injected\r\n250 AUTH PLAIN\r\n',
    'an unfinished reply': '250-injected\r\n',
    'half a line': '250-inj',
    'one digit': '2',
    'one octet': 'x',
    'an empty line': '\r\n',
    'a lone LF': '\n',
    'a 421': '421 go away\r\n',
    'a second 220': '220 go\r\n',
  };
  const policies = [{ tls: 'always' }, { tls: 'optional' }, { tls: 'optional', auth }] as const;

  function attack(segments: readonly string[], options: (typeof policies)[number], budget: number): Field {
    const plan: Plan = { moves: { EHLO: offer, STARTTLS: { say: segments, tls: 'ok' } } };
    const made = field(new Attacker(plan), options);
    made.client.connect();
    sendWhole(made.client);
    made.settle(budget);
    made.finish();
    return made;
  }

  it.each(Object.entries(injected))('%s, in one segment', (_, text) => {
    for (const options of policies) {
      for (const budget of [64, 1]) stopped(attack([`220 go\r\n${text}`], options, budget), 'STARTTLS\r\n');
    }
  });

  it.each(Object.entries(injected))('%s, in a segment of its own', (_, text) => {
    for (const options of policies) {
      for (const budget of [64, 2, 1]) stopped(attack(['220 go\r\n', text], options, budget), 'STARTTLS\r\n');
    }
  });

  it.each(Object.entries(injected))('%s, cut anywhere', (_, text) => {
    const whole = `220 go\r\n${text}`;
    for (let at = 1; at < whole.length; at++)
      stopped(attack([whole.slice(0, at), whole.slice(at)], { tls: 'always' }, 64), 'STARTTLS\r\n');
    stopped(attack([...whole], { tls: 'always' }, 64), 'STARTTLS\r\n');
  });

  it('while the handshake is on its way', () => {
    const server = new Attacker({ moves: { EHLO: offer, STARTTLS: { say: ['220 go\r\n'] } } });
    const made = field(server, { tls: 'always', auth }, { latencyMs: 10 });
    made.client.connect();
    sendWhole(made.client);
    made.finish();
    expect(server.heard.slice(0, 2)).toEqual(['EHLO client.example.test', 'STARTTLS']);
    stopped(made, 'STARTTLS\r\n');
  });

  it('octets before the 220 count as well: a reply too many in the greeting or in EHLO', () => {
    for (const plan of [
      { greeting: '220 mx\r\n250-STARTTLS\r\n250 x\r\n', moves: { EHLO: offer } },
      { moves: { EHLO: { say: [...offer.say, '220 go\r\n'] } } },
    ]) {
      const made = field(new Attacker(plan), { tls: 'always', auth });
      made.client.connect();
      made.finish();
      expect(made.told).toEqual(['DISCONNECTED ESERVERSYNC']);
      expect(made.tap.calls.secure).toBe(0);
    }
  });

  it('the EHLO list, the greeting and the mechanisms of before are forgotten, and EHLO is said anew', () => {
    const server = new Attacker({
      moves: {
        EHLO: {
          say: ['250-clear\r\n250-STARTTLS\r\n250-SIZE 7\r\n250-DSN\r\n250-PIPELINING\r\n250 AUTH LOGIN\r\n'],
        },
        STARTTLS: { say: ['220 go\r\n'], tls: 'ok' },
        'EHLO!': { say: ['250-secret\r\n250 AUTH PLAIN\r\n'] },
        'AUTH!': { say: ['235 in\r\n'] },
      },
    });
    const { client, settle, told } = field(server, { auth });
    client.connect();
    settle();
    expect(told).toEqual(['SECURE_OK', 'AUTH_OK PLAIN', 'CONNECTED']);
    expect(server.heard).toEqual([
      'EHLO client.example.test',
      'STARTTLS',
      '!EHLO client.example.test',
      expect.stringMatching(/^!AUTH PLAIN /),
    ]);
    expect([...(client.capabilities?.keywords.keys() ?? [])]).toEqual(['AUTH']);
    expect(client.capabilities).toMatchObject({
      domain: 'secret',
      size: undefined,
      dsn: false,
      pipelining: false,
    });
  });

  it('the list of an earlier connection is forgotten too', () => {
    let offered = ['STARTTLS'];
    const server = new ScriptedServer({ tls: 'starttls', extensions: () => offered });
    const { client, settle, told } = field(server, { tls: 'never' });
    offered = ['SIZE 99', 'DSN'];
    client.connect();
    settle();
    expect(client.capabilities?.dsn).toBe(true);
    client.disconnect();
    settle();
    offered = [];
    client.connect();
    expect(client.capabilities).toBeUndefined();
    client.sendSender({ address: 'a@example.test', ret: 'full' });
    settle();
    expect(told.at(-1)).toBe('SERVER_ERROR sendSender 1 EUNSUPPORTED');
  });
});

describe('S2: always fails closed', () => {
  const refuse = (text: string): Plan => ({ moves: { EHLO: offer, STARTTLS: { say: [text] } } });
  const downgrades: Readonly<Record<string, readonly [Plan, lastWords: string, end?: string]>> = {
    'the keyword is hidden, and the command refused': [
      { moves: { EHLO: { say: ['250 mx\r\n'] }, STARTTLS: { say: ['502 what?\r\n'] } } },
      'STARTTLS\r\n',
    ],
    'STARTTLS is refused for good': [refuse('554 no\r\n'), 'STARTTLS\r\n'],
    'STARTTLS is refused for now': [refuse('454 not now\r\n'), 'STARTTLS\r\n'],
    'STARTTLS is answered 250': [refuse('250 sure, go on in clear\r\n'), 'STARTTLS\r\n'],
    'STARTTLS is answered 334': [refuse('334 \r\n'), 'STARTTLS\r\n', 'DISCONNECTED ESERVERSYNC'],
    'the handshake fails': [
      { moves: { EHLO: offer, STARTTLS: { say: ['220 go\r\n'], tls: 'fail' } } },
      'STARTTLS\r\n',
    ],
    'the certificate is for another name': [
      { moves: { EHLO: offer, STARTTLS: { say: ['220 go\r\n'], tls: 'wrong-name' } } },
      'STARTTLS\r\n',
    ],
    'the certificate is nobody’s': [
      { moves: { EHLO: offer, STARTTLS: { say: ['220 go\r\n'], tls: 'untrusted' } } },
      'STARTTLS\r\n',
    ],
    'the server hangs up in place of a handshake': [
      { moves: { EHLO: offer, STARTTLS: { say: ['220 go\r\n'], end: true } } },
      'STARTTLS\r\n',
      'DISCONNECTED',
    ],
    'EHLO is refused, so that HELO would follow': [
      { moves: { EHLO: { say: ['502 what?\r\n'] } } },
      'EHLO client.example.test\r\n',
    ],
    'EHLO is refused for good': [
      { moves: { EHLO: { say: ['550 no\r\n'] } } },
      'EHLO client.example.test\r\n',
    ],
  };

  it.each(Object.entries(downgrades))('%s', (_, [plan, lastWords, end]) => {
    for (const options of [
      { tls: 'always' },
      { tls: 'always', auth: { ...auth, allowPlaintext: true } },
    ] as const) {
      const made = field(new Attacker(plan), options);
      made.client.connect();
      sendWhole(made.client);
      made.finish();
      stopped(made, lastWords);
      if (end === undefined) expect(made.told).toEqual(['SECURE_FAIL', 'DISCONNECTED ETLS 1:unsent']);
      else expect(made.told.at(-1)).toMatch(new RegExp(`^${end}.* 1:unsent$`));
    }
  });

  it('implicit: a server that speaks in clear hears nothing at all', () => {
    const made = field(new Attacker({ greeting: '220-mx\r\n220 in clear\r\n' }), { tls: 'implicit', auth });
    made.client.connect();
    sendWhole(made.client);
    made.finish();
    expect(made.tap.bytesOut).toBe(0);
    expect(made.told).toEqual(['SECURE_FAIL', 'DISCONNECTED ETLS 1:unsent']);
  });

  it('a PREAUTH-like greeting with a list in it changes nothing', () => {
    const made = field(new Attacker({ greeting: '220-mx\r\n220-STARTTLS\r\n220 AUTH PLAIN\r\n' }), {
      tls: 'always',
      auth,
    });
    made.client.connect();
    made.finish();
    stopped(made, 'STARTTLS\r\n');
  });
});

describe('S3: optional', () => {
  const failing = ['fail', 'wrong-name', 'untrusted', 'stall'] as const;

  it.each(failing)('a handshake that ends in %s never goes on in clear, nor on a new line', (handshake) => {
    for (const options of [{}, { auth }, { auth: { ...auth, allowPlaintext: true } }]) {
      const server = new ScriptedServer({
        tls: 'starttls',
        handshake,
        auth: { mechanisms: ['PLAIN'], users: {} },
      });
      const made = field(server, options);
      made.client.connect();
      sendWhole(made.client);
      made.finish();
      stopped(made, 'STARTTLS\r\n');
      expect(server.commands).toEqual(['EHLO client.example.test', 'STARTTLS']);
      expect(server.accepted).toBe(1);
      const cause = handshake === 'stall' ? 'TIMEOUT tls' : 'SECURE_FAIL';
      const end = handshake === 'stall' ? 'ETIMEDOUT' : 'ETLS';
      expect(made.told).toEqual([cause, `DISCONNECTED ${end} 1:unsent`]);
    }
  });

  it.each([502, 454, 250])(
    'STARTTLS answered %i: credentials never leave, even where clear text is allowed',
    (code) => {
      const server = new Attacker({ moves: { EHLO: offer, STARTTLS: { say: [`${code} no\r\n`] } } });
      const made = field(server, { auth: { ...auth, allowPlaintext: true } });
      made.client.connect();
      made.finish();
      stopped(made, 'STARTTLS\r\n');
      expect(made.told).toEqual(['SECURE_FAIL', 'DISCONNECTED ETLS']);
    },
  );

  it('STARTTLS refused, without credentials: goes on, and says so in an event and in the result', () => {
    const server = new Attacker({ moves: { EHLO: offer, STARTTLS: { say: ['454 no\r\n'] } } });
    const { client, settle, told } = field(server);
    client.connect();
    settle();
    expect(told).toEqual(['SECURE_FAIL', 'CONNECTED']);
    expect(client.secure).toBe(false);
    expect(client.life.events).toContainEqual(expect.objectContaining({ name: 'CONNECTED', secure: false }));
  });

  it('the keyword is hidden: credentials stay here, which is told as AUTH_FAIL', () => {
    const server = new Attacker({
      moves: { EHLO: { say: ['250-mx\r\n250 AUTH PLAIN LOGIN CRAM-MD5\r\n'] } },
    });
    const { client, settle, told } = field(server, { auth });
    client.connect();
    settle();
    expect(told).toEqual(['AUTH_FAIL']);
    expect(server.heard).toEqual(['EHLO client.example.test']);
    client.disconnect();
    settle();
    expect(client.state).toBe('disconnected');
  });
});
