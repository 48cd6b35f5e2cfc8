/** Sessions of the Treck names: made, freed, their options, their data, their notifications. */

import * as tm from 'smtpump/treck';
import { describe, expect, it } from 'vitest';
import { address, codeName, mail, online, rig } from './support.ts';

describe('a session', () => {
  it.each([
    ['a name, no callback', ['me.example.test', null, 60, tm.TM_BLOCKING_OFF], 'TM_ENOERROR'],
    ['no name', [null, () => {}, 0.5, tm.TM_BLOCKING_ON], 'TM_ENOERROR'],
    ['a program’s name', ['Adv Mailer 2', null, 1, tm.TM_BLOCKING_OFF], 'TM_ENOERROR'],
    ['no time', ['me', null, 0, tm.TM_BLOCKING_OFF], 'TM_EINVAL'],
    ['negative time', ['me', null, -1, tm.TM_BLOCKING_OFF], 'TM_EINVAL'],
    ['no number of seconds', ['me', null, Number.NaN, tm.TM_BLOCKING_OFF], 'TM_EINVAL'],
    ['an unknown mode', ['me', null, 1, 2], 'TM_EINVAL'],
    ['a callback that is none', ['me', 'x', 1, tm.TM_BLOCKING_OFF], 'TM_EINVAL'],
    ['a name that is none', [7, null, 1, tm.TM_BLOCKING_OFF], 'TM_EINVAL'],
  ] as const)('TK01: with %s', (_, args, code) => {
    const error: tm.Box<number> = { value: -1 };
    const given: unknown = args;
    // some are what a caller without types may give
    const handle = tm.tfSmtpUserNewSession(...(given as [string, null, number, number]), error);
    expect([codeName(error.value), handle !== null]).toEqual([code, code === 'TM_ENOERROR']);
  });

  it('TK01: the name goes into EHLO where it is a host name, and nowhere else', () => {
    expect(online({ name: 'pump.example.test' }).server.commands[0]).toBe('EHLO pump.example.test');
    const made = online({ name: 'Adv Mailer\r\nQUIT', options: { localName: 'own.example.test' } });
    expect(made.server.commands[0]).toBe('EHLO own.example.test');
    expect(online({ name: 'Adv Mailer' }).server.commands[0]).not.toContain('Adv');
  });

  it('TK02, TK34: many mails, and many connections', () => {
    const made = online();
    for (let n = 0; n < 3; n++) expect(new Set(mail(made))).toEqual(new Set(['TM_ENOERROR']));
    expect(made.does(tm.tfSmtpUserDisconnect)).toBe('TM_ENOERROR');
    expect([made.server.accepted, made.server.messages.length]).toEqual([1, 3]);
    expect(made.does((h) => tm.tfSmtpUserConnect(h, address, null, null))).toBe('TM_ENOERROR');
    mail(made);
    expect([made.server.accepted, made.server.messages.length]).toEqual([2, 4]);
  });

  it.each([false, true])('TK03: freeing a connected one leaves the line first (blocking: %s)', (blocking) => {
    const made = online({ blocking });
    expect(codeName(tm.tfSmtpUserFreeSession(made.handle))).toBe('TM_ENOERROR');
    made.clock.advance(1000);
    expect(made.server.open).toBe(0);
    if (blocking) expect(made.server.commands.at(-1)).toBe('QUIT');
    expect(made.clock.waiting).toBe(0);
    expect(made.told).toEqual([]);
  });

  it('TK03: in the middle of a message, and inside its own callback', () => {
    for (const upTo of ['sender', 'bom', 'body'] as const) {
      const made = online();
      mail(made, upTo);
      tm.tfSmtpUserFreeSession(made.handle);
      made.clock.advance(1000);
      expect([made.server.open, made.server.messages.length]).toEqual([0, 0]);
    }
    const made = rig({ callback: (h) => void tm.tfSmtpUserFreeSession(h) });
    tm.tfSmtpUserConnect(made.handle, address, null, null);
    expect(made.run()).toBe('TM_EINVAL');
    made.clock.advance(1000);
    expect([made.told, made.server.open]).toEqual([['CONNECTED'], 0]);
  });

  const withHandle: Readonly<Record<string, (h: tm.ttSmtpClientHandle) => unknown>> = {
    tfSmtpUserFreeSession: tm.tfSmtpUserFreeSession,
    tfSmtpUserSetSessionOption: (h) =>
      tm.tfSmtpUserSetSessionOption(h, tm.TM_SMTP_OPT_TLSMODE, tm.TM_SMTP_TLSMODE_ALWAYS),
    tfSmtpUserGetSessionOption: (h) => tm.tfSmtpUserGetSessionOption(h, tm.TM_SMTP_OPT_TLSMODE, { value: 0 }),
    tfSmtpUserSetPointer: (h) => tm.tfSmtpUserSetPointer(h, 'x'),
    tfSmtpUserSetSockOpt: (h) =>
      tm.tfSmtpUserSetSockOpt(h, tm.AF_INET, tm.SOL_SOCKET, tm.SO_KEEPALIVE, { value: 1 }, 4),
    tfSmtpUserSetAsyncCB: (h) => tm.tfSmtpUserSetAsyncCB(h, () => {}),
    tfSmtpUserSetSsl: (h) => tm.tfSmtpUserSetSsl(h, tm.tfSslNewSession()),
    tfSmtpUserConnect: (h) => tm.tfSmtpUserConnect(h, address, null, null),
    tfSmtpUserDisconnect: tm.tfSmtpUserDisconnect,
    tfSmtpUserReset: tm.tfSmtpUserReset,
    tfSmtpUserSendNoop: tm.tfSmtpUserSendNoop,
    tfSmtpUserSendSenderInfo: (h) => tm.tfSmtpUserSendSenderInfo(h, null, 'a@example.test', null, null),
    tfSmtpUserSendRecipientInfo: (h) => tm.tfSmtpUserSendRecipientInfo(h, null, 'b@example.test', 0),
    tfSmtpUserSendBom: (h) => tm.tfSmtpUserSendBom(h, null, null, 0),
    tfSmtpUserSendBody: (h) => {
      const error: tm.Box<number> = { value: -1 };
      const taken = tm.tfSmtpUserSendBody(h, Buffer.from('x'), 1, error);
      return taken === 0 ? error.value : `took ${taken}`;
    },
    tfSmtpUserSendEom: tm.tfSmtpUserSendEom,
    tfSmtpUserExecute: tm.tfSmtpUserExecute,
  };

  it.each(Object.entries(withHandle))(
    'TK04: %s with a handle that was freed, or never was one',
    (_, call) => {
      const made = online();
      tm.tfSmtpUserFreeSession(made.handle);
      // what a caller without types may give
      const none = [made.handle, null, {}, undefined, 7, 'x'] as tm.ttSmtpClientHandle[];
      for (const handle of none) expect(call(handle)).toBe(tm.TM_EINVAL);
    },
  );

  it('TK04, TK42: what returns no code says so otherwise', () => {
    const made = online();
    tm.tfSmtpUserSetPointer(made.handle, 'mine');
    tm.tfSmtpUserFreeSession(made.handle);
    for (const handle of [made.handle, null]) {
      expect(tm.tfSmtpUserReadTimer(handle)).toBe(-1);
      expect(tm.tfSmtpUserGetPointer(handle)).toBe(null);
      expect(tm.tfSmtpUserGetLastServerResponse(handle)).toBe(null);
    }
  });

  describe('in the notify callback', () => {
    it.each(Object.entries(withHandle))('TK55: %s is refused, and corrupts nothing', (_, call) => {
      const made = online();
      const codes: unknown[] = [];
      tm.tfSmtpUserSetAsyncCB(made.handle, (h) => void codes.push(call(h)));
      mail(made);
      expect(codes.length).toBeGreaterThan(4);
      expect(new Set(codes)).toEqual(new Set([tm.TM_EPERM]));
      expect(made.server.messages).toHaveLength(1);
      expect(made.told).toEqual(['SENDER_ACK', 'RECIPIENT_ACK', 'BOM_ACK', 'EOM_ACK']);
      expect(tm.tfSmtpUserSetAsyncCB(made.handle, null)).toBe(tm.TM_ENOERROR);
    });

    it('TK55: ReadTimer and GetPointer are allowed; one that throws leaves nothing shut', () => {
      const made = online();
      tm.tfSmtpUserSetPointer(made.handle, 'mine');
      const seen: unknown[] = [];
      tm.tfSmtpUserSetAsyncCB(made.handle, (h) => {
        seen.push(
          tm.tfSmtpUserReadTimer(h),
          tm.tfSmtpUserGetPointer(h),
          tm.tfSmtpUserGetLastServerResponse(h),
        );
        throw new Error('mine too');
      });
      expect(() => tm.tfSmtpUserSendNoop(made.handle)).toThrow('mine too');
      expect(seen).toEqual([0, 'mine', null]);
      tm.tfSmtpUserSetAsyncCB(made.handle, null);
      expect(made.run()).toBe('TM_ENOERROR');
      expect(made.told).toEqual(['NOOP_ACK']);
    });
  });

  it('TK05: TLS mode is set and read back', () => {
    const { handle } = rig();
    const value: tm.Box<number> = { value: -1 };
    const read = (): number => {
      expect(tm.tfSmtpUserGetSessionOption(handle, tm.TM_SMTP_OPT_TLSMODE, value)).toBe(tm.TM_ENOERROR);
      return value.value;
    };
    expect(read()).toBe(tm.TM_SMTP_TLSMODE_OPTIONAL);
    for (const mode of [tm.TM_SMTP_TLSMODE_ALWAYS, tm.TM_SMTP_TLSMODE_IMPLICIT]) {
      expect(tm.tfSmtpUserSetSessionOption(handle, tm.TM_SMTP_OPT_TLSMODE, mode)).toBe(tm.TM_ENOERROR);
      expect(read()).toBe(mode);
    }
    expect(tm.tfSmtpUserSetSessionOption(handle, tm.TM_SMTP_OPT_TLSMODE, 9)).toBe(tm.TM_EINVAL);
    expect(tm.tfSmtpUserSetSessionOption(handle, 99, 0)).toBe(tm.TM_EINVAL);
    expect(tm.tfSmtpUserGetSessionOption(handle, 99, value)).toBe(tm.TM_EINVAL);
    expect(read()).toBe(tm.TM_SMTP_TLSMODE_IMPLICIT);
  });

  it('TK06: TLS mode only before connect', () => {
    const made = rig();
    const set = () =>
      tm.tfSmtpUserSetSessionOption(made.handle, tm.TM_SMTP_OPT_TLSMODE, tm.TM_SMTP_TLSMODE_ALWAYS);
    tm.tfSmtpUserConnect(made.handle, address, null, null);
    expect(set()).toBe(tm.TM_EPERM);
    made.run();
    expect(set()).toBe(tm.TM_EPERM);
    expect(tm.tfSmtpUserSetSsl(made.handle, tm.tfSslNewSession())).toBe(tm.TM_EPERM);
    const value: tm.Box<number> = { value: -1 };
    tm.tfSmtpUserGetSessionOption(made.handle, tm.TM_SMTP_OPT_TLSMODE, value);
    expect(value.value).toBe(tm.TM_SMTP_TLSMODE_OPTIONAL);
    made.does(tm.tfSmtpUserDisconnect);
    expect(set()).toBe(tm.TM_ENOERROR);
  });

  it('TK07, TK56: the program’s own data is the same object in the event callback and in the notify callback', () => {
    const mine = { count: 0 };
    const seen = new Set<unknown>();
    const made = rig({ callback: (h) => void seen.add(tm.tfSmtpUserGetPointer(h)) });
    expect(tm.tfSmtpUserGetPointer(made.handle)).toBe(null);
    expect(tm.tfSmtpUserSetPointer(made.handle, mine)).toBe(tm.TM_ENOERROR);
    tm.tfSmtpUserSetAsyncCB(made.handle, (_, pointer) => void seen.add(pointer));
    made.does((h) => tm.tfSmtpUserConnect(h, address, null, null));
    mail(made);
    expect([...seen]).toEqual([mine]);
    expect([...seen][0]).toBe(mine);
  });

  it('TK56, TK57: each session has its own notify callback, with its handle, its data and an event id; without one, none', () => {
    const calls: unknown[][] = [];
    const [one, two, three] = [online(), online(), online()];
    for (const [name, { handle }] of [
      ['one', one],
      ['two', two],
    ] as const) {
      tm.tfSmtpUserSetPointer(handle, name);
      tm.tfSmtpUserSetAsyncCB(handle, (...args) => void calls.push([name, ...args]));
    }
    two.does(tm.tfSmtpUserSendNoop);
    three.does(tm.tfSmtpUserSendNoop);
    expect(calls.length).toBeGreaterThanOrEqual(2); // the step, and its answer
    for (const call of calls) expect(call).toEqual(['two', two.handle, 'two', 0]);
    calls.length = 0;
    one.does(tm.tfSmtpUserSendNoop);
    expect(calls.length).toBeGreaterThanOrEqual(2);
    for (const call of calls) expect(call).toEqual(['one', one.handle, 'one', 0]);
    tm.tfSmtpUserSetAsyncCB(one.handle, null);
    calls.length = 0;
    one.does(tm.tfSmtpUserSendNoop);
    expect(calls).toEqual([]);
  });

  it('TK08: socket options before connect only; TK09: what is not set stays as the transport has it', () => {
    const made = rig();
    const set = (level: number, option: number, value: number, length = 4, family = tm.AF_INET): string =>
      codeName(tm.tfSmtpUserSetSockOpt(made.handle, family, level, option, { value }, length));
    made.does((h) => tm.tfSmtpUserConnect(h, address, null, null));
    expect(set(tm.SOL_SOCKET, tm.SO_KEEPALIVE, 1)).toBe('TM_EPERM');
    made.does(tm.tfSmtpUserDisconnect);
    expect([
      set(tm.SOL_SOCKET, tm.SO_KEEPALIVE, 1),
      set(tm.IPPROTO_TCP, tm.TCP_KEEPIDLE, 30),
      set(tm.IPPROTO_TCP, tm.TCP_NODELAY, 0),
      set(tm.SOL_SOCKET, tm.SO_SNDBUF, 4096, 4, tm.AF_INET6),
      set(tm.SOL_SOCKET, tm.SO_RCVBUF, 8192),
    ]).toEqual(Array(5).fill('TM_ENOERROR'));
    expect([
      set(tm.SOL_SOCKET, 999, 1),
      set(tm.IPPROTO_TCP, tm.SO_KEEPALIVE, 1),
      set(tm.SOL_SOCKET, tm.SO_KEEPALIVE, 1, 2),
      set(tm.SOL_SOCKET, tm.SO_KEEPALIVE, Number.NaN),
      set(tm.SOL_SOCKET, tm.SO_KEEPALIVE, 1, 4, 77),
    ]).toEqual(['TM_ENOPROTOOPT', 'TM_ENOPROTOOPT', 'TM_EINVAL', 'TM_EINVAL', 'TM_EAFNOSUPPORT']);
    made.does((h) => tm.tfSmtpUserConnect(h, address, null, null));
    made.does(tm.tfSmtpUserDisconnect);
    expect(set(tm.SOL_SOCKET, tm.SO_SNDBUF, 2 ** 31 - 1), 'as systems do it: cut').toBe('TM_ENOERROR');
    made.does((h) => tm.tfSmtpUserConnect(h, address, null, null));
    expect(made.sockets.pop()?.writeBytes).toBe(2 ** 24);
    expect(made.sockets).toEqual([
      {},
      { keepAlive: true, keepAliveInitialDelay: 30_000, noDelay: false, writeBytes: 4096, readBytes: 8192 },
    ]);
  });
});
