/** LMTP: LHLO, and a verdict for each recipient. */
import { describe, expect, it } from 'vitest';
import { bench, connected, last, replies, sendMail, silence } from './support.ts';

const to = ['b@example.test', 'c@example.test', 'd@example.test'];
const begun = ['SENDER_ACK 1', 'RECIPIENT_ACK 1 b', 'RECIPIENT_ACK 1 c', 'RECIPIENT_ACK 1 d', 'BOM_ACK 1'];

const lmtp = (script: Parameters<typeof replies>[0] = {}, pipelining = true) =>
  connected({ server: { lmtp: true, ...replies(script) }, client: { protocol: 'lmtp', pipelining } });

describe('LMTP', () => {
  it('says LHLO and never EHLO or HELO; a refusal ends it', () => {
    const good = lmtp();
    expect(good.server.commands).toEqual(['LHLO client.example.test']);
    const { client, server, told, settle } = bench({
      server: { lmtp: true, ...replies({ LHLO: '500 what?' }) },
      client: { protocol: 'lmtp' },
    });
    client.connect();
    settle();
    expect(told).toEqual(['SERVER_ERROR connect 500', 'DISCONNECTED ESERVERPERM']);
    expect(server.commands).toEqual(['LHLO client.example.test']);
  });

  it.each([true, false])('all accepted: one EOM_ACK (pipelining: %s)', (pipelining) => {
    const { client, server, settle, news, events } = lmtp({}, pipelining);
    sendMail(client, { to });
    settle();
    expect(news()).toEqual([...begun, 'EOM_ACK 1 b+c+d/']);
    expect(last(events, 'EOM_ACK').reply.code).toBe(250);
    expect(server.messages[0]?.to).toEqual(to);
    expect(client.due).toBe(0);
    sendMail(client);
    settle();
    expect(news()).toEqual(['SENDER_ACK 2', 'RECIPIENT_ACK 2 b', 'BOM_ACK 2', 'EOM_ACK 2 b/']);
  });

  it('each refused recipient tells its own, in order, then one EOM_ACK with a good reply', () => {
    const { client, server, settle, news, events } = lmtp({
      CONTENT: ({ address }) =>
        address === 'b@example.test'
          ? '452 4.2.2 full'
          : address === 'd@example.test'
            ? '550 5.7.1 no'
            : undefined,
    });
    sendMail(client, { to });
    settle();
    expect(news()).toEqual([
      ...begun,
      'SERVER_RETRY sendEom 1 b 452',
      'SERVER_ERROR sendEom 1 d 550',
      'EOM_ACK 1 c/b+d',
    ]);
    expect(last(events, 'EOM_ACK').reply.text).toContain('<c@example.test> accepted');
    expect(last(events, 'SERVER_ERROR').error).toMatchObject({ phase: 'verdict', code: 'ESERVERPERM' });
    expect(server.messages[0]?.to).toEqual(['c@example.test']);
    expect(client.state).toBe('ready');
  });

  it('all refused: one refusal each and no EOM_ACK; the next message goes through', () => {
    const { client, settle, news } = lmtp({ CONTENT: (_, nth) => (nth <= 3 ? '550 5.7.1 no' : undefined) });
    sendMail(client, { to });
    settle();
    expect(news()).toEqual([
      ...begun,
      'SERVER_ERROR sendEom 1 b 550',
      'SERVER_ERROR sendEom 1 c 550',
      'SERVER_ERROR sendEom 1 d 550',
    ]);
    expect(client.state).toBe('ready');
    sendMail(client);
    settle();
    expect(news().at(-1)).toBe('EOM_ACK 2 b/');
  });

  it('recipients refused at RCPT have no verdict', () => {
    const { client, settle, news } = lmtp({
      RCPT: ({ address }) => (address?.startsWith('c') ? '550 no' : undefined),
    });
    sendMail(client, { to });
    settle();
    expect(news()).toEqual([
      'SENDER_ACK 1',
      'RECIPIENT_ACK 1 b',
      'SERVER_ERROR sendRecipient 1 c 550',
      'RECIPIENT_ACK 1 d',
      'BOM_ACK 1',
      'EOM_ACK 1 b+d/c',
    ]);
    expect(client.due).toBe(0);
  });

  it('DISCONNECTED in the middle of the verdicts: unknown, and the told ones stay told', () => {
    const { client, settle, news } = lmtp({ CONTENT: (_, nth) => (nth === 2 ? { drop: true } : undefined) });
    const delivered: string[] = [];
    client.on('DISCONNECTED', ({ messages }) => {
      for (const { accepted = [] } of messages) delivered.push(...accepted.map(({ address }) => address));
    });
    sendMail(client, { to });
    settle();
    expect(news()).toEqual([...begun, 'DISCONNECTED ESHUTDOWN 1:unknown']);
    // whoever has it must not be sent it again
    expect(delivered).toHaveLength(1);
  });

  it('each verdict has its own limit, counted from the one before', () => {
    const { client, clock, settle, news } = lmtp({
      CONTENT: (_, nth) => (nth === 3 ? silence : { reply: '250 ok', delayMs: 500_000 }),
    });
    const start = clock.now();
    sendMail(client, { to });
    settle(10_000_000);
    expect(news()).toEqual([...begun, 'TIMEOUT verdict', 'DISCONNECTED ETIMEDOUT 1:unknown']);
    expect(clock.now() - start).toBe(2 * 500_000 + 600_000);
  });

  it('every recipient refused and 354 all the same: a lone dot, whose single answer counts once', () => {
    const first = (reply: string) => (_: unknown, nth: number) => (nth === 1 ? reply : undefined);
    const { client, server, settle, news } = lmtp({
      RCPT: first('550 no'),
      DATA: first('354 go'),
      CONTENT: first('503 no recipients'),
    });
    sendMail(client);
    settle();
    expect(news()).toEqual([
      'SENDER_ACK 1',
      'SERVER_ERROR sendRecipient 1 b 550',
      'SERVER_ERROR sendBom 1 550',
    ]);
    expect(server.log).toContain('C: <text of 0 octets>');
    sendMail(client);
    settle();
    expect(news().at(-1)).toBe('EOM_ACK 2 b/');
  });
});
