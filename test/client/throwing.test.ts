/** A transport that throws has lost its line: one DISCONNECTED, nothing hangs, and connect() works again. */
import { SmtpClient, type SmtpEvent, tcp } from 'smtpump';
import type { Transport, TransportEvent } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { type Bench, bench, last, type Setup, sendMail, short } from './support.ts';

type Call = 'open' | 'secure' | 'write' | 'close' | 'poll';

/** Throws when the test says so, before anything reaches the line. */
interface Trap {
  armed: Call | undefined;
  sprung: number;
  thrown: unknown;
  /** Hears what was polled. */
  polled?: (event: TransportEvent | undefined) => void;
}

function trapped(setup: Setup = {}): { made: Bench; trap: Trap } {
  const trap: Trap = { armed: undefined, sprung: 0, thrown: new Error('the transport has a bug') };
  const wrap = (inner: Transport): Transport => {
    const pass = <T>(name: Call, call: () => T): T => {
      if (trap.armed !== name) return call();
      trap.sprung++;
      throw trap.thrown;
    };
    return {
      open: (target) => pass('open', () => inner.open(target)),
      secure: (options) => pass('secure', () => inner.secure(options)),
      write: (bytes) => pass('write', () => inner.write(bytes)),
      close: (graceful) => pass('close', () => inner.close(graceful)),
      poll: () => {
        const event = pass('poll', () => inner.poll());
        trap.polled?.(event);
        return event;
      },
      get onReady() {
        return inner.onReady;
      },
      set onReady(fn) {
        inner.onReady = fn;
      },
    };
  };
  return { made: bench({ ...setup, wrap }), trap };
}

/** The client is as new: it connects and sends a message. */
function worksAgain({ client, settle, news, server }: Bench, trap: Trap): void {
  trap.armed = undefined;
  expect(client.state).toBe('disconnected');
  expect(client.due).toBe(0);
  expect(client.execute()).toBe('idle');
  expect(client.readTimer()).toBe(Number.POSITIVE_INFINITY);
  news();
  const before = server.delivered;
  client.connect();
  sendMail(client);
  settle();
  expect(news().at(-1)).toMatch(/^EOM_ACK/);
  expect(server.delivered).toBe(before + 1);
}

describe('S13 S20: a transport that throws', () => {
  it.each(['open', 'poll'] as const)(
    'in %s(), while connecting: ECONNECTION with what was thrown',
    (call) => {
      const { made, trap } = trapped();
      trap.armed = call;
      made.client.connect();
      sendMail(made.client);
      made.settle();
      expect(made.told).toEqual(['DISCONNECTED ECONNECTION 1:unsent']);
      const { reason } = last(made.events, 'DISCONNECTED');
      expect(reason).toMatchObject({ phase: 'connect', retryable: true, cause: trap.thrown });
      expect(trap.sprung).toBe(1);
      worksAgain(made, trap);
    },
  );

  it('with something that is no Error', () => {
    const { made, trap } = trapped();
    trap.armed = 'open';
    trap.thrown = 'just a string';
    made.client.connect();
    made.settle();
    expect(made.told).toEqual(['DISCONNECTED ECONNECTION']);
    expect(last(made.events, 'DISCONNECTED').reason?.message).toContain('just a string');
    worksAgain(made, trap);
  });

  it.each(['optional', 'always', 'implicit'] as const)('in secure(), tls %s: SECURE_FAIL', (tls) => {
    const { made, trap } = trapped({
      server: { tls: tls === 'implicit' ? 'implicit' : 'starttls' },
      client: { tls },
    });
    trap.armed = 'secure';
    made.client.connect();
    sendMail(made.client);
    made.settle();
    expect(made.told).toEqual(['SECURE_FAIL', 'DISCONNECTED ETLS 1:unsent']);
    expect(last(made.events, 'SECURE_FAIL').error.cause).toBe(trap.thrown);
    expect(made.server.messages).toEqual([]);
    worksAgain(made, trap);
  });

  it('in the poll() before the handshake: SECURE_FAIL, and secure() is not called', () => {
    const { made, trap } = trapped({ server: { tls: 'starttls' } });
    const { client, settle, told, server } = made;
    trap.polled = (event) => {
      if (event?.type === 'bytes' && server.commands.at(-1) === 'STARTTLS') trap.armed = 'poll';
    };
    client.connect();
    settle();
    trap.polled = () => {};
    expect(told).toEqual(['SECURE_FAIL', 'DISCONNECTED ETLS']);
    expect(server.log).not.toContain('-- tls');
    worksAgain(made, trap);
  });

  it.each(['write', 'poll'] as const)('in %s(), with a message on the way: ECONNECTION', (call) => {
    const { made, trap } = trapped({ line: { latencyMs: 10 } });
    const { client, settle, news, events } = made;
    client.connect();
    settle();
    news();
    sendMail(client);
    trap.armed = call;
    settle();
    expect(news()).toEqual(['DISCONNECTED ECONNECTION 1:unsent']);
    expect(last(events, 'DISCONNECTED').reason?.cause).toBe(trap.thrown);
    worksAgain(made, trap);
  });

  it('in the write() of EHLO: ECONNECTION, and in that of QUIT just the end', () => {
    const { made, trap } = trapped();
    const { client, settle, told, news } = made;
    trap.armed = 'write';
    client.connect();
    settle();
    expect(told).toEqual(['DISCONNECTED ECONNECTION']);
    trap.armed = undefined;
    client.connect();
    settle();
    news();
    client.disconnect();
    trap.armed = 'write';
    settle();
    expect(news()).toEqual(['DISCONNECTED']);
    worksAgain(made, trap);
  });

  it('in the write() of a body: unsent where its end was not given to it, else unknown', () => {
    for (const [octets, end, outcome] of [
      [100_000, false, 'unsent'],
      [100_000, true, 'unsent'],
      [10, true, 'unknown'],
    ] as const) {
      const { made, trap } = trapped();
      const { client, settle, news } = made;
      client.connect();
      client.sendSender('a@example.test');
      client.sendRecipient('b@example.test');
      client.sendBom({ raw: true });
      settle();
      news();
      client.sendBody(new Uint8Array(octets).fill(97));
      if (end) client.sendEom();
      trap.armed = 'write';
      settle();
      expect(news()).toEqual([`DISCONNECTED ECONNECTION 1:${outcome}`]);
      worksAgain(made, trap);
    }
  });

  it('in write() of what a listener called: the turn after tells it', () => {
    const { made, trap } = trapped();
    const { client, settle, told } = made;
    client.on('CONNECTED', () => {
      trap.armed = 'write';
      client.noop();
    });
    client.connect();
    settle();
    expect(told).toEqual(['CONNECTED', 'DISCONNECTED ECONNECTION']);
    client.removeAllListeners('CONNECTED');
    worksAgain(made, trap);
  });

  it('in close(): DISCONNECTED comes all the same', () => {
    for (const how of ['disconnect', 'abort'] as const) {
      const { made, trap } = trapped();
      made.client.connect();
      made.settle();
      made.client[how]();
      trap.armed = 'close';
      made.settle();
      expect(made.told.filter((line) => line.startsWith('DISCONNECTED'))).toHaveLength(1);
      worksAgain(made, trap);
    }
  });

  it('with two messages called ahead: one DISCONNECTED tells both', () => {
    for (const call of ['open', 'write', 'poll'] as const) {
      const { made, trap } = trapped();
      made.client.connect();
      trap.armed = call;
      sendMail(made.client);
      sendMail(made.client);
      made.settle();
      expect(made.told, call).toEqual(['DISCONNECTED ECONNECTION 1:unsent 2:unsent']);
      worksAgain(made, trap);
    }
  });
});

describe("pump: 'auto' on the event loop", () => {
  it('S20: an option that only Node refuses is DISCONNECTED with the cause, twice, and throws nowhere', async () => {
    const client = new SmtpClient({
      host: '127.0.0.1',
      port: 25,
      transport: tcp({ connectOptions: { localAddress: 'nonsense' } }),
    });
    const events: SmtpEvent[] = [];
    client.on('event', (event) => events.push(event));
    for (let n = 0; n < 2; n++) {
      client.connect();
      await new Promise((resolve) => client.once('DISCONNECTED', resolve));
    }
    expect(events.map(short)).toEqual(['DISCONNECTED ECONNECTION', 'DISCONNECTED ECONNECTION']);
    expect(last(events, 'DISCONNECTED').reason?.cause).toMatchObject({ code: 'ERR_INVALID_IP_ADDRESS' });
  });
});
