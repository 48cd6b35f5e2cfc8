/** Round trips, counted in virtual time: a line of one second each round, and a server that thinks no time. */
import { describe, expect, it } from 'vitest';
import { bench, sendMail } from './support.ts';

const round = 1000;

/** Rounds from connect() to CONNECTED, and from there to EOM_ACK. */
function trips(
  pipelining: boolean,
  recipients: number,
  tls: 'none' | 'starttls' | 'implicit',
  offered = true,
): [number, number] {
  const { client, clock, settle, server } = bench({
    line: { latencyMs: round / 2 },
    server: { tls, extensions: offered ? ['PIPELINING', '8BITMIME'] : ['8BITMIME'] },
    client: { pipelining, tls: tls === 'implicit' ? 'implicit' : 'optional' },
  });
  const started = clock.now();
  let ready = 0;
  let done = 0;
  client.on('CONNECTED', () => {
    ready = clock.now();
  });
  client.on('EOM_ACK', () => {
    done = clock.now();
  });
  client.connect();
  sendMail(client, { to: Array.from({ length: recipients }, (_, n) => `r${n}@example.test`) });
  settle(1_000_000);
  expect(server.messages[0]?.to).toHaveLength(recipients);
  expect(server.violations).toEqual([]);
  return [(ready - started) / round, (done - ready) / round];
}

describe('round trips', () => {
  it('TK70: the table: connecting, then the mail', () => {
    const table = Object.fromEntries(
      (['none', 'starttls', 'implicit'] as const).flatMap((tls) =>
        [true, false].flatMap((pipelining) =>
          [1, 100].map((n) => [
            `${tls}, ${pipelining ? 'pipelined' : 'one by one'}, ${n}`,
            trips(pipelining, n, tls),
          ]),
        ),
      ),
    );
    // TCP and greeting 2, EHLO 1; STARTTLS, handshake, EHLO 3 more; implicit: the greeting comes with the handshake
    expect(table).toEqual({
      'none, pipelined, 1': [3, 2],
      'none, pipelined, 100': [3, 2],
      'none, one by one, 1': [3, 4],
      'none, one by one, 100': [3, 103],
      'starttls, pipelined, 1': [6, 2],
      'starttls, pipelined, 100': [6, 2],
      'starttls, one by one, 1': [6, 4],
      'starttls, one by one, 100': [6, 103],
      'implicit, pipelined, 1': [3, 2],
      'implicit, pipelined, 100': [3, 2],
      'implicit, one by one, 1': [3, 4],
      'implicit, one by one, 100': [3, 103],
    });
  });

  it('TK70 LE021: a server that does not offer PIPELINING is asked one by one', () => {
    expect(trips(true, 100, 'none', false)).toEqual([3, 103]);
  });

  it('TK70: recipients given one by one, each after the answer before, cost a round each and no polling interval', () => {
    const { client, clock, settle } = bench({ line: { latencyMs: round / 2 } });
    let left = 100;
    let done = 0;
    let ready = 0;
    const next = (): void => {
      if (left-- > 0) {
        client.sendRecipient(`r${left}@example.test`);
        return;
      }
      client.sendBom();
      client.sendEom();
    };
    client.on('CONNECTED', () => {
      ready = clock.now();
      client.sendSender('a@example.test');
    });
    client.on('SENDER_ACK', next);
    client.on('RECIPIENT_ACK', next);
    client.on('EOM_ACK', () => {
      done = clock.now();
    });
    client.connect();
    settle(1_000_000);
    expect((done - ready) / round).toBe(103);
  });

  it('many messages called ahead: the next envelope waits for the verdict, no longer', () => {
    const { client, clock, settle, told } = bench({ line: { latencyMs: round / 2 } });
    let ready = 0;
    let done = 0;
    client.on('CONNECTED', () => {
      ready = clock.now();
    });
    client.on('EOM_ACK', () => {
      done = clock.now();
    });
    client.connect();
    for (let n = 0; n < 10; n++) sendMail(client);
    settle(1_000_000);
    expect(told.filter((line) => line.startsWith('EOM_ACK'))).toHaveLength(10);
    expect((done - ready) / round).toBeLessThanOrEqual(20);
  });

  it('QUIT with nothing due costs one round', () => {
    const { client, clock, settle } = bench({ line: { latencyMs: round / 2 } });
    client.connect();
    settle();
    const asked = clock.now();
    let gone = 0;
    client.on('DISCONNECTED', () => {
      gone = clock.now();
    });
    client.disconnect();
    settle();
    expect((gone - asked) / round).toBe(1);
  });
});
