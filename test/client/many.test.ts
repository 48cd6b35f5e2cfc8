/** Many: clients on one clock, messages on one connection, connections of one client. Nothing is shared or kept. */
import { queryObjects } from 'node:v8';
import { SmtpClient } from 'smtpump';
import { ScriptedServer, SimNetwork, VirtualClock } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { Content } from '../../src/core/content.ts';
import { Mail } from '../../src/core/mail.ts';
import { hasV8 } from '../support/runtime.ts';
import { bench, connected, sendMail, settle, short } from './support.ts';

/** Living objects, after a collection: all, and those that are one for each message. */
function living(): { objects: number; mails: number; contents: number } {
  const count = (kind: new (...given: never[]) => unknown): number => queryObjects(kind, { format: 'count' });
  return { objects: count(Object), mails: count(Mail), contents: count(Content) };
}

describe('many clients', () => {
  it('TK59: 50 clients at once on one clock each have their own session', () => {
    const clock = new VirtualClock();
    const network = new SimNetwork({ clock, latencyMs: 20, jitterMs: 30, cut: true, seed: 5 });
    const server = new ScriptedServer({
      reply: ({ verb, address }, session) => {
        if (verb === 'RCPT' && session.number % 7 === 0) return '550 not here';
        if (verb === 'MAIL' && session.number % 11 === 0) return { drop: true };
        return address === undefined && verb === 'NOOP' ? `250 for ${session.clientName}` : undefined;
      },
    });
    network.listen('*', server);
    const clients = Array.from({ length: 50 }, (_, n) => {
      const client = new SmtpClient({
        host: 'mx.example.test',
        localName: `c${n + 1}.example.test`,
        pump: 'manual',
        clock,
        transport: network.transport(),
        timeouts: { totalMs: 60_000 },
      });
      const told: string[] = [];
      let noop = '';
      client.on('event', (event) => told.push(short(event)));
      client.on('NOOP_ACK', (event) => {
        noop = event.reply.text;
      });
      client.on('CONNECTED', () => client.disconnect());
      client.connect();
      client.noop();
      sendMail(client, {
        from: `s${n + 1}@example.test`,
        to: [`r${n + 1}@example.test`],
        body: `body ${n + 1}\r\n`,
      });
      return { client, told, noop: () => noop, n: n + 1 };
    });
    for (let turn = 0; turn < 100_000; turn++) {
      const busy = clients.filter(({ client }) => client.state !== 'disconnected');
      if (busy.length === 0) break;
      if (busy.map(({ client }) => client.execute(3)).includes('more')) continue;
      clock.advanceTo(Math.min(clock.next, ...busy.map(({ client }) => clock.now() + client.readTimer())));
    }
    for (const { told, noop, n } of clients) {
      const mail =
        n % 11 === 0
          ? ['DISCONNECTED ESHUTDOWN 1:unsent']
          : n % 7 === 0
            ? [
                'SENDER_ACK 1',
                `SERVER_ERROR sendRecipient 1 r${n} 550`,
                'SERVER_ERROR sendBom 1 550',
                'DISCONNECTED',
              ]
            : ['SENDER_ACK 1', `RECIPIENT_ACK 1 r${n}`, 'BOM_ACK 1', `EOM_ACK 1 r${n}/`, 'DISCONNECTED'];
      expect(told, String(n)).toEqual(['CONNECTED', 'NOOP_ACK', ...mail]);
      expect(noop()).toContain(`c${n}.example.test`);
    }
    const good = clients.filter(({ n }) => n % 7 !== 0 && n % 11 !== 0);
    expect(server.messages.map(({ from }) => from).sort()).toEqual(
      good.map(({ n }) => `s${n}@example.test`).sort(),
    );
    for (const message of server.messages) {
      const n = /\d+/.exec(message.from)?.[0];
      expect(message.to).toEqual([`r${n}@example.test`]);
      expect(Buffer.from(message.data).toString()).toBe(`body ${n}\r\n`);
    }
  });

  it('a client restarted in its own DISCONNECTED does not disturb another', () => {
    const clock = new VirtualClock();
    const network = new SimNetwork({ clock }).listen('*', new ScriptedServer());
    const make = () =>
      new SmtpClient({ host: 'h.test', pump: 'manual', clock, transport: network.transport() });
    const [first, second] = [make(), make()];
    first.once('DISCONNECTED', () => first.connect());
    first.connect();
    second.connect();
    settle(first, clock, 0);
    settle(second, clock, 0);
    first.disconnect();
    settle(first, clock, 0);
    expect([first.state, second.state]).toEqual(['ready', 'ready']);
  });
});

describe.runIf(hasV8)('nothing is kept', () => {
  it('10,000 messages on one connection leave nothing behind: events, listeners, memory, due', () => {
    const made = connected({ server: { record: false } });
    const { client, clock, server, events, told, settle } = made;
    const round = (): void => {
      for (let n = 0; n < 100; n++) sendMail(client);
      settle(0);
      events.length = 0;
      told.length = 0;
    };
    round();
    const before = living();
    expect(before.mails).toBeGreaterThan(0);
    const { waiting } = clock;
    const listeners = client.eventNames().map((name) => client.listenerCount(name));
    for (let n = 1; n < 100; n++) round();
    expect(server.delivered).toBe(10_000);
    const after = living();
    // the newest one is still asked for its state
    expect(after.mails).toBeLessThanOrEqual(Math.max(before.mails, 1));
    expect(after.contents).toBeLessThanOrEqual(Math.max(before.contents, 1));
    expect(after.objects - before.objects).toBeLessThan(2000);
    expect(clock.waiting).toBeLessThanOrEqual(waiting);
    expect(client.eventNames().map((name) => client.listenerCount(name))).toEqual(listeners);
    expect(client.due).toBe(0);
    expect(client.execute()).toBe('idle');
  });

  it('a body stream takes its listener away again', async () => {
    const { client, settle, news } = connected();
    const before = client.listenerCount('event');
    for (let n = 0; n < 20; n++) {
      client.sendSender('a@example.test');
      client.sendRecipient('b@example.test');
      client.sendBom({ raw: true });
      const stream = client.bodyStream();
      stream.end('hello\r\n');
      await new Promise((resolve) => stream.once('close', resolve));
      settle();
      expect(news().at(-1)).toBe(`EOM_ACK ${n + 1} b/`);
    }
    expect(client.listenerCount('event')).toBe(before);
  });

  it('1,000 connects of one client: each CONNECTED and DISCONNECTED once, no listeners, alarms or memory left', () => {
    const made = bench({ server: { record: false, tls: 'starttls' } });
    const { client, clock, server, told, events, settle } = made;
    const round = (how: number): string[] => {
      client.connect();
      sendMail(client);
      settle(0);
      if (how === 0) client.disconnect();
      else if (how === 1) client.abort();
      else made.transport.line?.reset();
      settle(0);
      const lines = told.splice(0);
      events.length = 0;
      return lines.filter((line) => !/_ACK/.test(line));
    };
    for (let n = 0; n < 3; n++) round(n);
    const before = living();
    const { waiting } = clock;
    for (let n = 3; n < 1000; n++) {
      const end = ['DISCONNECTED', 'DISCONNECTED EABORTED', 'DISCONNECTED ECONNECTION'][n % 3] ?? '';
      expect(round(n % 3)).toEqual(['SECURE_OK', 'CONNECTED', end]);
    }
    expect(server.delivered).toBe(1000);
    expect(server.accepted).toBe(1000);
    const after = living();
    expect(after.mails).toBeLessThanOrEqual(Math.max(before.mails, 1));
    expect(after.objects - before.objects).toBeLessThan(500);
    expect(clock.waiting).toBeLessThanOrEqual(waiting);
    expect(client.execute()).toBe('idle');
    expect(client.readTimer()).toBe(Number.POSITIVE_INFINITY);
  });
});
