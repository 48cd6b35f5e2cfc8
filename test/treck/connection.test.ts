/** Connections of the Treck names: the return codes and events of each way that they go. */
import * as tm from 'smtpump/treck';
import { describe, expect, it } from 'vitest';
import { replies } from '../client/support.ts';
import { address, codeName, eventName, mail, online, type RigSetup, rig, silent } from './support.ts';

const connect = (h: tm.ttSmtpClientHandle): number => tm.tfSmtpUserConnect(h, address, null, null);

describe('connect', () => {
  it.each([
    ['no address', null, null, null],
    ['a name in place of an address', { address: 'mx.example.test', port: 25 }, null, null],
    ['port 0', { ...address, port: 0 }, null, null],
    ['TK11: a user name with an empty password', address, 'ann', ''],
    ['TK11: a user name without a password', address, 'ann', null],
  ])('refuses %s, before any traffic', (_, where, user, password) => {
    const made = rig();
    expect(made.does((h) => tm.tfSmtpUserConnect(h, where, user, password))).toBe('TM_EINVAL');
    expect([made.server.accepted, made.told]).toEqual([0, []]);
    expect(made.does(connect)).toBe('TM_ENOERROR');
  });

  it('what is no address at all is TM_EINVAL too', () => {
    const { handle } = rig();
    // what a caller without types may give
    for (const where of [undefined, 7, '192.0.2.1'] as unknown[]) {
      expect(codeName(tm.tfSmtpUserConnect(handle, where as null, null, null))).toBe('TM_EINVAL');
    }
  });

  it.each(['192.0.2.1', '2001:db8::1'])('TK10: takes the address %s', (where) => {
    const made = rig();
    expect(made.does((h) => tm.tfSmtpUserConnect(h, { address: where, port: 25 }, null, null))).toBe(
      'TM_ENOERROR',
    );
    expect(made.told).toEqual(['CONNECTED']);
  });

  it('TK12: a second one is refused, and does the first no harm', () => {
    const made = rig();
    connect(made.handle);
    expect(codeName(connect(made.handle))).toBe('TM_EISCONN');
    made.run();
    expect(codeName(connect(made.handle))).toBe('TM_EISCONN');
    expect(mail(made).at(-1)).toBe('TM_ENOERROR');
    expect([made.server.accepted, made.server.messages.length]).toEqual([1, 1]);
  });

  it('TK14, TK15, TK16: logs in; after AUTH_FAIL the line is left, and other credentials tried', () => {
    const server = { auth: { mechanisms: ['PLAIN'], users: { ann: 'secret' } } };
    const made = rig({ server, options: { allowPlaintext: true } });
    const login = (password: string) => made.does((h) => tm.tfSmtpUserConnect(h, address, 'ann', password));
    expect(login('wrong')).toBe('TM_ESERVERPERM');
    expect(made.told).toEqual(['AUTH_FAIL']);
    expect(login('secret')).toBe('TM_EISCONN');
    expect(made.does(tm.tfSmtpUserDisconnect)).toBe('TM_ENOERROR');
    expect(login('secret')).toBe('TM_ENOERROR');
    expect(made.told).toEqual(['AUTH_FAIL', 'DISCONNECTED', 'AUTH_OK', 'CONNECTED']);
  });

  it('S3, TK13: no login leaves in clear unless that is allowed by name, and none without a user', () => {
    const server = { auth: { mechanisms: ['PLAIN'], users: { ann: 'secret' } } };
    const made = rig({ server });
    expect(made.does((h) => tm.tfSmtpUserConnect(h, address, 'ann', 'secret'))).toBe('TM_ESERVERPERM');
    expect(made.does(tm.tfSmtpUserDisconnect)).toBe('TM_ENOERROR');
    expect(made.does((h) => tm.tfSmtpUserConnect(h, address, '', ''))).toBe('TM_ENOERROR');
    expect(made.server.commands.filter((line) => line.startsWith('AUTH'))).toEqual([]);
  });

  const tlsServer = { tls: 'starttls' } as const;
  it.each([
    ['TK45: no SSL id', undefined, tlsServer, 'TM_ENOERROR', ['CONNECTED']],
    ['TK47: the default', tm.TM_SMTP_TLSMODE_OPTIONAL, tlsServer, 'TM_ENOERROR', ['SECURE_OK', 'CONNECTED']],
    ['TK46: OPTIONAL, not listed', tm.TM_SMTP_TLSMODE_OPTIONAL, {}, 'TM_ENOERROR', ['CONNECTED']],
    ['TK43: ALWAYS', tm.TM_SMTP_TLSMODE_ALWAYS, tlsServer, 'TM_ENOERROR', ['SECURE_OK', 'CONNECTED']],
    [
      'TK48: ALWAYS, not listed and refused',
      tm.TM_SMTP_TLSMODE_ALWAYS,
      {},
      'TM_ESERVERPERM',
      ['SECURE_FAIL'],
    ],
    [
      'TK44: a failed handshake',
      tm.TM_SMTP_TLSMODE_ALWAYS,
      { ...tlsServer, handshake: 'fail' },
      'TM_ESERVERPERM',
      ['SECURE_FAIL'],
    ],
    [
      'TK49: IMPLICIT',
      tm.TM_SMTP_TLSMODE_IMPLICIT,
      { tls: 'implicit' },
      'TM_ENOERROR',
      ['SECURE_OK', 'CONNECTED'],
    ],
  ] as const)('%s', (_, mode, server, code, told) => {
    for (const blocking of [false, true]) {
      const made = rig({ server, blocking });
      if (mode !== undefined) {
        expect(tm.tfSmtpUserSetSsl(made.handle, tm.tfSslNewSession())).toBe(tm.TM_ENOERROR);
        tm.tfSmtpUserSetSessionOption(made.handle, tm.TM_SMTP_OPT_TLSMODE, mode);
      }
      const returned = connect(made.handle);
      if (blocking) expect(codeName(returned), 'TK50: the result of connect itself').toBe(code);
      else expect(made.run()).toBe(code);
      expect(made.told).toEqual(told);
    }
  });

  it('an SSL id that is none is refused', () => {
    const { handle } = rig();
    expect(tm.tfSmtpUserSetSsl(handle, null)).toBe(tm.TM_EINVAL);
    expect(tm.tfSmtpUserSetSsl(handle, {})).toBe(tm.TM_EINVAL);
    const error: tm.Box<number> = { value: -1 };
    const wrong: unknown = 'x';
    // what a caller without types may give
    expect(tm.tfSslNewSession(wrong as object, error)).toBe(null);
    expect(error.value).toBe(tm.TM_EINVAL);
  });
});

describe('TK52: non-blocking', () => {
  it('TK53: every action is in progress until it has its result', () => {
    const made = rig();
    const actions: readonly ((h: tm.ttSmtpClientHandle) => number)[] = [
      connect,
      tm.tfSmtpUserSendNoop,
      (h) => tm.tfSmtpUserSendSenderInfo(h, null, 'a@example.test', null, null),
      (h) => tm.tfSmtpUserSendRecipientInfo(h, null, 'b@example.test', tm.TM_SMTP_RECIPIENT_TYPE_CC),
      (h) => tm.tfSmtpUserSendBom(h, null, null, 0),
      tm.tfSmtpUserSendEom,
      tm.tfSmtpUserReset,
      tm.tfSmtpUserDisconnect,
    ];
    for (const action of actions) {
      const before = made.told.length;
      expect(codeName(action(made.handle))).toBe('TM_EINPROGRESS');
      expect(made.told.length, 'told nothing yet').toBe(before);
      expect(codeName(tm.tfSmtpUserExecute(made.handle))).toBe('TM_EINPROGRESS');
      expect(made.run()).toBe('TM_ENOERROR');
      expect(codeName(tm.tfSmtpUserExecute(made.handle)), 'and keeps it').toBe('TM_ENOERROR');
      expect(tm.tfSmtpUserReadTimer(made.handle), 'TK42').toBe(-1);
    }
    expect(made.told).toEqual([
      'CONNECTED',
      'NOOP_ACK',
      'SENDER_ACK',
      'RECIPIENT_ACK',
      'BOM_ACK',
      'EOM_ACK',
      'RESET',
      'DISCONNECTED',
    ]);
  });

  it('TK54: a whole mail from the event callback, and what it asks there', () => {
    const recipients = ['b@example.test', 'c@example.test'];
    const next = (h: tm.SmtpHandle): void => {
      const to = recipients.shift();
      if (to !== undefined) tm.tfSmtpUserSendRecipientInfo(h, null, to, tm.TM_SMTP_RECIPIENT_TYPE_TO);
      else tm.tfSmtpUserSendBom(h, 'From the callback', null, 0);
    };
    const steps: Readonly<Record<string, (h: tm.SmtpHandle) => void>> = {
      CONNECTED: (h) => tm.tfSmtpUserSendSenderInfo(h, null, 'a@example.test', null, null),
      SENDER_ACK: next,
      RECIPIENT_ACK: next,
      SERVER_ERROR: next,
      BOM_ACK: (h) => {
        tm.tfSmtpUserSendBody(h, Buffer.from('x\r\n'), 3);
        tm.tfSmtpUserSendEom(h);
      },
      EOM_ACK: (h) => tm.tfSmtpUserDisconnect(h),
    };
    // also in blocking mode, where a call inside the callback cannot wait
    for (const blocking of [false, true]) {
      recipients.splice(0, 2, 'b@example.test', 'c@example.test');
      const made = rig({
        blocking,
        server: replies({ RCPT: ({ address: a }) => (a === 'b@example.test' ? '550 no' : undefined) }),
        callback: (h, event) => steps[eventName(event)]?.(h),
      });
      expect(made.does(connect)).toBe('TM_ENOERROR');
      expect(made.told.join(' ')).toBe(
        'CONNECTED SENDER_ACK SERVER_ERROR RECIPIENT_ACK BOM_ACK EOM_ACK DISCONNECTED',
      );
      expect(made.server.messages[0]?.to).toEqual(['c@example.test']);
    }
  });

  it('TK70: a hundred recipients may be called ahead, and take one round trip', () => {
    const made = online({ latencyMs: 100 });
    const started = made.clock.now();
    tm.tfSmtpUserSendSenderInfo(made.handle, null, 'a@example.test', null, null);
    for (let n = 0; n < 100; n++) {
      tm.tfSmtpUserSendRecipientInfo(made.handle, null, `r${n}@example.test`, tm.TM_SMTP_RECIPIENT_TYPE_BCC);
    }
    expect(made.run()).toBe('TM_ENOERROR');
    expect(made.clock.now() - started).toBe(200);
    expect(made.told.filter((name) => name === 'RECIPIENT_ACK')).toHaveLength(100);
  });
});

describe('TK51: blocking', () => {
  it('each call returns its result, with a callback or without', () => {
    const made = online({ blocking: true, seconds: 5, server: replies({ RSET: silent }) });
    expect(mail(made)).toEqual(Array(5).fill('TM_ENOERROR'));
    expect(codeName(tm.tfSmtpUserSendNoop(made.handle))).toBe('TM_ENOERROR');
    expect(codeName(tm.tfSmtpUserReset(made.handle))).toBe('TM_ETIMEDOUT');
    expect(codeName(tm.tfSmtpUserSendNoop(made.handle))).toBe('TM_EPERM');
    expect(codeName(connect(made.handle))).toBe('TM_ENOERROR');
    expect(codeName(tm.tfSmtpUserDisconnect(made.handle))).toBe('TM_ENOERROR');
    expect(made.server.messages).toHaveLength(1);
  });

  it.each([
    ['the sender', 'MAIL', 0],
    ['every recipient', 'RCPT', 1],
    ['the begin', 'DATA', 2],
  ])(
    'TK30, TK71: where %s is refused, no later call of the message says that it is done',
    (_, verb, from) => {
      for (const blocking of [true, false]) {
        const made = online({ blocking, server: { extensions: [], ...replies({ [verb]: '550 5.0.0 no' }) } });
        const codes = mail(made);
        const refused = codes.indexOf('TM_ESERVERPERM');
        expect([refused, codes.includes('TM_ENOERROR', from)]).toEqual([from, false]);
        expect(codes.slice(-2)).toEqual(['TM_EPERM', 'TM_EPERM']);
        expect(made.does(tm.tfSmtpUserSendNoop)).toBe('TM_ENOERROR');
        expect(codeName(tm.tfSmtpUserSendEom(made.handle)), 'nor after another action').toBe('TM_EPERM');
        expect(made.server.messages).toEqual([]);
      }
    },
  );

  it('needs a transport that can wait', () => {
    const made = rig({ blocking: true });
    expect(codeName(connect(made.handle))).toBe('TM_ENOERROR');
    const plain = rig();
    const error: tm.Box<number> = { value: -1 };
    const options = {
      transport: () => ({
        open() {},
        secure() {},
        write: () => true,
        close() {},
        poll: () => undefined,
        onReady: undefined,
      }),
    };
    const handle = tm.tfSmtpUserNewSession(null, null, 1, tm.TM_BLOCKING_ON, error, options);
    expect(codeName(connect(handle))).toBe('TM_EOPNOTSUPP');
    expect(codeName(connect(plain.handle))).toBe('TM_EINPROGRESS');
  });
});

describe('what goes wrong', () => {
  const refusals: readonly (readonly [string, RigSetup['server'], readonly string[], readonly string[]])[] = [
    [
      'TK37: a recipient, for good',
      replies({ RCPT: '550 no' }),
      ['TM_ENOERROR', 'TM_ESERVERPERM'],
      ['SENDER_ACK', 'SERVER_ERROR'],
    ],
    [
      'TK38: a recipient, for now',
      replies({ RCPT: '450 no' }),
      ['TM_ENOERROR', 'TM_ESERVERTEMP'],
      ['SENDER_ACK', 'SERVER_RETRY'],
    ],
  ];
  it.each(refusals)('%s', (_, server, codes, told) => {
    const made = online({ server: server ?? {} });
    expect(mail(made, 'recipient')).toEqual(codes);
    expect(made.told).toEqual(told);
  });

  it.each([
    ['554 5.6.0 no', 'TM_ESERVERPERM', 'SERVER_ERROR'],
    ['451 4.3.0 no', 'TM_ESERVERTEMP', 'SERVER_RETRY'],
  ])('TK33: the end is answered %s, and the next mail goes', (reply, code, event) => {
    const made = online({ server: replies({ CONTENT: (_, nth) => (nth === 1 ? reply : undefined) }) });
    expect(mail(made).at(-1)).toBe(code);
    expect(made.told.at(-1)).toBe(event);
    expect(made.does(tm.tfSmtpUserReset)).toBe('TM_ENOERROR');
    expect(mail(made).at(-1)).toBe('TM_ENOERROR');
  });

  it.each([
    ['TK39, TK40: silence', { MAIL: silent }, 'TM_ETIMEDOUT', ['TIMEOUT']],
    ['TK61, TK62: a reply that cannot follow', { MAIL: '354 go' }, 'TM_ESERVERSYNC', ['ERROR']],
    ['TK62, TK63: an unexpected close', { MAIL: { drop: true } }, 'TM_ESHUTDOWN', ['ERROR']],
    ['TK64: a reset', { MAIL: { reset: true } }, 'TM_ECONNRESET', ['ERROR']],
    ['421', { MAIL: '421 4.3.2 bye' }, 'TM_ESERVERTEMP', ['SERVER_RETRY', 'ERROR']],
  ] as const)('%s: the result, one event, and a new connection works', (_, script, code, told) => {
    const [verb] = Object.keys(script);
    const answer = script[verb as 'MAIL'];
    const made = online({
      seconds: 7,
      server: replies({ MAIL: (__, nth) => (nth === 1 ? answer : undefined) }),
    });
    const started = made.clock.now();
    expect(mail(made, 'sender')).toEqual([code]);
    if (code === 'TM_ETIMEDOUT') expect(made.clock.now() - started).toBe(7000);
    expect(made.told).toEqual(told);
    expect(made.does(tm.tfSmtpUserSendNoop)).toBe('TM_EPERM');
    expect(made.does(connect)).toBe('TM_ENOERROR');
    expect(mail(made).at(-1)).toBe('TM_ENOERROR');
  });

  it('TK39: a callback may connect again in its TIMEOUT', () => {
    const codes: string[] = [];
    const made = rig({
      seconds: 3,
      server: replies({ CONNECT: (_, nth) => (nth === 1 ? silent : undefined) }),
      callback: (h, event) => {
        if (event === tm.TM_SMTP_EVENT_TIMEOUT) codes.push(codeName(connect(h)));
      },
    });
    expect(made.does(connect)).toBe('TM_ENOERROR');
    expect([codes, made.told]).toEqual([['TM_EINPROGRESS'], ['TIMEOUT', 'CONNECTED']]);
  });

  it('TK64: nobody listens', () => {
    const made = rig({ server: { greeting: '554 5.3.2 no' } });
    expect(made.does(connect)).toBe('TM_ESERVERPERM');
    expect(made.told).toEqual(['SERVER_ERROR']);
  });

  it('TK32: blocking, a body that is refused on its way has that result', () => {
    const server = { ...replies({ BDAT: '552 5.3.4 too big' }), extensions: ['PIPELINING', 'CHUNKING'] };
    const made = online({ blocking: true, server, options: { bodyBufferBytes: 20_000 } });
    mail(made, 'bom');
    const error: tm.Box<number> = { value: tm.TM_ENOERROR };
    const piece = Buffer.alloc(1460, `${'x'.repeat(71)}\r\n`);
    for (let n = 0; n < 10_000 && error.value === tm.TM_ENOERROR; n++) {
      tm.tfSmtpUserSendBody(made.handle, piece, piece.length, error);
    }
    expect(codeName(error.value)).toBe('TM_ESERVERPERM');
    expect(codeName(tm.tfSmtpUserSendEom(made.handle))).toBe('TM_EPERM');
  });

  it('TK20, TK29, TK30: out of order', () => {
    const body: tm.Box<number> = { value: -1 };
    const calls: Readonly<Record<string, (h: tm.ttSmtpClientHandle) => number>> = {
      sender: (h) => tm.tfSmtpUserSendSenderInfo(h, null, 'a@example.test', null, null),
      recipient: (h) => tm.tfSmtpUserSendRecipientInfo(h, null, 'b@example.test', 0),
      bom: (h) => tm.tfSmtpUserSendBom(h, null, null, 0),
      body: (h) => {
        tm.tfSmtpUserSendBody(h, Buffer.from('x'), 1, body);
        return body.value;
      },
      eom: tm.tfSmtpUserSendEom,
      reset: tm.tfSmtpUserReset,
      noop: tm.tfSmtpUserSendNoop,
      disconnect: tm.tfSmtpUserDisconnect,
    };
    const refused = (points: readonly string[]): string[] =>
      Object.entries(calls)
        .filter(([, call]) => {
          const made = points.includes('connect') ? online() : rig();
          for (const point of points) if (point in calls) made.does(calls[point] ?? connect);
          return codeName(call(made.handle)) === 'TM_EPERM';
        })
        .map(([name]) => name);
    expect(refused([])).toEqual(Object.keys(calls));
    expect(refused(['connect'])).toEqual(['recipient', 'bom', 'body', 'eom']);
    expect(refused(['connect', 'sender'])).toEqual(['sender', 'bom', 'body', 'eom']);
    expect(refused(['connect', 'sender', 'recipient'])).toEqual(['sender', 'body', 'eom']);
    expect(refused(['connect', 'sender', 'recipient', 'bom'])).toEqual(['sender', 'recipient', 'bom']);
    const all = ['connect', 'sender', 'recipient', 'bom', 'eom'];
    expect(refused(all)).toEqual(['recipient', 'bom', 'body', 'eom']);
  });

  it.each([
    [
      'an address that is none',
      (h: tm.ttSmtpClientHandle) => tm.tfSmtpUserSendSenderInfo(h, null, 'a\r\nb', null, null),
    ],
    [
      'a type that is none',
      (h: tm.ttSmtpClientHandle) => tm.tfSmtpUserSendRecipientInfo(h, null, 'b@example.test', 3),
    ],
    ['a flag that is none', (h: tm.ttSmtpClientHandle) => tm.tfSmtpUserSendBom(h, null, null, 2)],
    [
      'a subject with a line end',
      (h: tm.ttSmtpClientHandle) => tm.tfSmtpUserSendBom(h, 'a\r\nBcc: b', null, 0),
    ],
  ])('S6: %s is TM_EINVAL, and nothing is sent', (_, call) => {
    const made = online();
    mail(made, 'recipient');
    const before = made.server.commands.length;
    if (codeName(call(made.handle)) !== 'TM_EINVAL') {
      // a sender is due only after the message before
      made.does(tm.tfSmtpUserReset);
      expect(codeName(call(made.handle))).toBe('TM_EINVAL');
    } else expect(made.server.commands.length).toBe(before);
  });
});

describe('texts', () => {
  it('TK69: each code has one of its own', () => {
    const codes = Object.entries(tm).filter(([name]) => /^TM_E/.test(name));
    expect(codes.length).toBeGreaterThan(20);
    const texts = codes.map(([, code]) => tm.tfStrError(Number(code)));
    expect(new Set(texts).size).toBe(codes.length);
    for (const text of texts) expect(text).not.toMatch(/^error /);
    expect(tm.tfStrError(4711)).toBe('error 4711');
  });

  it('TK60: the last response of the server, with its code and all its lines', () => {
    const made = online({ server: replies({ NOOP: ['250-one', '250 two'] }) });
    expect(tm.tfSmtpUserGetLastServerResponse(made.handle)?.code).toBe(250);
    made.does(tm.tfSmtpUserSendNoop);
    expect(tm.tfSmtpUserGetLastServerResponse(made.handle)).toMatchObject({
      code: 250,
      lines: ['one', 'two'],
    });
  });
});
