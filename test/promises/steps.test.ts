/** The steps with `await`: what each resolves and rejects with. */
import { SmtpClient } from 'smtpump';
import { connect, type SmtpConnection } from 'smtpump/promises';
import { describe, expect, it } from 'vitest';
import { bench, plainLogin, plainServer, replies, silence, textOf, verbs } from '../client/support.ts';
import { at, during, failure, fate, open, shortly } from './support.ts';

describe('TK51: each step resolves with its answer', () => {
  it('from connect to disconnect', async () => {
    const made = await open();
    const { smtp, server } = made;
    const program = (async () => {
      const said: unknown[] = [];
      said.push((await smtp.sendSender(at('ann'))).name);
      said.push((await smtp.sendRecipient(at('bob'))).recipient.address);
      said.push((await smtp.sendRecipient(at('cid'))).reply.code);
      said.push((await smtp.sendBom({ raw: true })).reply?.code);
      said.push(await smtp.sendBody('one\r\n'));
      said.push(await smtp.sendBody(Buffer.from('two\r\n')));
      said.push(shortly((await smtp.sendEom()).recipients));
      said.push((await smtp.noop()).name, (await smtp.reset()).reply.code);
      said.push(await smtp.disconnect());
      return said;
    })();
    expect(await during(made, program)).toEqual([
      'SENDER_ACK',
      at('cid').replace('cid', 'bob'),
      250,
      354,
      undefined,
      undefined,
      'bob delivered, cid delivered',
      'NOOP_ACK',
      250,
      undefined,
    ]);
    expect(textOf(server)).toBe('one\r\ntwo\r\n');
    expect(verbs(server.commands)).toEqual(['MAIL', 'RCPT', 'RCPT', 'DATA', 'NOOP', 'RSET', 'QUIT']);
  });

  it('called ahead they leave together, and no end overtakes its body', async () => {
    const made = await open({ client: { bodyBufferBytes: 100 }, line: { windowBytes: 300 } });
    const { smtp } = made;
    const body = Buffer.from('0123456789abcdef\r\n'.repeat(500));
    const answers = Promise.all([
      smtp.sendSender(at('ann')),
      smtp.sendRecipient(at('bob')),
      smtp.sendBom({ raw: true }),
      smtp.sendBody(body.subarray(0, 4000)),
      smtp.sendBody(body.subarray(4000)),
      smtp.sendEom(),
    ]);
    const [sender, , , , , result] = await during(made, answers);
    expect(result.message).toBe(sender.message);
    expect(textOf(made.server)).toBe(body.toString());
    expect(made.server.reads[1]?.toString()).toContain('RCPT');
  });

  it('TK37, TK38: a refused recipient rejects with its reply, and others may be given', async () => {
    const made = await open({
      server: replies({
        RCPT: ({ address = '' }) => (address.startsWith('bob') ? '550 5.1.1 no' : undefined),
      }),
    });
    const { smtp } = made;
    await during(made, smtp.sendSender(at('ann')));
    const error = await failure(made, smtp.sendRecipient(at('bob')));
    expect(error).toMatchObject({ code: 'ESERVERPERM', phase: 'rcpt', reply: { code: 550 } });
    const rest = (async () => {
      await smtp.sendRecipient(at('cid'));
      await smtp.sendBom({ raw: true });
      await smtp.sendBody('x\r\n');
      return smtp.sendEom();
    })();
    expect(shortly((await during(made, rest)).recipients)).toBe('bob refused 550, cid delivered');
  });

  it.each([
    ['MAIL', '451 4.3.0 later', 'deferred 451'],
    ['DATA', '554 5.0.0 no', 'refused 554'],
    ['CONTENT', '452 4.2.2 full', 'deferred 452'],
  ])(
    'a refusal of %s rejects all steps of the message that wait, and the next message goes',
    async (verb, reply, status) => {
      const script = replies({ [verb]: (_, nth) => (nth === 1 ? reply : undefined) });
      const made = await open({ server: script });
      const { smtp } = made;
      const calls = [
        smtp.sendSender(at('ann')),
        smtp.sendRecipient(at('bob')),
        smtp.sendBom({ raw: true }),
        smtp.sendEom(),
      ];
      const settled = await during(made, Promise.allSettled(calls));
      const from = { MAIL: 0, DATA: 2, CONTENT: 3 }[verb] ?? 9;
      expect(settled.map((one) => one.status)).toEqual(
        calls.map((_, i) => (i < from ? 'fulfilled' : 'rejected')),
      );
      const last = settled.at(-1);
      const code = reply.startsWith('4') ? 'ESERVERTEMP' : 'ESERVERPERM';
      expect(fate(last?.status === 'rejected' && last.reason)).toBe(`${code}: bob ${status}`);
      // steps after the refusal hear of it at once
      const next = smtp.send({ from: at('ann'), to: at('bob'), body: 'x\r\n' });
      expect(shortly((await during(made, next)).recipients)).toBe('bob delivered');
    },
  );

  it('misuse rejects, and nothing is sent', async () => {
    const made = await open();
    const { smtp } = made;
    expect(await failure(made, smtp.sendRecipient(at('bob')))).toMatchObject({ code: 'EPERM' });
    expect(await failure(made, smtp.sendBody('x'))).toMatchObject({ code: 'EPERM' });
    expect(await failure(made, smtp.sendEom())).toMatchObject({ code: 'EPERM' });
    expect(await failure(made, smtp.sendSender('a\r\nb@c'))).toMatchObject({ code: 'EINVAL' });
    expect(verbs(made.server.commands)).toEqual([]);
    await during(made, smtp.disconnect());
    expect(await failure(made, smtp.sendSender(at('ann')))).toMatchObject({ code: 'ENOTCONN' });
    expect(await failure(made, smtp.noop())).toMatchObject({ code: 'ENOTCONN' });
    await smtp.disconnect();
  });

  it('a piece of the body that cannot be sent takes the message back, also where its end was called ahead', async () => {
    const made = await open({ server: { extensions: ['PIPELINING'] } });
    const { smtp } = made;
    await during(made, smtp.sendSender(at('ann')));
    await during(made, smtp.sendRecipient(at('bob')));
    await during(made, smtp.sendBom({ raw: true }));
    const piece = smtp.sendBody('Grüße\r\n');
    const end = smtp.sendEom().catch((error) => error);
    expect(await failure(made, piece)).toMatchObject({ code: 'EUNSUPPORTED' });
    expect(await end).toMatchObject({ code: 'EUNSUPPORTED' });
    made.settle();
    // after a 354 it can only be cut off, with the line
    expect([made.client.state, made.server.messages.length]).toEqual(['disconnected', 0]);
  });

  it.each([
    ['NOOP', (smtp: SmtpConnection) => smtp.noop()],
    ['RSET', (smtp: SmtpConnection) => smtp.reset()],
  ])('TK21: %s refused rejects, and the next one is answered', async (verb, call) => {
    const made = await open({
      server: replies({ [verb]: (_, nth) => (nth === 1 ? '502 5.5.1 no' : undefined) }),
    });
    expect(await failure(made, call(made.smtp))).toMatchObject({ code: 'ESERVERPERM', reply: { code: 502 } });
    expect((await during(made, made.smtp.noop())).reply.code).toBe(250);
  });

  it('reset takes the message back: what waits for it rejects', async () => {
    const made = await open({ server: replies({ MAIL: { delayMs: 1000 } }) });
    const { smtp } = made;
    const sender = smtp.sendSender(at('ann')).catch((error) => error);
    await during(made, smtp.reset());
    expect(await sender).toMatchObject({ code: 'EABORTED', phase: 'rset' });
    await during(made, smtp.send({ from: at('ann'), to: at('bob') }));
    expect(made.server.messages).toHaveLength(1);
  });
});

describe('connect', () => {
  it('TK16: a login that fails rejects, and the line is closed by then', async () => {
    const made = bench({
      server: plainServer,
      client: { auth: { ...plainLogin, allowPlaintext: true, password: 'x' } },
    });
    const error = await failure(made, connect(made.client));
    expect(error).toMatchObject({ code: 'EAUTH', reply: { code: 535 } });
    expect(made.told.at(-1)).toBe('DISCONNECTED');
    expect(made.server.open).toBe(0);
    expect(made.client.listenerCount('event')).toBe(1); // the bench's own
  });

  it('TK50: TLS that fails rejects with ETLS', async () => {
    const made = bench({ server: { tls: 'starttls', handshake: 'fail' }, client: { tls: 'always' } });
    expect(await failure(made, connect(made.client))).toMatchObject({ code: 'ETLS' });
  });

  it.each([
    ['TK64: nobody answers', { fault: { kind: 'refuse' } }, 'ECONNECTION'],
    ['TK63: the server closes', { server: replies({ EHLO: { drop: true } }) }, 'ESHUTDOWN'],
    ['TK39: the server says nothing', { server: replies({ CONNECT: silence }) }, 'ETIMEDOUT'],
    ['the greeting is a refusal', { server: { greeting: '554 no' } }, 'ESERVERPERM'],
  ] as const)('%s: rejects with the reason', async (_, setup, code) => {
    const made = bench({ ...setup, client: { timeouts: { greetingMs: 1000 } } });
    expect(await failure(made, connect(made.client))).toMatchObject({ code });
  });

  it('takes options, and says at once which are wrong', async () => {
    await expect(connect({ port: 0 })).rejects.toMatchObject({ code: 'EINVAL', option: 'port' });
    const hand = connect({ pump: 'manual' });
    await expect(hand).rejects.toMatchObject({ code: 'EINVAL', option: 'pump' });
    const client = new SmtpClient({ pump: 'manual' });
    client.connect();
    await expect(connect(client)).rejects.toMatchObject({ code: 'EISCONN' });
    client.abort();
    client.execute();
  });
});
