/** Many messages in flight: round trips, the bound, and refusals in their midst. */
import type { ServerCommand, ServerOptions } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { chunking, Flight, fly, groups, ids, send, texts } from './flight.ts';

type ClientOptions = Parameters<typeof fly>[2];

describe('round trips', () => {
  it('LE019 LE026 LE027 S10: 100 messages, by what is offered and how many are in flight', () => {
    const trips = (extensions: string[], client: ClientOptions = {}): number => {
      const flight = fly(100, { extensions }, client);
      expect(flight.stored).toEqual(texts(1, 100));
      expect(flight.wrongs(100)).toEqual([]);
      expect(flight.ended('delivered')).toHaveLength(100);
      return flight.trips;
    };
    expect({
      'CHUNKING, 64 in flight': trips(chunking, { messagesInFlight: 64 }),
      'CHUNKING, 16 in flight (default)': trips(chunking),
      'CHUNKING, 1 in flight': trips(chunking, { messagesInFlight: 1 }),
      PIPELINING: trips(groups),
      'CHUNKING switched off': trips(chunking, { chunking: false }),
      'CHUNKING without PIPELINING': trips(['CHUNKING', '8BITMIME']),
      neither: trips(['8BITMIME']),
    }).toEqual({
      'CHUNKING, 64 in flight': 2,
      'CHUNKING, 16 in flight (default)': 7,
      'CHUNKING, 1 in flight': 100,
      PIPELINING: 101,
      'CHUNKING switched off': 101,
      'CHUNKING without PIPELINING': 300,
      neither: 400,
    });
  });

  it.each([
    ['CHUNKING', chunking, 1],
    ['PIPELINING', groups, 2],
  ] as const)('LE019 LE027: one message to 100 recipients, by %s', (_, extensions, trips) => {
    const flight = new Flight({ server: { extensions } });
    const { client } = flight;
    client.connect();
    client.sendSender('a@example.test');
    for (let n = 0; n < 100; n++) client.sendRecipient(`r${n}@example.test`);
    client.sendBom({ raw: true });
    client.sendBody('text\r\n');
    client.sendEom();
    flight.until(() => flight.outcomes.size === 1);
    expect(flight.server.messages[0]?.to).toHaveLength(100);
    expect(flight.trips).toBe(trips);
  });

  it('LE019 LE020 LE021 LE027: what leaves in one write, by what is offered', () => {
    const writes = (extensions: string[]): string[] => {
      const { server } = fly(2, { extensions });
      return server.reads.slice(1).map((bytes) => {
        const lines = Buffer.from(bytes).toString().split('\r\n');
        return lines.flatMap((line) => /^(?:MAIL|RCPT|DATA|BDAT|RSET|\.$)/.exec(line) ?? []).join(' ');
      });
    };
    expect(writes(chunking)).toEqual(['MAIL RCPT BDAT RSET MAIL RCPT BDAT']);
    expect(writes(groups)).toEqual(['MAIL RCPT DATA', '. RSET MAIL RCPT DATA', '.']);
    expect(writes(['CHUNKING', '8BITMIME'])).toEqual(['MAIL', 'RCPT', 'BDAT', 'MAIL', 'RCPT', 'BDAT']);
    const oneByOne = ['MAIL', 'RCPT', 'DATA', '.'];
    expect(writes(['8BITMIME'])).toEqual([...oneByOne, ...oneByOne]);
  });
});

describe('messagesInFlight', () => {
  it.each([1, 2, 3, 16, 64])(
    'LE027: to a server that judges nothing go %i messages, and no more',
    (bound) => {
      const flight = new Flight({
        server: {
          extensions: chunking,
          reply: ({ verb }) => (verb === 'BDAT' ? { raw: '', stall: true } : undefined),
        },
        client: { messagesInFlight: bound },
      });
      flight.client.connect();
      for (let n = 1; n <= 100; n++) send(flight.client, n);
      flight.settle();
      const wire = Buffer.concat(flight.server.reads).toString();
      expect([wire.match(/^MAIL /gm)?.length, wire.match(/^BDAT \d+ LAST/gm)?.length]).toEqual([
        bound,
        bound,
      ]);
    },
  );

  it.each([
    { judged: 0, begun: 7 },
    { judged: 1, begun: 8 },
    { judged: 5, begun: 12 },
  ])('S11, LE027: with 600 KiB each the seventh fills a flight; $judged judged, $begun begun', (row) => {
    let nth = 0;
    const flight = new Flight({
      server: {
        extensions: chunking,
        reply: ({ verb }) => (verb === 'BDAT' && ++nth > row.judged ? { raw: '', stall: true } : undefined),
      },
      client: { messagesInFlight: 64 },
    });
    flight.client.connect();
    for (let n = 1; n <= 20; n++) {
      flight.client.sendSender(`from${n}@a.example`);
      flight.client.sendRecipient(`to${n}@b.example`);
      flight.client.sendBom({ raw: true });
      flight.client.sendBody(`${'x'.repeat(600 * 1024 - 2)}\r\n`);
      flight.client.sendEom();
    }
    flight.settle();
    expect(flight.endLeft.size).toBe(row.begun);
  });

  it('LE027: as one is judged, one more leaves', () => {
    let inFlight = 0;
    const seen = new Set<number>();
    const flight = new Flight({ server: { extensions: chunking }, client: { messagesInFlight: 5 } });
    flight.client.on('COMMAND', ({ line }) => {
      if (line.endsWith(' LAST')) seen.add(++inFlight);
    });
    flight.client.on('EOM_ACK', () => {
      inFlight--;
    });
    flight.client.connect();
    flight.fly(1, 50);
    expect(flight.wrongs(50)).toEqual([]);
    expect(Math.max(...seen)).toBe(5);
  });
});

describe('a refusal in the midst of a flight', () => {
  const count = 10;
  const of = (id: number, { address = '' }: ServerCommand): boolean =>
    address === `from${id}@a.example` || address === `to${id}@b.example`;
  /** Refuses a verb of the id-th message; BDAT and CONTENT have no address, and are counted. */
  const refusing = (verb: string, id: number, code: string): ServerOptions['reply'] => {
    let nth = 0;
    return (command) => {
      if (command.verb !== verb) return undefined;
      nth++;
      const mine = command.address === undefined ? nth === id : of(id, command);
      return mine ? code : undefined;
    };
  };
  const rows = [
    [chunking, 'MAIL', '550 5.1.8 no', 'sendSender 550'],
    [chunking, 'MAIL', '451 4.1.8 later', 'sendSender 451'],
    [chunking, 'RCPT', '450 4.1.1 no', 'sendBom 450'],
    [chunking, 'BDAT', '554 5.6.0 no', 'sendEom 554'],
    [chunking, 'BDAT', '452 4.3.1 later', 'sendEom 452'],
    [groups, 'MAIL', '550 5.1.8 no', 'sendSender 550'],
    [groups, 'RCPT', '550 5.1.1 no', 'sendBom 550'],
    [groups, 'DATA', '451 4.3.0 later', 'sendBom 451'],
    [groups, 'CONTENT', '554 5.6.0 no', 'sendEom 554'],
  ] as const;

  it.each(rows)(
    'LE020 LE025 LE029 S13: %j, %s answered %s: of any message, and the others are whole',
    (extensions, verb, code, how) => {
      for (const id of ids(count)) {
        const flight = fly(count, { extensions, reply: refusing(verb, id, code) });
        expect([...flight.outcomes].filter(([, is]) => is !== 'delivered')).toEqual([[id, how]]);
        expect(flight.stored).toEqual(texts(1, count).filter((_, at) => at !== id - 1));
        expect(flight.wrongs(count)).toEqual([]);
        expect(flight.down).toBe(false);
      }
    },
  );

  it.each([chunking, groups])(
    'LE025 S13: every second one refused, at another verb each: %j…',
    (...extensions) => {
      const verbs = extensions.includes('CHUNKING') ? ['MAIL', 'RCPT', 'BDAT'] : ['MAIL', 'RCPT', 'CONTENT'];
      const scripts = [2, 4, 6, 8, 10].map((id, at) => refusing(verbs[at % 3] ?? '', id, '550 no'));
      const flight = fly(count, {
        extensions,
        reply: (...asked) => scripts.map((script) => script?.(...asked)).find(Boolean),
      });
      expect(flight.stored).toHaveLength(flight.ended('delivered').length);
      expect(flight.wrongs(count)).toEqual([]);
      expect(ids(count, 2, 4, 8, 10).filter((id) => flight.outcomes.get(id) !== 'delivered')).toHaveLength(1);
    },
  );

  it('S13: RSET refused, each time: nothing is told of it and nothing is lost', () => {
    for (const code of ['500 what?', '502 no', '421 bye']) {
      const flight = fly(count, {
        extensions: chunking,
        reply: ({ verb }) => (verb === 'RSET' ? code : undefined),
      });
      expect(flight.events.filter(({ name }) => name === 'RESET')).toEqual([]);
      if (code.startsWith('421')) expect(flight.down).toBe(true);
      else expect(flight.ended('delivered')).toEqual(ids(count));
      expect(flight.wrongs(count)).toEqual([]);
    }
  });
});
