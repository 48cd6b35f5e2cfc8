/** Servers that cannot take so much at once: what goes again, in which order, and how much slower. */
import type { SmtpClient, SmtpClientOptions } from 'smtpump';
import type { ReplyPlan, ServerCommand } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { last, short } from '../client/support.ts';
import { chunking, Flight, fly, groups, ids, send, texts } from './flight.ts';

const early = '503 5.5.1 not now';
const isMail = (command: ServerCommand, id: number): boolean =>
  command.verb === 'MAIL' && command.address === `from${id}@a.example`;

/** How the client went: verbs a write, from the n-th write after EHLO. */
const writes = ({ server }: Flight): string[] =>
  server.reads.slice(1).map((bytes) => {
    const lines = Buffer.from(bytes).toString().split('\r\n');
    return lines.flatMap((line) => /^(?:MAIL|RCPT|DATA|BDAT|RSET|\.$)/.exec(line) ?? []).join(' ');
  });

describe('MAIL is refused only because it came behind another', () => {
  it.each([
    ['CHUNKING', chunking, early],
    ['CHUNKING', chunking, '554 5.5.1 synchronization error'],
    ['PIPELINING', groups, early],
    ['PIPELINING', groups, '554 5.5.1 synchronization error'],
  ] as const)(
    'LE056 S20: with %s, at any message, once: it goes again; nothing lost, doubled or told (%s: %s)',
    (_, extensions, code) => {
      for (const id of ids(10, 1)) {
        let refused = false;
        const reply = (command: ServerCommand): string | undefined => {
          if (refused || !isMail(command, id)) return undefined;
          refused = true;
          return code;
        };
        const flight = fly(10, { extensions, reply });
        expect(flight.wrongs(10), `at ${id}`).toEqual([]);
        expect(flight.ended('delivered')).toHaveLength(10);
        expect(refused).toBe(true);
        expect(flight.told(id)).toEqual([
          `SENDER_ACK ${id}`,
          `RECIPIENT_ACK ${id} to${id}`,
          `BOM_ACK ${id}`,
          `EOM_ACK ${id} to${id}/`,
        ]);
      }
    },
  );

  it('S20: all that came behind the first are refused: they go again in their order, one message at a time', () => {
    let refusals = 0;
    const flight = fly(8, {
      extensions: chunking,
      reply: ({ verb }) => (verb === 'MAIL' && flightIsFull(++refusals) ? early : undefined),
    });
    expect(flight.stored).toEqual(texts(1, 8));
    expect(flight.wrongs(8)).toEqual([]);
    // one flight had one cause: the pace is that of one message, and not lock-step
    expect(writes(flight).slice(1)).toEqual(Array.from({ length: 7 }, () => 'MAIL RCPT BDAT'));
  });
  const flightIsFull = (nth: number): boolean => nth > 1 && nth <= 8;

  it('S20: the next connection is slow from its start, and a refusal of a lone MAIL stands', () => {
    let mails = 0;
    const flight = fly(3, {
      extensions: chunking,
      reply: ({ verb }) => (verb === 'MAIL' && [2, 6].includes(++mails) ? early : undefined),
    });
    flight.client.disconnect();
    flight.until(() => flight.down);
    flight.down = false;
    const before = flight.server.reads.length;
    flight.client.connect();
    flight.fly(4, 6);
    expect(flight.outcomes.get(5)).toBe('sendSender 503');
    expect(flight.wrongs(6)).toEqual([]);
    const later = flight.server.reads.slice(before).map((bytes) => Buffer.from(bytes).toString());
    expect(later.filter((text) => (text.match(/^MAIL/gm) ?? []).length > 1)).toEqual([]);
  });

  it('S20: but a connection to another server is not slow for what that one could not take', () => {
    let mails = 0;
    const flight = fly(3, {
      extensions: chunking,
      reply: ({ verb }) => (verb === 'MAIL' && ++mails === 2 ? early : undefined),
    });
    const mailsPerWrite = (host: string): number[] => {
      flight.client.disconnect();
      flight.until(() => flight.down);
      flight.down = false;
      const before = flight.server.reads.length;
      flight.client.connect({ host });
      const first = flight.outcomes.size + 1;
      flight.fly(first, first + 3);
      const later = flight.server.reads.slice(before).map((bytes) => Buffer.from(bytes).toString());
      return later.map((text) => (text.match(/^MAIL/gm) ?? []).length).filter((count) => count > 0);
    };
    expect(mailsPerWrite('localhost')).toEqual([1, 1, 1, 1]);
    expect(mailsPerWrite('other.example')).toEqual([4]);
    expect(flight.wrongs(11)).toEqual([]);
  });

  it.each([
    ['CHUNKING', chunking],
    ['PIPELINING', groups],
  ] as const)(
    'S20: a server that refuses every MAIL but a lone one: all arrive, in their order (%s)',
    (_, extensions) => {
      // it remembers that an end has come until its client has waited for the answer
      let busy = false;
      const flight = new Flight({
        server: {
          extensions,
          reply(command, session) {
            if (command.verb === 'MAIL' && busy) return early;
            if (command.verb === 'CONTENT' || command.last) {
              busy = true;
              session.line.after(1, () => {
                busy = false;
              });
            }
            return undefined;
          },
        },
      });
      flight.client.connect();
      flight.fly(1, 12);
      expect(flight.stored).toEqual(texts(1, 12));
      expect(flight.wrongs(12)).toEqual([]);
      expect(flight.ended('delivered')).toEqual(ids(12));
    },
  );

  it.each([
    ['CHUNKING', chunking],
    ['PIPELINING', groups],
  ] as const)(
    'S20: a line that is dropped is slower the next time: one message at a time, then one command (%s)',
    (_, extensions) => {
      const group = /^(?:MAIL|RCPT|DATA|RSET)[^\r]*\r\n./;
      /** On each connection so much at once costs the line; the third bears no group at all. */
      const tooMuch = [/^(?:BDAT|\.\r\n).*^MAIL/ms, /^MAIL.*^RCPT/ms, group];
      const flight = new Flight({
        server: {
          extensions,
          reply({ verb }, session) {
            const read = Buffer.from(flight.server.reads.at(-1) ?? []).toString();
            if (verb === 'EHLO' || verb === 'CONNECT') return undefined;
            return tooMuch[session.number - 1]?.test(read) ? { drop: true } : undefined;
          },
        },
      });
      const { client } = flight;
      for (let connection = 1; connection <= 3; connection++) {
        flight.down = false;
        client.connect();
        flight.fly(3 * connection - 2, 3 * connection);
        flight.settle();
        expect(flight.down, `connection ${connection}`).toBe(connection < 3);
      }
      expect(flight.wrongs(9)).toEqual([]);
      expect([7, 8, 9].map((id) => flight.outcomes.get(id))).toEqual(['delivered', 'delivered', 'delivered']);
    },
  );

  it('S20: but a server that has taken a message so is not slower for a line that breaks later', () => {
    let mails = 0;
    const flight = new Flight({
      server: {
        extensions: chunking,
        reply({ verb }) {
          if (verb === 'MAIL') mails++;
          if (verb === 'MAIL' && mails === 2) return early;
          return verb === 'RCPT' && mails === 5 ? { reset: true } : undefined;
        },
      },
    });
    flight.client.connect();
    flight.fly(1, 6);
    expect(flight.down).toBe(true);
    flight.down = false;
    const before = flight.server.reads.length;
    flight.client.connect();
    flight.fly(7, 9);
    // its first end left in vain
    flight.endLeft.delete(2);
    expect(flight.wrongs(9)).toEqual([]);
    const later = flight.server.reads.slice(before + 1).map((bytes) => Buffer.from(bytes).toString());
    expect(later.map((text) => text.match(/^(?:MAIL|RCPT|BDAT)/gm)?.join(' '))).toEqual(
      Array.from({ length: 3 }, () => 'MAIL RCPT BDAT'),
    );
  });

  it('S20: a server that refuses every MAIL for good refuses every message once', () => {
    const flight = fly(6, {
      extensions: chunking,
      reply: ({ verb }) => (verb === 'MAIL' ? early : undefined),
    });
    expect([...flight.outcomes.values()]).toEqual(Array.from({ length: 6 }, () => 'sendSender 503'));
    expect(flight.wrongs(6)).toEqual([]);
  });
});

describe('a message that goes again', () => {
  /** Answers the second MAIL so late that the caller can go on in between. */
  function retreating(
    more: (command: ServerCommand) => ReplyPlan | string | undefined = () => undefined,
    extensions: readonly string[] = chunking,
    client: SmtpClientOptions = {},
  ): Flight {
    let met = false;
    const flight = new Flight({
      server: {
        extensions,
        reply(command) {
          if (met || !isMail(command, 2)) return more(command);
          met = true;
          return early;
        },
      },
      line: { windowBytes: 1_000_000 },
      client,
    });
    flight.client.connect();
    return flight;
  }
  const part = (flight: Flight, ms: number): void => {
    const end = flight.clock.now() + ms;
    while (flight.client.execute() === 'more');
    while (flight.clock.next <= end) {
      flight.clock.advanceTo(flight.clock.next);
      while (flight.client.execute() === 'more');
    }
    flight.clock.advanceTo(end);
  };

  it.each([
    ['CHUNKING', chunking],
    ['PIPELINING', groups],
  ] as const)('S20: keeps what its caller adds before, during and after its retreat: %s', (_, extensions) => {
    const steps: ((client: SmtpClient) => void)[] = [
      (client) => client.sendSender('from2@a.example'),
      (client) => client.sendRecipient('to2@b.example'),
      (client) => client.sendBom({ raw: true }),
      (client) => client.sendBody('Subject: 2\r\n\r\n'),
      (client) => client.sendBody('.text 2\n'),
      (client) => client.sendEom(),
    ];
    // so many of them at once, the others one by one: its answers come one by one as well
    for (let atOnce = 1; atOnce <= steps.length; atOnce++) {
      for (const wait of [0, 5, 10, 15, 25, 35, 45, 60]) {
        const flight = retreating(
          ({ verb, last }) => (verb === 'RCPT' || verb === 'CONTENT' || last ? { delayMs: 22 } : undefined),
          extensions,
        );
        const { client } = flight;
        flight.until(() => client.state === 'ready');
        send(client, 1);
        part(flight, extensions === groups ? 62 : 0);
        for (const [at, step] of steps.entries()) {
          step(client);
          if (at + 1 >= atOnce) part(flight, at + 1 === atOnce ? wait : 7);
        }
        flight.fly(3, 4);
        const story = `${atOnce} at once, then ${wait} ms`;
        expect(flight.wrongs(4), story).toEqual([]);
        expect(flight.ended('delivered'), story).toHaveLength(4);
        expect(
          flight.server.log.filter((line) => line.includes('unknown command')),
          story,
        ).toEqual([]);
      }
    }
  });

  it('S20: keeps its content where the server says 354 to what it refused', () => {
    let mails = 0;
    const flight = fly(4, {
      extensions: groups,
      reply: ({ verb }) => {
        if (verb === 'MAIL') mails++;
        if (verb === 'MAIL' && mails === 2) return early;
        return verb === 'DATA' && mails === 2 ? '354 go on all the same' : undefined;
      },
    });
    expect(flight.wrongs(4)).toEqual([]);
    expect(flight.ended('delivered')).toHaveLength(4);
  });

  it('S13 S20: taken by the server that had refused it, it does not go twice: its fate is unknown', () => {
    let contents = 0;
    const flight = retreating(({ verb }) =>
      verb === 'BDAT' && ++contents === 2 ? '250 2.0.0 taken all the same' : undefined,
    );
    for (let n = 1; n <= 3; n++) send(flight.client, n);
    flight.settle();
    expect([flight.down, flight.outcomes.get(2)]).toEqual([true, 'unknown']);
    expect(last(flight.events, 'DISCONNECTED').reason).toMatchObject({
      code: 'ESERVERSYNC',
      phase: 'verdict',
      command: expect.stringMatching(/^BDAT/),
      reply: { code: 250 },
    });
    expect(flight.server.commands.filter((line) => line.startsWith('MAIL FROM:<from2@'))).toHaveLength(1);
  });

  it('S13 S20: asked for by the server that had refused it, it is not replaced by an empty one', () => {
    let mails = 0;
    const flight = fly(2, {
      extensions: groups,
      reply: ({ verb }) => {
        if (verb === 'MAIL') mails++;
        if (mails !== 2) return undefined;
        return { MAIL: early, RCPT: '250 all the same', DATA: '354 go on all the same' }[verb];
      },
    });
    expect([flight.down, flight.outcomes.get(1), flight.outcomes.get(2)]).toEqual([
      true,
      'delivered',
      'unsent',
    ]);
    expect(flight.stored).toEqual(texts(1, 1));
  });

  it('S20: large, and half of it had left when it was refused: its content arrives whole', () => {
    const whole = `Subject: 2\r\n\r\n${'0123456789abcdef\r\n'.repeat(30_000)}`;
    const flight = retreating(({ verb, last }) => (verb === 'BDAT' && last ? { delayMs: 500 } : undefined));
    const { client } = flight;
    send(client, 1);
    client.sendSender('from2@a.example');
    client.sendRecipient('to2@b.example');
    client.sendBom({ raw: true });
    let at = 0;
    const give = (): void => {
      while (at < whole.length) {
        const taken = client.sendBody(Buffer.from(whole.slice(at)));
        at += taken;
        if (taken === 0) return;
      }
      client.sendEom();
    };
    client.on('DRAIN', give);
    give();
    flight.until(() => flight.outcomes.size === 2);
    expect(flight.stored[1] === whole).toBe(true);
    expect(flight.ended('delivered')).toEqual([1, 2]);
    expect(flight.server.violations).toEqual([]);
    const tries = flight.server.commands.join('\n').split('MAIL FROM:<from2@').slice(1);
    expect(tries).toHaveLength(2);
    // the first was in many chunks, all of them in vain
    expect(tries[0]?.match(/^BDAT/gm)?.length).toBeGreaterThan(1);
  });

  it('S20: waits for a message behind it that has begun to leave, and mixes with it in nothing', () => {
    const flight = retreating();
    const { client } = flight;
    send(client, 1);
    send(client, 2);
    client.sendSender('from3@a.example');
    client.sendRecipient('to3@b.example');
    client.sendBom({ raw: true });
    client.sendBody('Subject: 3\r\n\r\n');
    flight.settle();
    expect(flight.ended('delivered')).toEqual([1]);
    client.sendBody('.text 3\n');
    client.sendEom();
    flight.fly(4, 5);
    expect(flight.wrongs(5)).toEqual([]);
    expect(flight.stored).toEqual([1, 3, 2, 4, 5].map((n) => texts(n, n)[0]));
  });

  it('S19 S20: messageMs goes on for it, and for the one that it waits for', () => {
    const flight = retreating(undefined, chunking, { timeouts: { messageMs: 5000 } });
    const { client, clock } = flight;
    flight.until(() => client.state === 'ready');
    const start = clock.now();
    let late = 0;
    client.on('TIMEOUT', () => {
      late = clock.now() - start;
    });
    send(client, 1);
    send(client, 2);
    client.sendSender('from3@a.example');
    client.sendRecipient('to3@b.example');
    client.sendBom({ raw: true });
    part(flight, 1000);
    expect([flight.ended('delivered'), client.due, client.readTimer()]).toEqual([[1], 0, 4000]);
    flight.settle();
    expect(flight.events.slice(-2).map(short)).toEqual([
      'TIMEOUT body',
      'DISCONNECTED ETIMEDOUT 2:unsent 3:unsent',
    ]);
    expect(late).toBe(5000);
  });

  it('S20: is not mixed with a message behind it that has only its sender, or only its envelope', () => {
    for (const upTo of ['sender', 'recipient'] as const) {
      const flight = retreating();
      const { client } = flight;
      send(client, 1);
      send(client, 2);
      client.sendSender('from3@a.example');
      if (upTo === 'recipient') client.sendRecipient('to3@b.example');
      flight.settle();
      expect(flight.ended('delivered'), upTo).toEqual([1, 2]);
      if (upTo === 'sender') client.sendRecipient('to3@b.example');
      client.sendBom({ raw: true });
      client.sendBody('Subject: 3\r\n\r\n.text 3\n');
      client.sendEom();
      flight.fly(4, 5);
      expect(flight.wrongs(5), upTo).toEqual([]);
      expect(flight.stored).toEqual(texts(1, 5));
    }
  });

  it('S20: holds nobody up once its MAIL is taken: the next one leaves before its verdict', () => {
    const reply = ({ last }: ServerCommand): ReplyPlan | undefined =>
      last ? { delayMs: 60_000 } : undefined;
    const flight = new Flight({ server: { extensions: chunking, reply } });
    flight.client.connect();
    send(flight.client, 1);
    send(flight.client, 2);
    flight.client.sendSender('from3@a.example');
    flight.until(() => flight.ended('delivered').length === 1);
    part(flight, 100);
    const arrived = Buffer.concat(flight.server.reads).toString();
    expect([arrived.includes('MAIL FROM:<from3@'), flight.ended('delivered')]).toEqual([true, [1]]);
  });

  it('S20: can be taken back while it retreats, and left behind', () => {
    for (const act of ['reset', 'disconnect', 'abort'] as const) {
      for (let ms = 0; ms <= 60; ms += 10) {
        const flight = retreating(({ verb, last }) =>
          verb === 'BDAT' && last ? { delayMs: 25 } : undefined,
        );
        const { client } = flight;
        flight.until(() => client.state === 'ready');
        send(client, 1);
        client.sendSender('from2@a.example');
        client.sendRecipient('to2@b.example');
        client.sendBom({ raw: true });
        part(flight, ms);
        client[act]();
        if (act === 'reset') {
          send(client, 3);
          flight.settle();
          expect(flight.ended('delivered'), `${act} after ${ms} ms`).toEqual([1, 3]);
          expect(flight.events.filter(({ name }) => name === 'RESET')).toHaveLength(1);
        } else {
          flight.settle();
          expect([flight.outcomes.get(2), flight.down], `${act} after ${ms} ms`).toEqual(['unsent', true]);
          if (act === 'disconnect') expect(flight.outcomes.get(1)).toBe('delivered');
        }
        expect(flight.server.violations).toEqual([]);
      }
    }
  });
});
