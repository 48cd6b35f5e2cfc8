/** What a no to one step does to the steps around it, with the group on the wire and without. */
import { describe, expect, it } from 'vitest';
import { type Bench, bench, codeOf, connected, last, replies, sendMail } from './support.ts';

const next = ['SENDER_ACK 2', 'RECIPIENT_ACK 2 b', 'BOM_ACK 2', 'EOM_ACK 2 b/'];
const modes = [
  ['with PIPELINING', true],
  ['without', false],
] as const;

/** Commands by their verb, after EHLO. */
const verbs = (lines: readonly string[]) => lines.slice(1).map((line) => line.split(' ')[0]);

/** The next message goes through, and no RESET is told for it. */
function goesOn({ client, server, settle, news }: Bench): void {
  const before = server.delivered;
  sendMail(client);
  settle();
  expect(news()).toEqual(next);
  expect(server.delivered).toBe(before + 1);
  expect(server.violations).toEqual([]);
  expect(client.due).toBe(0);
}

describe.each(modes)('a refusal, %s', (_, pipelining) => {
  const refusing = (script: Parameters<typeof replies>[0]): Bench =>
    connected({ server: replies(script), client: { pipelining } });

  it.each([
    ['550 5.1.8 no', 'SERVER_ERROR sendSender 1 550'],
    ['451 later', 'SERVER_RETRY sendSender 1 451'],
  ])(
    'MAIL refused (%s): one event, whatever else was on the wire, and sendSender is legal at once',
    (reply, event) => {
      const made = refusing({ MAIL: (__, nth) => (nth === 1 ? reply : undefined) });
      const { client, server, settle, news, events } = made;
      sendMail(client, { to: ['b@example.test', 'c@example.test'] });
      settle();
      expect(news()).toEqual([event]);
      expect(
        last(events, event.startsWith('SERVER_ERROR') ? 'SERVER_ERROR' : 'SERVER_RETRY').error,
      ).toMatchObject({
        phase: 'mail',
        command: expect.stringMatching(/^MAIL FROM:<a@example\.test>/),
        reply: { code: Number(reply.slice(0, 3)) },
      });
      expect(verbs(server.commands)).toEqual(pipelining ? ['MAIL', 'RCPT', 'RCPT', 'DATA'] : ['MAIL']);
      expect(client.state).toBe('ready');
      goesOn(made);
    },
  );

  it('LE020: MAIL refused: the cascaded replies are shown as REPLY', () => {
    const { client, settle } = refusing({ MAIL: '550 no' });
    const codes: number[] = [];
    client.on('REPLY', (event) => codes.push(event.reply.code));
    sendMail(client);
    settle();
    expect(codes).toEqual(pipelining ? [550, 503, 503] : [550]);
  });

  it('MAIL refused: later steps of that message are swallowed, to the last', () => {
    const made = refusing({ MAIL: (__, nth) => (nth === 1 ? '550 no' : undefined) });
    const { client, server, settle, news } = made;
    client.sendSender('a@example.test');
    settle();
    expect(news()).toEqual(['SERVER_ERROR sendSender 1 550']);
    const recipient = client.sendRecipient('b@example.test');
    expect(recipient.address).toBe('b@example.test');
    client.sendRecipient('c@example.test');
    client.sendBom({ raw: true });
    expect(client.sendBody(new Uint8Array(1_000_000))).toBe(1_000_000);
    expect(client.sendBody('x'.repeat(1_000_000))).toBe(1_000_000);
    client.sendEom();
    settle();
    expect(news()).toEqual([]);
    expect(verbs(server.commands)).toEqual(['MAIL']);
    goesOn(made);
  });

  it('every recipient refused: one event each, then sendBom with the last refusal; DATA needs no answer to be over', () => {
    const made = refusing({
      RCPT: ({ address }, nth) =>
        nth > 2 ? undefined : address?.startsWith('b') ? '450 busy' : '550 unknown',
    });
    const { client, server, settle, news, events } = made;
    sendMail(client, { to: ['b@example.test', 'c@example.test'] });
    settle();
    expect(news()).toEqual(
      [
        'SERVER_RETRY sendRecipient 1 b 450',
        'SERVER_ERROR sendRecipient 1 c 550',
        'SERVER_ERROR sendBom 1 550',
      ].toSpliced(0, 0, 'SENDER_ACK 1'),
    );
    expect(last(events, 'SERVER_ERROR')).toMatchObject({ step: 'sendBom', reply: { code: 550 } });
    expect(last(events, 'SERVER_ERROR').recipient).toBeUndefined();
    const sent = ['MAIL', 'RCPT', 'RCPT'];
    expect(verbs(server.commands)).toEqual(pipelining ? [...sent, 'DATA'] : sent);
    expect(server.messages).toEqual([]);
    goesOn(made);
  });

  it('LE024: every recipient refused and the answers known before sendBom: DATA is never sent', () => {
    const made = refusing({ RCPT: (__, nth) => (nth === 1 ? '550 unknown' : undefined) });
    const { client, server, settle, news } = made;
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    settle();
    expect(news()).toEqual(['SENDER_ACK 1', 'SERVER_ERROR sendRecipient 1 b 550']);
    client.sendBom({ raw: true });
    settle();
    expect(news()).toEqual(['SERVER_ERROR sendBom 1 550']);
    expect(client.sendBody('swallowed')).toBe(9);
    client.sendEom();
    settle();
    expect(verbs(server.commands)).toEqual(['MAIL', 'RCPT']);
    goesOn(made);
    expect(verbs(server.commands)).toEqual(['MAIL', 'RCPT', 'RSET', 'MAIL', 'RCPT', 'DATA']);
  });

  it('some refused: the others get the mail', () => {
    const made = refusing({ RCPT: ({ address }) => (address?.startsWith('c') ? '550 unknown' : undefined) });
    const { client, server, settle, news } = made;
    sendMail(client, { to: ['b@example.test', 'c@example.test', 'd@example.test'] });
    settle();
    expect(news()).toEqual([
      'SENDER_ACK 1',
      'RECIPIENT_ACK 1 b',
      'SERVER_ERROR sendRecipient 1 c 550',
      'RECIPIENT_ACK 1 d',
      'BOM_ACK 1',
      'EOM_ACK 1 b+d/c',
    ]);
    expect(server.messages[0]?.to).toEqual(['b@example.test', 'd@example.test']);
    goesOn(made);
    expect(verbs(server.commands)).not.toContain('RSET');
  });

  it.each([
    ['554 5.7.1 no', 'SERVER_ERROR sendBom 1 554'],
    ['451 later', 'SERVER_RETRY sendBom 1 451'],
  ])('DATA refused (%s): told once as sendBom; RSET before the next MAIL, told to nobody', (reply, event) => {
    const made = refusing({ DATA: (__, nth) => (nth === 1 ? reply : undefined) });
    const { client, server, settle, news, events } = made;
    sendMail(client);
    settle();
    expect(news()).toEqual(['SENDER_ACK 1', 'RECIPIENT_ACK 1 b', event]);
    const told = events.at(-1);
    expect(told).toMatchObject({ error: { phase: 'data', command: 'DATA' }, message: { id: 1 } });
    goesOn(made);
    expect(verbs(server.commands)).toEqual(['MAIL', 'RCPT', 'DATA', 'RSET', 'MAIL', 'RCPT', 'DATA']);
  });

  it('only where needed: after a good message, or a refused MAIL, no RSET is sent', () => {
    const made = refusing({ MAIL: (__, nth) => (nth === 2 ? '550 no' : undefined) });
    const { client, server, settle, news } = made;
    sendMail(client);
    settle();
    client.sendSender('a@example.test');
    settle();
    client.sendSender('a@example.test');
    settle();
    expect(news().slice(4)).toEqual(['SERVER_ERROR sendSender 2 550', 'SENDER_ACK 3']);
    expect(verbs(server.commands)).not.toContain('RSET');
  });

  it('EOM refused for all: the next message goes through', () => {
    const made = refusing({ CONTENT: (__, nth) => (nth === 1 ? '552 too big' : undefined) });
    sendMail(made.client);
    made.settle();
    expect(made.news().at(-1)).toBe('SERVER_ERROR sendEom 1 552');
    goesOn(made);
  });

  it('the refused message and the next one called ahead together: both end as they should', () => {
    for (const verb of ['MAIL', 'RCPT', 'DATA', 'CONTENT']) {
      const { client, server, settle, told } = bench({
        server: replies({ [verb]: (__, nth) => (nth === 1 ? '550 no' : undefined) }),
        client: { pipelining },
      });
      client.connect();
      sendMail(client);
      sendMail(client);
      settle();
      expect(told.filter((line) => line.startsWith('SERVER_ERROR')).length, verb).toBe(
        verb === 'RCPT' ? 2 : 1,
      );
      expect(told.slice(-4), verb).toEqual(next);
      expect(server.delivered, verb).toBe(1);
      expect(server.violations, verb).toEqual([]);
    }
  });
});

describe('every recipient refused, and 354 all the same', () => {
  const yes = { RCPT: '550 unknown', DATA: '354 go on', CONTENT: '554 no valid recipients' };
  const once = (script: Record<string, string>) =>
    replies(
      Object.fromEntries(
        Object.entries(script).map(([verb, reply]) => [
          verb,
          (_: unknown, nth: number) => (nth === 1 ? reply : undefined),
        ]),
      ),
    );

  it.each([
    ['after sendEom', true],
    ['before sendEom', false],
  ])('LE023: a lone dot, and the message is refused once; %s', (_, ended) => {
    const made = connected({ server: once(yes) });
    const { client, server, settle, news } = made;
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom({ subject: 'never sent' });
    client.sendBody('never sent\r\n');
    if (ended) client.sendEom();
    settle();
    expect(news()).toEqual([
      'SENDER_ACK 1',
      'SERVER_ERROR sendRecipient 1 b 550',
      'SERVER_ERROR sendBom 1 550',
    ]);
    expect(server.log).toContain('C: <text of 0 octets>');
    expect(client.due).toBe(0);
    if (!ended) {
      expect(client.sendBody('swallowed')).toBe(9);
      client.sendEom();
    }
    goesOn(made);
  });

  it('a server that then takes the empty message does not make it delivered', () => {
    const { client, settle, news } = connected({ server: once({ ...yes, CONTENT: '250 thanks' }) });
    sendMail(client);
    settle();
    expect(news()).toEqual([
      'SENDER_ACK 1',
      'SERVER_ERROR sendRecipient 1 b 550',
      'SERVER_ERROR sendBom 1 550',
    ]);
    sendMail(client);
    settle();
    expect(news()).toEqual(next);
  });

  it('LE020 LE023: MAIL refused and 354 to the DATA on the wire: a lone dot as well', () => {
    const made = connected({ server: once({ MAIL: '550 no', DATA: '354 go on', CONTENT: '554 nothing' }) });
    const { client, server, settle, news } = made;
    sendMail(client);
    settle();
    expect(news()).toEqual(['SERVER_ERROR sendSender 1 550']);
    expect(server.log).toContain('C: <text of 0 octets>');
    goesOn(made);
  });

  it('S13: MAIL refused, and a server that takes RCPT and DATA all the same: accused, no dot, no content', () => {
    const { client, server, settle, news, events } = connected({
      server: once({ MAIL: '451 later', RCPT: '250 ok', DATA: '354 go on', CONTENT: '250 thanks' }),
    });
    sendMail(client);
    sendMail(client);
    settle();
    expect(news()).toEqual(['SERVER_RETRY sendSender 1 451', 'DISCONNECTED ESERVERSYNC 2:unsent']);
    expect(last(events, 'DISCONNECTED').reason).toMatchObject({
      phase: 'data',
      command: 'DATA',
      reply: { code: 354 },
    });
    expect(server.commands.at(-1)).toBe('DATA');
    expect(server.log.join('\n')).not.toMatch(/<text of|QUIT/);
    expect(server.delivered).toBe(0);
    expect(server.open).toBe(0);
    client.connect();
    sendMail(client);
    settle();
    expect(server.delivered).toBe(1);
  });
});

describe('hints', () => {
  it.each([
    ['MAIL', '530 5.7.0 Must issue a STARTTLS command first', /tls: 'always'/],
    ['MAIL', '530 5.7.0 Authentication required', /auth/],
    ['RCPT', '554 5.7.1 Relay access denied', /login/],
  ])('%s refused with "%s"', (verb, reply, hint) => {
    const { client, settle, events } = connected({ server: replies({ [verb]: reply }) });
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    settle();
    const { error } = last(events, 'SERVER_ERROR');
    expect(error.hint).toMatch(hint);
    expect(error.message).toContain(reply);
    expect(codeOf(() => client.reset())).toBe('fine');
  });
});
