/** reset(), disconnect(), abort() and noop() with messages in flight, and with chunks of one under way. */
import { describe, expect, it } from 'vitest';
import { chunking, Flight, groups, ids, send, textOf } from './flight.ts';

const both = [
  ['CHUNKING', chunking],
  ['PIPELINING', groups],
] as const;

/** `whole` messages called, and half of another: MAIL, RCPT, the beginning and some of its body. */
function started(extensions: readonly string[], whole: number, body: string, ms: number): Flight {
  const flight = new Flight({ server: { extensions }, client: { messagesInFlight: 4 } });
  flight.client.connect();
  flight.until(() => flight.client.state === 'ready');
  for (let n = 1; n <= whole; n++) send(flight.client, n);
  flight.client.sendSender(`from${whole + 1}@a.example`);
  flight.client.sendRecipient(`to${whole + 1}@b.example`);
  flight.client.sendBom({ raw: true });
  if (body !== '') flight.client.sendBody(body);
  const end = flight.clock.now() + ms;
  while (flight.client.execute() === 'more');
  while (flight.clock.next <= end) {
    flight.clock.advanceTo(flight.clock.next);
    while (flight.client.execute() === 'more');
  }
  return flight;
}

const bodies = ['', 'half a line', 'x'.repeat(100_000)];
const moments = Array.from({ length: 20 }, (_, at) => at * 10);

describe.each(both)('%s', (_, extensions) => {
  it('S19 S20: reset() at any moment takes back what has not ended, and nothing else', () => {
    for (const body of bodies) {
      for (const ms of moments) {
        const flight = started(extensions, 6, body, ms);
        const { client } = flight;
        const story = `${body.length} octets, ${ms} ms`;
        client.reset();
        flight.settle();
        const resets = flight.events.filter(({ name }) => name === 'RESET').length;
        if (flight.down) {
          // text after a 354 cannot be taken back
          expect(extensions, story).toBe(groups);
          expect(resets, story).toBe(0);
          expect(flight.outcomes.get(7), story).toBe('unsent');
          flight.down = false;
          client.connect();
        } else {
          expect(resets, story).toBe(1);
          expect(flight.outcomes.has(7), story).toBe(false);
        }
        flight.outcomes.set(7, 'unsent');
        flight.fly(8, 9);
        expect(flight.wrongs(9), story).toEqual([]);
        expect(flight.ended('delivered'), story).toEqual(expect.arrayContaining([1, 2, 3, 8, 9]));
      }
    }
  });

  it('S19 S20: disconnect() at any moment waits for the verdicts of what has ended, then QUIT', () => {
    for (const body of bodies) {
      for (const ms of moments) {
        const flight = started(extensions, 6, body, ms);
        const story = `${body.length} octets, ${ms} ms`;
        const texts = flight.client.state;
        expect(texts, story).toBe('body');
        flight.client.disconnect();
        flight.settle();
        expect(flight.down, story).toBe(true);
        expect(flight.outcomes.get(7), story).toBe('unsent');
        expect(flight.wrongs(7), story).toEqual([]);
        const quit = flight.server.commands.at(-1) === 'QUIT';
        if (quit) expect(flight.ended('delivered'), story).toEqual(ids(6));
        // with the text after a 354 open there is no QUIT
        else expect(extensions, story).toBe(groups);
      }
    }
  });

  it('S20: abort() at any moment: one outcome each, and a new connection works', () => {
    for (const ms of moments) {
      const flight = started(extensions, 6, 'half a line', ms);
      flight.client.abort();
      flight.settle();
      expect(flight.outcomes.size, `${ms} ms`).toBe(7);
      expect(flight.wrongs(7), `${ms} ms`).toEqual([]);
      flight.down = false;
      flight.client.connect();
      flight.fly(8, 9);
      expect([8, 9].map((id) => flight.outcomes.get(id))).toEqual(['delivered', 'delivered']);
    }
  });

  it('S20: noop() between messages comes in its turn', () => {
    const flight = new Flight({ server: { extensions } });
    flight.client.connect();
    for (let n = 1; n <= 5; n++) {
      send(flight.client, n);
      flight.client.noop();
    }
    flight.settle();
    const order = flight.events.flatMap(({ name }) => (/^(?:EOM|NOOP)_ACK$/.test(name) ? [name] : []));
    expect(order).toEqual(Array.from({ length: 5 }, () => ['EOM_ACK', 'NOOP_ACK']).flat());
    expect(flight.wrongs(5)).toEqual([]);
  });
});

describe('time', () => {
  it('S13 S19: each of many in flight has its own limit for the verdict, from the one before', () => {
    const flight = new Flight({
      server: {
        extensions: chunking,
        reply: ({ last }) => (last ? { delayMs: 400 } : undefined),
      },
      client: { timeouts: { verdictMs: 500 } },
    });
    flight.client.connect();
    flight.fly(1, 20);
    expect(flight.ended('delivered')).toEqual(ids(20));
    expect(flight.stored).toEqual(ids(20).map(textOf));
  });

  it('S13 S19: a verdict that does not come in time ends the line: those behind it are unknown', () => {
    let nth = 0;
    const flight = new Flight({
      server: {
        extensions: chunking,
        reply: ({ last }) => (last && ++nth === 3 ? { delayMs: 1_000 } : undefined),
      },
      client: { timeouts: { verdictMs: 500 }, messagesInFlight: 4 },
    });
    flight.client.connect();
    flight.fly(1, 8);
    expect(flight.ended('delivered')).toEqual([1, 2]);
    expect(flight.events.map(({ name }) => name)).toContain('TIMEOUT');
    expect([flight.ended('unknown'), flight.ended('unsent')]).toEqual([
      [3, 4, 5, 6],
      [7, 8],
    ]);
  });
});
