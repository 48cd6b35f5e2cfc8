/** LMTP with CHUNKING and many messages in flight: a verdict for each recipient, whatever was refused before. */
import type { ServerCommand, ServerOptions } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { chunking, Flight, groups } from './flight.ts';

const count = 5;
const to = ['x', 'y', 'z'];

function sendThree(flight: Flight, n: number): void {
  const { client } = flight;
  client.sendSender(`from${n}@a.example`);
  for (const name of to) client.sendRecipient(`${name}${n}@b.example`);
  client.sendBom({ raw: true });
  client.sendBody(`Subject: ${n}\r\n`);
  client.sendEom();
}

function fly(server: ServerOptions): Flight {
  const flight = new Flight({ server: { lmtp: true, ...server }, client: { protocol: 'lmtp' } });
  flight.client.connect();
  for (let n = 1; n <= count; n++) sendThree(flight, n);
  flight.settle();
  return flight;
}

const texts = (flight: Flight): string[] =>
  flight.server.messages.map(({ data, to: took }) => `${Buffer.from(data).toString().trim()} ${took.join()}`);
const whole = (n: number, ...names: string[]): string =>
  `Subject: ${n} ${names.map((name) => `${name}${n}@b.example`).join()}`;
const wholes = (but: Readonly<Record<number, string[]>> = {}): string[] =>
  Array.from({ length: count }, (_, at) => at + 1)
    .filter((n) => but[n]?.length !== 0)
    .map((n) => whole(n, ...(but[n] ?? to)));

describe.each([
  ['CHUNKING', chunking],
  ['PIPELINING', groups],
] as const)('with %s', (_, extensions) => {
  it('LE027 S20: three verdicts for each message', () => {
    const flight = fly({ extensions });
    expect(texts(flight)).toEqual(wholes());
    expect(flight.told(3)).toEqual([
      'SENDER_ACK 3',
      'RECIPIENT_ACK 3 x3',
      'RECIPIENT_ACK 3 y3',
      'RECIPIENT_ACK 3 z3',
      'BOM_ACK 3',
      'EOM_ACK 3 x3+y3+z3/',
    ]);
    expect(flight.server.violations).toEqual([]);
  });

  it('LE029 S13: RCPT or the verdict refused for some or all of the recipients of one: the others are whole', () => {
    for (const names of [['x'], ['y'], ['z'], ['x', 'z'], to]) {
      for (const verb of ['RCPT', extensions === chunking ? 'BDAT' : 'CONTENT']) {
        const refused = names.map((name) => `${name}3@b.example`);
        const reply = ({ verb: asked, address = '' }: ServerCommand): string | undefined =>
          asked === verb && refused.includes(address) ? '550 no' : undefined;
        const flight = fly({ extensions, reply });
        const left = to.filter((name) => !names.includes(name));
        const story = `${verb} ${names}`;
        expect(texts(flight), story).toEqual(wholes({ 3: left }));
        expect(
          flight.told(3).filter((text) => text.startsWith('SERVER_ERROR send')),
          story,
        ).toHaveLength(names.length + (verb === 'RCPT' && left.length === 0 ? 1 : 0));
        expect(
          flight.told(3).some((text) => text.startsWith('EOM_ACK')),
          story,
        ).toBe(left.length > 0);
        expect(
          [...flight.outcomes.keys()].filter((id) => id !== 3),
          story,
        ).toEqual([1, 2, 4, 5]);
        expect(flight.server.violations, story).toEqual([]);
      }
    }
  });

  it('LE056 S20: a MAIL that came too early goes again, and its verdicts are counted anew', () => {
    let mails = 0;
    const reply = ({ verb }: ServerCommand): string | undefined =>
      verb === 'MAIL' && ++mails === 2 ? '503 not now' : undefined;
    const flight = fly({ extensions, reply });
    expect(texts(flight).sort()).toEqual(wholes());
    expect([...flight.outcomes.values()]).toEqual(wholes().map(() => 'delivered'));
  });
});

describe('a chunk that is refused', () => {
  // RFC 3030 and RFC 2033 leave open how many answers the last chunk has after that
  it.each([
    ['once', 1],
    ['for each recipient', 3],
  ])(
    'LE029 S13: the end is not sent before the chunks are answered, so that no answer is taken for another: %s',
    (_, answers) => {
      let failed = false;
      const flight = new Flight({
        server: {
          lmtp: true,
          extensions: chunking,
          reply({ verb, last }) {
            if (verb === 'BDAT' && !last && !failed) {
              failed = true;
              return '452 4.3.1 full';
            }
            return verb === 'BDAT' && last && failed && flight.outcomes.size === 0
              ? { raw: '503 5.5.1 no\r\n'.repeat(answers) }
              : undefined;
          },
        },
        client: { protocol: 'lmtp' },
      });
      const { client } = flight;
      client.connect();
      client.sendSender('from1@a.example');
      for (const name of to) client.sendRecipient(`${name}1@b.example`);
      client.sendBom({ raw: true });
      client.sendBody('x'.repeat(100_000));
      flight.settle();
      client.sendEom();
      sendThree(flight, 2);
      flight.settle();
      expect([...flight.outcomes]).toEqual([
        [1, 'sendEom 452'],
        [2, 'delivered'],
      ]);
      expect(texts(flight)).toEqual([whole(2, ...to)]);
    },
  );
});
