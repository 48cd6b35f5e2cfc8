/** The law of the pump: what execute() says, and that nothing is lost when it comes early, late, or a listener throws. */
import { describe, expect, it } from 'vitest';
import { bench, codeOf, connected, plainLogin, sendMail } from './support.ts';

describe('execute()', () => {
  it("says 'idle' when nothing is awaited, 'pending' while a reply, the transport or a drain is", () => {
    const { client, clock, settle, transport } = bench({ line: { latencyMs: 10 } });
    expect(client.execute()).toBe('idle');
    client.connect();
    expect(client.execute()).toBe('pending');
    clock.advance(1);
    expect(client.execute()).toBe('pending');
    settle();
    expect(client.execute()).toBe('idle');
    client.noop();
    expect(client.execute()).toBe('pending');
    settle();
    expect(client.execute()).toBe('idle');
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom();
    settle();
    // the caller's turn: nothing comes by itself
    expect(client.execute()).toBe('idle');
    transport.line?.pause();
    client.sendBody(new Uint8Array(250_000));
    settle();
    expect(client.execute()).toBe('pending');
    transport.line?.resume();
    settle();
    expect(client.execute()).toBe('idle');
    client.disconnect();
    settle();
    expect(client.execute()).toBe('idle');
  });

  it("says 'pending' during the handshake, after AUTH_FAIL 'idle'", () => {
    const securing = bench({ server: { tls: 'starttls', handshake: 'stall' } });
    securing.client.connect();
    securing.settle(0);
    expect(securing.client.execute()).toBe('pending');
    const rejected = bench({
      server: { auth: { mechanisms: ['PLAIN'], users: {} }, tls: 'starttls' },
      client: { auth: plainLogin },
    });
    rejected.client.connect();
    rejected.settle(0);
    expect(rejected.told.at(-1)).toBe('AUTH_FAIL 535');
    expect(rejected.client.execute()).toBe('idle');
  });

  it("while it says 'more', readTimer() is 0: there is something to do though nothing arrives", () => {
    const { client, clock } = bench();
    client.connect();
    sendMail(client);
    let more = 0;
    for (let n = 0; n < 200; n++) {
      if (client.execute(1) === 'more') {
        more++;
        expect(client.readTimer()).toBe(0);
      } else {
        clock.advance(0);
      }
    }
    expect(more).toBeGreaterThan(5);
    expect(client.state).toBe('ready');
  });

  it("inside a listener it returns 'more' at once and does nothing", () => {
    const { client, settle, told } = bench();
    const said: string[] = [];
    let depth = 0;
    client.on('event', () => {
      depth++;
      expect(depth).toBe(1);
      said.push(client.execute(), client.execute(1000));
      depth--;
    });
    client.connect();
    sendMail(client);
    settle();
    expect(new Set(said)).toEqual(new Set(['more']));
    expect(told).toHaveLength(5);
  });

  it.each([0, -1, Number.NaN])('a budget of %s is EINVAL', (budget) => {
    const { client } = bench();
    expect(() => client.execute(budget)).toThrow(/^budget: /);
    expect(codeOf(() => client.execute(budget))).toBe('EINVAL');
  });

  it('early, late and repeated calls are harmless', () => {
    const { client, settle, told, heard } = bench();
    for (let n = 0; n < 10; n++) client.execute();
    client.connect();
    sendMail(client);
    settle();
    const before = [told.length, heard.length];
    for (let n = 0; n < 100; n++) expect(client.execute()).toBe('idle');
    expect([told.length, heard.length]).toEqual(before);
  });

  it('a reply that came in time counts though the pump is turned late', () => {
    const { client, clock, news, settle } = connected({
      line: { latencyMs: 10 },
      client: { timeouts: { commandMs: 1000 } },
    });
    client.noop();
    client.execute();
    clock.advance(60_000);
    settle();
    expect(news()).toEqual(['NOOP_ACK']);
  });
});

describe('a listener that throws', () => {
  it('reaches the caller of execute(), and loses nothing: event listeners hear it, what waits comes next, steps go on', () => {
    const { client, told, settle, server } = bench();
    const thrown: string[] = [];
    for (const name of [
      'CONNECTED',
      'SENDER_ACK',
      'RECIPIENT_ACK',
      'BOM_ACK',
      'EOM_ACK',
      'DISCONNECTED',
    ] as const) {
      client.on(name, () => {
        throw new Error(name);
      });
    }
    client.connect();
    sendMail(client);
    for (let n = 0; n < 50; n++) {
      try {
        settle();
        if (client.state === 'ready' && client.execute() === 'idle') client.disconnect();
      } catch (error) {
        thrown.push(String(error));
      }
    }
    const all = [
      'CONNECTED',
      'SENDER_ACK 1',
      'RECIPIENT_ACK 1 b',
      'BOM_ACK 1',
      'EOM_ACK 1 b/',
      'DISCONNECTED',
    ];
    expect(told).toEqual(all);
    expect(thrown).toEqual(all.map((line) => `Error: ${line.split(' ')[0]}`));
    expect(server.delivered).toBe(1);
  });

  it('steps called before the throw are sent all the same, in the same execute()', () => {
    const { client, server, settle } = connected();
    client.once('NOOP_ACK', () => {
      client.reset();
      throw new Error('after the step');
    });
    client.noop();
    expect(() => settle()).toThrow('after the step');
    expect(client.due).toBe(1);
    settle();
    expect(server.commands.at(-1)).toBe('RSET');
  });
});
