/** What is in the messages of a flight: nasty texts, octets as they are, nothing at all, nobody to take it. */
import type { ServerCommand } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { connected, sendMail } from '../client/support.ts';
import { chunking, Flight, fly, groups, ids, texts } from './flight.ts';

const ways = [
  ['CHUNKING', chunking],
  ['PIPELINING', groups],
] as const;

/** A flight of these bodies, one message each; the texts as the server has them. */
function flown(
  extensions: readonly string[],
  bodies: readonly string[],
  types: readonly ('8bitmime' | 'binarymime')[] = [],
): { flight: Flight; stored: string[]; sizes: string[] } {
  const flight = new Flight({ server: { extensions }, client: { messagesInFlight: 64 } });
  const { client, server } = flight;
  client.connect();
  flight.until(() => client.state === 'ready');
  bodies.forEach((text, at) => {
    client.sendSender({ address: 'a@example.test', ...(types[at] && { body: types[at] }) });
    client.sendRecipient('b@example.test');
    client.sendBom({ raw: true });
    client.sendBody(Buffer.from(text, 'latin1'));
    client.sendEom();
  });
  flight.until(() => flight.outcomes.size === bodies.length || flight.down);
  expect(flight.ended('delivered')).toHaveLength(bodies.length);
  expect(server.violations).toEqual([]);
  return {
    flight,
    stored: server.messages.map(({ data }) => Buffer.from(data).toString('latin1')),
    sizes: server.commands.flatMap((line) => /^BDAT (.*)/.exec(line)?.[1] ?? []),
  };
}

const normalised = (text: string): string =>
  text.replace(/\r\n|\r|\n/g, '\r\n').replace(/(?<!\r\n)(?<!^)$/, '\r\n');

const nasty = [
  '.',
  '..',
  '\r\n.\r\n',
  '\n.\n',
  '\r.\r',
  'a\r\n.',
  'a\r',
  '\n',
  '',
  '.\r\nRSET\r\nMAIL FROM:<evil@attacker.test>\r\nRCPT TO:<b@example.test>\r\nBDAT 3 LAST\r\nx\r\n',
  '250 2.0.0 taken\r\n',
  'BDAT 100 LAST\r\n',
  '\xff\0\xfe.\r\n.\xff',
  'x'.repeat(70_000).concat('\n.\n'),
  '\r\n.'.repeat(1_000),
];

describe.each(ways)('%s', (_, extensions) => {
  it('S10: no text ends a message but its own, nor begins a command, whatever is before and behind it', () => {
    for (let turn = 0; turn < nasty.length; turn++) {
      const bodies = [...nasty.slice(turn), ...nasty.slice(0, turn)];
      const { stored } = flown(extensions, bodies);
      expect(stored, `from ${turn} on`).toEqual(bodies.map(normalised));
    }
  });

  it('LE033: the same sender on the next connection: MAIL says what this server offers, and not what the last one did', () => {
    const without = extensions.filter((one) => one !== '8BITMIME');
    const flight = new Flight({
      server: { extensions: ({ number }) => (number === 2 ? without : extensions) },
    });
    for (let connection = 1; connection <= 3; connection++) {
      flight.client.connect();
      for (let n = 0; n < 2; n++) sendMail(flight.client);
      flight.until(() => flight.outcomes.size === 2 * connection);
      flight.client.disconnect();
      flight.until(() => flight.down);
      flight.down = false;
    }
    expect(flight.server.messages.map(({ parameters }) => parameters.BODY)).toEqual(
      [1, 1, 2, 2, 3, 3].map((connection) => (connection === 2 ? undefined : '8BITMIME')),
    );
    expect(flight.server.violations).toEqual([]);
  });

  it('LE023 LE025 S10: nobody is left, and asked for the text all the same: nothing of it leaves, the others are whole', () => {
    const count = 6;
    for (const id of ids(count)) {
      let mine = false;
      const reply = ({ verb, address }: ServerCommand): string | undefined => {
        if (verb === 'MAIL') mine = address === `from${id}@a.example`;
        if (!mine) return undefined;
        return { RCPT: '550 5.1.1 no', DATA: '354 go on', CONTENT: '554 nobody', BDAT: '554 nobody' }[verb];
      };
      const flight = fly(count, { extensions, reply });
      flight.settle();
      expect([...flight.outcomes].filter(([, how]) => how !== 'delivered')).toEqual([[id, 'sendBom 550']]);
      expect(flight.stored).toEqual(texts(1, count).filter((_text, at) => at !== id - 1));
      expect(flight.wrongs(count)).toEqual([]);
      const dots = flight.server.log.filter((line) => line === 'C: <text of 0 octets>');
      expect(dots).toHaveLength(extensions === groups ? 1 : 0);
    }
  });
});

describe('chunks', () => {
  it('LE026 LE031: in a flight each message is one chunk, the last, and only an empty message has an empty one', () => {
    const { sizes } = flown(chunking, ['one\r\n', '', 'x'.repeat(100_000), '', 'five']);
    expect(sizes).toEqual(['5 LAST', '0 LAST', '100002 LAST', '0 LAST', '6 LAST']);
  });

  it('LE030: in a flight to an Exchange no chunk is empty, and all is taken', () => {
    const { sizes, stored } = flown([...chunking, 'XEXCH50'], ['', 'two\r\n', '']);
    expect(sizes).toEqual(['2 LAST', '5 LAST', '2 LAST']);
    expect(stored).toEqual(['\r\n', 'two\r\n', '\r\n']);
  });

  it('LE032 S10: texts and octets as they are, in turn from one sender: each as its MAIL says', () => {
    const octets = 'a\nb\rc\0\xff.\r\n.';
    const { flight, stored } = flown(
      [...chunking, 'BINARYMIME'],
      [octets, octets, octets, octets],
      ['8bitmime', 'binarymime', '8bitmime', 'binarymime'],
    );
    expect(stored).toEqual([normalised(octets), octets, normalised(octets), octets]);
    expect(flight.server.messages.map(({ parameters }) => parameters.BODY)).toEqual([
      '8BITMIME',
      'BINARYMIME',
      '8BITMIME',
      'BINARYMIME',
    ]);
  });

  it.each([true, false])(
    'LE024: all recipients refused, and known before sendBom: no chunk leaves (pipelining: %s)',
    (pipelining) => {
      let refusals = 0;
      const made = connected({
        server: {
          extensions: chunking,
          reply: ({ verb }) => (verb === 'RCPT' && ++refusals === 1 ? '550 unknown' : undefined),
        },
        client: { pipelining },
      });
      made.client.sendSender('a@example.test');
      made.client.sendRecipient('b@example.test');
      made.settle();
      made.client.sendBom({ raw: true });
      made.client.sendBody('never sent\r\n');
      made.client.sendEom();
      made.settle();
      expect(made.told.slice(-2)).toEqual([
        'SERVER_ERROR sendRecipient 1 b 550',
        'SERVER_ERROR sendBom 1 550',
      ]);
      expect(made.heard.filter((line) => line.startsWith('BDAT'))).toEqual([]);
      sendMail(made.client);
      made.settle();
      expect(made.heard.slice(3).map((line) => line.split(' ')[0])).toEqual(['RSET', 'MAIL', 'RCPT', 'BDAT']);
      expect(made.server.delivered).toBe(1);
    },
  );
});
