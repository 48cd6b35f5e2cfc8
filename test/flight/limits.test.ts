/** LIMITS (RFC 9422): what is more than the server takes is refused here, before it leaves. */
import type { ServerOptions } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { type Bench, connected, last } from '../client/support.ts';
import { chunking, Flight, groups, ids } from './flight.ts';

const both = [
  ['CHUNKING', chunking],
  ['PIPELINING', groups],
  ['neither', ['8BITMIME']],
] as const;

function sent(extensions: readonly string[], to: readonly string[], server: ServerOptions = {}): Bench {
  const made = connected({ server: { ...server, extensions } });
  made.client.sendSender('a@example.test');
  for (const address of to) made.client.sendRecipient(address);
  made.client.sendBom({ raw: true });
  made.client.sendBody('text\r\n');
  made.client.sendEom();
  made.settle();
  return made;
}
const asked = ({ heard }: Bench): string[] =>
  heard.flatMap((line) => /^RCPT TO:<(.*?)>/.exec(line)?.slice(1) ?? []);
const refusals = ({ told }: Bench): string[] => told.filter((text) => text.startsWith('SERVER_'));

describe.each(both)('%s', (_, offers) => {
  it('S20: RCPTMAX: the recipients beyond it are refused here, in their turn; the others get the message', () => {
    const to = ['r1@x.test', 'r2@x.test', 'r3@x.test', 'r4@x.test', 'r5@x.test'];
    const made = sent([...offers, 'LIMITS RCPTMAX=3'], to);
    expect(asked(made)).toEqual(to.slice(0, 3));
    expect(made.news()).toEqual([
      'SENDER_ACK 1',
      'RECIPIENT_ACK 1 r1',
      'RECIPIENT_ACK 1 r2',
      'RECIPIENT_ACK 1 r3',
      'SERVER_ERROR sendRecipient 1 r4 EUNSUPPORTED',
      'SERVER_ERROR sendRecipient 1 r5 EUNSUPPORTED',
      'BOM_ACK 1',
      'EOM_ACK 1 r1+r2+r3/r4+r5',
    ]);
    expect(last(made.events, 'SERVER_ERROR').error.message).toContain('3 recipients a message (RCPTMAX)');
    expect(made.server.messages[0]?.to).toEqual(to.slice(0, 3));
  });

  it('RCPTMAX counts recipients that the server refused, and each message anew', () => {
    const reply = ({ verb, address }: { verb: string; address?: string | undefined }): string | undefined =>
      verb === 'RCPT' && address === 'no@x.test' ? '550 no' : undefined;
    const made = sent([...offers, 'LIMITS RCPTMAX=2'], ['no@x.test', 'r2@x.test', 'r3@x.test'], { reply });
    expect(refusals(made)).toEqual([
      'SERVER_ERROR sendRecipient 1 no 550',
      'SERVER_ERROR sendRecipient 1 r3 EUNSUPPORTED',
    ]);
    made.client.sendSender('a@example.test');
    for (const name of ['r4', 'r5', 'r6']) made.client.sendRecipient(`${name}@x.test`);
    made.client.sendBom({ raw: true });
    made.client.sendEom();
    made.settle();
    expect(made.told.at(-1)).toBe('EOM_ACK 2 r4+r5/r6');
  });

  it('nobody is left when the server refused all that it may be asked about', () => {
    const reply = ({ verb }: { verb: string }): string | undefined =>
      verb === 'RCPT' ? '450 no' : undefined;
    const made = sent([...offers, 'LIMITS RCPTMAX=1'], ['r1@x.test', 'r2@x.test'], { reply });
    expect(made.told.filter((text) => /send(?:Bom|Eom)/.test(text))).toEqual([
      'SERVER_ERROR sendBom 1 EUNSUPPORTED',
    ]);
    expect(made.server.messages).toEqual([]);
  });

  it('RCPTDOMAINMAX: further domains are refused here, known ones are not, whatever their case', () => {
    const to = ['r1@x.test', 'r2@Y.test', 'r3@z.test', 'r4@X.TEST', '"r5@z.test"@y.test', 'r6@w.test'];
    const made = sent([...offers, 'LIMITS RCPTDOMAINMAX=2'], to);
    expect(asked(made)).toEqual([to[0], to[1], to[3], to[4]]);
    expect(refusals(made)).toEqual([
      'SERVER_ERROR sendRecipient 1 r3 EUNSUPPORTED',
      'SERVER_ERROR sendRecipient 1 r6 EUNSUPPORTED',
    ]);
  });

  it('S20: MAILMAX: messages beyond it are for another connection: SERVER_RETRY, and nothing of them leaves', () => {
    const flight = new Flight({ server: { extensions: [...offers, 'LIMITS MAILMAX=4'] } });
    const { client, server } = flight;
    client.connect();
    flight.fly(1, 7);
    expect(flight.ended('delivered')).toEqual(ids(4));
    expect(server.commands.filter((line) => line.startsWith('MAIL'))).toHaveLength(4);
    for (const id of [5, 6, 7])
      expect(flight.told(id)).toEqual([`SERVER_RETRY sendSender ${id} ESERVERTEMP`]);
    expect(last(flight.events, 'SERVER_RETRY').error).toMatchObject({ retryable: true, phase: 'mail' });
    expect(flight.down).toBe(false);
    client.disconnect();
    flight.until(() => flight.down);
    flight.down = false;
    client.connect();
    flight.fly(8, 11);
    expect(flight.ended('delivered')).toEqual([1, 2, 3, 4, 8, 9, 10, 11]);
    expect(flight.wrongs(11)).toEqual([]);
  });
});

it('a server without LIMITS is asked for anything', () => {
  const to = Array.from({ length: 200 }, (_, n) => `r@x${n}.test`);
  expect(asked(sent(chunking, to))).toHaveLength(200);
});

/** Four messages, the second of which goes again. */
function again(limits: string): Flight {
  let mails = 0;
  const flight = new Flight({
    server: {
      extensions: [...chunking, `LIMITS ${limits}`],
      reply: ({ verb }) => (verb === 'MAIL' && ++mails === 2 ? '503 not now' : undefined),
    },
  });
  flight.client.connect();
  flight.fly(1, 4);
  expect(flight.wrongs(4)).toEqual([]);
  return flight;
}

it('S20: the recipients of a message that goes again are counted anew', () => {
  expect(again('RCPTMAX=1').ended('delivered')).toHaveLength(4);
  expect(again('RCPTDOMAINMAX=1 RCPTMAX=2').ended('delivered')).toHaveLength(4);
});

it('S20: a message that goes again is one more to MAILMAX', () => {
  const flight = again('MAILMAX=4');
  expect(flight.server.commands.filter((line) => line.startsWith('MAIL'))).toHaveLength(4);
  expect(flight.ended('delivered')).toEqual([1, 3, 4]);
  expect(flight.ended('sendSender undefined')).toEqual([2]);
});
