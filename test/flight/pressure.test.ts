/** Back-pressure: slow lines, small windows, servers that answer before they read on, ten thousand recipients. */
import { createServer, type Server } from 'node:net';
import { SmtpClient, type SmtpEvent } from 'smtpump';
import { runUntil } from 'smtpump/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { connected } from '../client/support.ts';
import { chunking, Flight, groups, ids, send } from './flight.ts';

const many = 10_000;
const both = [
  ['CHUNKING', chunking],
  ['PIPELINING', groups],
] as const;

describe.each(both)('%s', (_, extensions) => {
  it('LE022 S11: 10,000 recipients through a window of 1 KB: none is lost, and nothing stands still', () => {
    const flight = new Flight({
      server: { extensions },
      line: { windowBytes: 1_024, bytesPerSecond: 10_000_000, segmentBytes: 512 },
    });
    const { client, server } = flight;
    client.connect();
    client.sendSender('a@example.test');
    for (let n = 0; n < many; n++) client.sendRecipient(`r${n}@example.test`);
    client.sendBom({ raw: true });
    client.sendBody('text\r\n');
    client.sendEom();
    flight.until(() => flight.outcomes.size === 1);
    expect(flight.ended('delivered')).toEqual([1]);
    expect(server.messages[0]?.to).toHaveLength(many);
    expect(server.messages[0]?.to.at(-1)).toBe(`r${many - 1}@example.test`);
    expect(flight.events.filter(({ name }) => name === 'RECIPIENT_ACK')).toHaveLength(many);
  });

  it('S11: many messages through a small window, cut anywhere: each arrives whole, in its order', () => {
    for (const seed of [1, 2, 3]) {
      const flight = new Flight({
        server: { extensions, seed },
        line: { windowBytes: 100 + 37 * seed, bytesPerSecond: 50_000, cut: true, jitterMs: 3 },
        client: { bodyBufferBytes: 20 },
      });
      flight.client.connect();
      flight.until(() => flight.client.state === 'ready');
      flight.fly(1, 50);
      expect(flight.wrongs(50)).toEqual([]);
      expect(flight.ended('delivered')).toEqual(ids(50));
    }
  });

  it('TK27 S11: 20 MB to a slow reader: what is taken and has not arrived stays within the bounds', () => {
    const [windowBytes, bodyBufferBytes] = [20_000, 50_000];
    const made = connected({
      server: { extensions, record: false },
      line: { windowBytes, bytesPerSecond: 5_000_000, latencyMs: 5, segmentBytes: 8_192 },
      client: { bodyBufferBytes },
    });
    const { client, clock } = made;
    let arrived = 0;
    const server = made.transport.line;
    if (server === undefined) throw new Error('no line');
    const read = server.onBytes;
    server.onBytes = (bytes) => {
      arrived += bytes.length;
      read?.(bytes);
    };
    const piece = Buffer.alloc(100_000, 'a line of text\r\n');
    const total = 20_000_000;
    let taken = 0;
    let most = 0;
    let drains = 0;
    const give = (): void => {
      for (let got = 1; got > 0 && taken < total; taken += got) got = client.sendBody(piece);
      most = Math.max(most, taken - arrived);
      if (taken >= total) client.sendEom();
    };
    client.on('DRAIN', () => {
      drains++;
      if (client.state === 'body') give();
    });
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom({ raw: true });
    give();
    runUntil(client, clock, () => made.told.includes('EOM_ACK 1 b/'));
    expect(arrived).toBeGreaterThan(total);
    expect(drains).toBeGreaterThan(total / bodyBufferBytes / 4);
    // what the line holds, what was written when it became full, and what waits behind that
    expect(most).toBeLessThan(windowBytes + 2 * bodyBufferBytes);
  });
});

describe('over TCP', () => {
  /** Long, so that the commands fill every buffer on their way as well. */
  const domain = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.test`;
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  /**
   * A server that reads nothing while an answer of its own is not taken, as one with a single thread and blocking
   * writes. Its answers are long, so that they fill every buffer on their way.
   */
  function stubborn(
    extensions: readonly string[],
    onMessage: (recipients: number) => void,
    onStuck: () => void,
  ): Promise<number> {
    const long = 'x'.repeat(480);
    const offers = extensions.map((one, at) => `250${at < extensions.length - 1 ? '-' : ' '}${one}`);
    const server = createServer({ highWaterMark: 1_024 }, (socket) => {
      let rest = Buffer.alloc(0);
      let recipients = 0;
      let content: 'dot' | number | undefined;
      let stuck = false;
      const say = (text: string): void => {
        if (socket.write(`${text}\r\n`)) return;
        stuck = true;
        onStuck();
        socket.pause();
        socket.once('drain', () => {
          stuck = false;
          socket.resume();
          read();
        });
      };
      /** The octets of the next command or content, or -1. */
      const length = (): number => {
        if (typeof content === 'number') return rest.length < content ? -1 : content;
        const end = content === 'dot' ? '.\r\n' : '\r\n';
        const at = rest.indexOf(end);
        return at < 0 ? -1 : at + end.length;
      };
      const answer = (unit: string): void => {
        if (content !== undefined) {
          onMessage(recipients);
          content = undefined;
          recipients = 0;
          say('250 taken');
        } else if (unit.startsWith('EHLO')) say(['250-mx', ...offers].join('\r\n'));
        else if (unit.startsWith('BDAT')) content = Number(unit.split(' ')[1]);
        else if (unit.startsWith('DATA')) {
          content = 'dot';
          say('354 go on');
        } else {
          if (unit.startsWith('RCPT')) recipients++;
          say(`250 ${long}`);
          if (unit.startsWith('QUIT')) socket.end();
        }
      };
      const read = (): void => {
        for (let octets = length(); octets >= 0 && !stuck; octets = length()) {
          const unit = rest.subarray(0, octets).toString();
          rest = rest.subarray(octets);
          answer(unit);
        }
      };
      socket.on('error', () => socket.destroy());
      socket.on('data', (bytes) => {
        rest = Buffer.concat([rest, bytes]);
        read();
      });
      say('220 mx.example.test');
    });
    servers.push(server);
    return new Promise((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
  }

  it.each(both)(
    'LE022 S11: 10,000 recipients to a server that does not read while its answers are not read: %s',
    async (_, extensions) => {
      const taken: number[] = [];
      const port = await stubborn(
        extensions,
        (recipients) => taken.push(recipients),
        () => {},
      );
      const client = new SmtpClient({ host: '127.0.0.1', port, tls: 'never' });
      const end = new Promise<SmtpEvent>((resolve) => client.once('DISCONNECTED', resolve));
      client.connect();
      for (let n = 0; n < 3; n++) {
        client.sendSender('a@example.test');
        for (let at = 0; at < many; at++) client.sendRecipient(`r${at}@${domain}`);
        client.sendBom({ raw: true });
        client.sendBody('text\r\n');
        client.sendEom();
      }
      client.on('EOM_ACK', ({ message }) => void (message.id === 3 && client.disconnect()));
      expect(await end).toMatchObject({ reason: undefined, messages: [] });
      expect(taken).toEqual([many, many, many]);
    },
  );
});

describe('a thousand messages', () => {
  it('S11: called ahead at once, in a flight of 64: the server is never asked for more than it was offered', () => {
    const flight = new Flight({ server: { extensions: chunking }, client: { messagesInFlight: 64 } });
    flight.client.connect();
    for (let n = 1; n <= 1_000; n++) send(flight.client, n);
    flight.until(() => flight.outcomes.size === 1_000);
    expect(flight.wrongs(1_000)).toEqual([]);
    // 1000 / 64, one round trip each, and one to begin with
    expect(flight.trips).toBeLessThanOrEqual(17);
  });
});
