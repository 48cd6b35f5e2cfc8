/** What steps do by themselves (nothing), and what they may do in a listener (everything). */
import { describe, expect, it } from 'vitest';
import { bench, counted, plainLogin, plainServer, sendMail } from './support.ts';

describe('a step', () => {
  it('TK52: returns at once: it touches no transport and calls no listener; only execute() does', () => {
    const calls: string[] = [];
    const { client, told } = bench({ wrap: (inner) => counted(inner, calls) });
    calls.length = 0;
    const steps: (() => unknown)[] = [
      () => client.connect(),
      () => client.sendSender('a@example.test'),
      () => client.sendRecipient('b@example.test'),
      () => client.sendBom(),
      () => client.sendBody(new Uint8Array(100_000)),
      () => client.sendEom(),
      () => client.noop(),
      () => client.reset(),
      () => client.abort(),
      () => client.readTimer(),
      () => client.can('connect'),
    ];
    for (const step of steps) step();
    expect(calls).toEqual([]);
    expect(told).toEqual([]);
    client.execute();
    expect(calls).toContain('close');
    expect(told).toEqual(['DISCONNECTED EABORTED 1:unsent']);
  });

  it('TK54: any step may be called in a listener; the whole mail is driven from there', () => {
    const { client, server, told, settle } = bench();
    const waiting = ['b@example.test', 'c@example.test'];
    client.on('CONNECTED', () => client.sendSender('a@example.test'));
    const next = () => {
      const to = waiting.shift();
      if (to === undefined) client.sendBom({ raw: true });
      else client.sendRecipient(to);
    };
    client.on('SENDER_ACK', next);
    client.on('RECIPIENT_ACK', next);
    client.on('BOM_ACK', () => {
      client.sendBody('hello');
      client.sendEom();
    });
    client.on('EOM_ACK', () => client.noop());
    client.on('NOOP_ACK', () => client.reset());
    client.on('RESET', () => client.disconnect());
    client.connect();
    settle();
    expect(told).toEqual([
      'CONNECTED',
      'SENDER_ACK 1',
      'RECIPIENT_ACK 1 b',
      'RECIPIENT_ACK 1 c',
      'BOM_ACK 1',
      'EOM_ACK 1 b+c/',
      'NOOP_ACK',
      'RESET',
      'DISCONNECTED',
    ]);
    expect(server.delivered).toBe(1);
  });

  it('TK54: what a listener calls leaves in the same execute()', () => {
    const { client, server } = bench();
    client.on('CONNECTED', () => client.noop());
    client.connect();
    const heardAt: number[] = [];
    for (let n = 0; n < 10 && heardAt.length === 0; n++) {
      const before = client.state;
      client.execute();
      if (before === 'connecting' && client.state === 'ready') {
        heardAt.push(client.due);
      }
    }
    expect(heardAt).toEqual([1]);
    client.execute();
    expect(server.commands).toContain('NOOP');
  });

  it('TK54: abort() and disconnect() in the listener of every event end with one DISCONNECTED, last', () => {
    const events = [
      'SECURE_OK',
      'AUTH_OK',
      'CONNECTED',
      'SENDER_ACK',
      'RECIPIENT_ACK',
      'BOM_ACK',
      'EOM_ACK',
    ] as const;
    for (const how of ['abort', 'disconnect'] as const) {
      for (const name of events) {
        const { client, told, settle } = bench({
          server: { tls: 'starttls', ...plainServer },
          client: { auth: plainLogin },
        });
        client.on(name, () => client[how]());
        client.connect();
        sendMail(client);
        settle();
        const at = told.findIndex((line) => line.startsWith(name));
        expect(at, `${how} at ${name}`).toBeGreaterThanOrEqual(0);
        expect(
          told.filter((line) => line.startsWith('DISCONNECTED')),
          `${how} at ${name}`,
        ).toHaveLength(1);
        expect(told.at(-1), `${how} at ${name}`).toMatch(
          how === 'abort' ? /^DISCONNECTED EABORTED/ : /^DISCONNECTED( \d|$)/,
        );
      }
    }
  });
});
