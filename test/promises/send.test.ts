/** Whole mails: what each recipient is told, in which order they go, and how a body flows. */
import { Readable } from 'node:stream';
import type { Mail } from 'smtpump/promises';
import { describe, expect, it } from 'vitest';
import { replies, textOf, verbs } from '../client/support.ts';
import { at, during, failure, fate, open, shortly } from './support.ts';

const mail: Mail = { from: at('ann'), to: at('bob'), raw: true, body: 'x\r\n' };
const one = (name: string, reply: string) =>
  replies({ RCPT: ({ address = '' }) => (address === at(name) ? reply : undefined) });

describe('each recipient has a result', () => {
  it('TK37, TK38: refused, deferred, delivered; somebody got it, so it is no failure', async () => {
    const no: Record<string, string> = { bob: '550 5.1.1 no', cid: '450 4.2.0 later' };
    const made = await open({
      server: replies({ RCPT: ({ address = '' }) => no[address.split('@')[0] ?? ''] }),
    });
    const sent = made.smtp.send({ ...mail, to: [at('bob'), at('cid')], cc: at('dan'), bcc: at('eve') });
    const result = await during(made, sent);
    expect(shortly(result.recipients)).toBe(
      'bob refused 550, cid deferred 450, dan delivered, eve delivered',
    );
    expect(result.recipients.map(({ recipient }) => recipient.type)).toEqual(['to', 'to', 'cc', 'bcc']);
    expect(result.recipients[0]?.error).toMatchObject({ code: 'ESERVERPERM', phase: 'rcpt' });
    expect(result.recipients[2]).toMatchObject({ error: undefined, reply: result.reply });
  });

  it.each([
    ['every recipient', one('bob', '550 5.1.1 no'), 'ESERVERPERM: bob refused 550'],
    ['the sender', replies({ MAIL: '451 4.3.0 later' }), 'ESERVERTEMP: bob deferred 451'],
    ['DATA', replies({ DATA: '554 5.3.0 no' }), 'ESERVERPERM: bob refused 554'],
    ['the content', replies({ CONTENT: '554 5.6.0 spam' }), 'ESERVERPERM: bob refused 554'],
  ])('TK71: the server refuses %s: send rejects once, and the line stays', async (_, server, told) => {
    const made = await open({ server });
    expect(fate(await failure(made, made.smtp.send(mail)))).toBe(told);
    expect(made.client.state).toBe('ready');
  });

  it('LMTP: a verdict for each', async () => {
    const verdicts: Record<string, string> = { bob: '552 5.2.2 full', cid: '452 4.2.2 later' };
    const script = replies({ CONTENT: ({ address = '' }) => verdicts[address.split('@')[0] ?? ''] });
    const made = await open({ server: { lmtp: true, ...script }, client: { protocol: 'lmtp' } });
    const some = made.smtp.send({ ...mail, to: ['bob', 'cid', 'dan'].map(at) });
    expect(shortly((await during(made, some)).recipients)).toBe(
      'bob refused 552, cid deferred 452, dan delivered',
    );
    const none = made.smtp.send({ ...mail, to: ['bob', 'cid'].map(at) });
    expect(fate(await failure(made, none))).toBe('ESERVERTEMP: bob refused 552, cid deferred 452');
  });

  it('S20: the line breaks: what had its end on the wire is unknown, the rest unsent; LMTP verdicts that came stand', async () => {
    const drop = replies({ CONTENT: (_, nth) => (nth === 1 ? undefined : { drop: true }) });
    const made = await open({
      server: { lmtp: true, ...drop },
      client: { protocol: 'lmtp', messagesInFlight: 1 },
    });
    const sends = [
      made.smtp.send({ ...mail, to: [at('bob'), at('cid')] }),
      made.smtp.send({ ...mail, to: at('dan') }),
    ];
    const settled = await during(made, Promise.allSettled(sends));
    expect(settled.map((one) => one.status === 'rejected' && fate(one.reason))).toEqual([
      'ESHUTDOWN: bob delivered, cid unknown',
      'ESHUTDOWN: dan unsent',
    ]);
    // later calls hear of it too
    expect(fate(await failure(made, made.smtp.send(mail)))).toBe('ESHUTDOWN: bob unsent');
  });
});

describe('many at once', () => {
  it('TK02, TK70: go in the order of the calls, and leave together', async () => {
    const made = await open({ line: { latencyMs: 100 }, server: { extensions: ['PIPELINING', 'CHUNKING'] } });
    const started = made.clock.now();
    const sends = Array.from({ length: 200 }, (_, n) => made.smtp.send({ ...mail, body: `${n}\r\n` }));
    const results = await during(made, Promise.all(sends));
    expect(results.every(({ recipients }) => shortly(recipients) === 'bob delivered')).toBe(true);
    expect(made.server.messages.map(({ data }) => Number(Buffer.from(data)))).toEqual(sends.map((_, n) => n));
    // one by one they would take 200 round trips at the least
    expect(made.clock.now() - started).toBeLessThan(40 * 200);
  });

  it('a body that comes late holds up those behind it, and none overtakes', async () => {
    const made = await open();
    let go = (): void => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    async function* slow(): AsyncGenerator<string> {
      yield 'first\r\n';
      await gate;
      yield 'last\r\n';
    }
    const sends = [made.smtp.send({ ...mail, body: slow() }), made.smtp.send({ ...mail, body: 'b\r\n' })];
    made.settle();
    await new Promise((resolve) => setImmediate(resolve));
    made.settle();
    expect(made.server.messages).toHaveLength(0);
    go();
    await during(made, Promise.all(sends));
    expect([textOf(made.server, 0), textOf(made.server, 1)]).toEqual(['first\r\nlast\r\n', 'b\r\n']);
  });

  it('disconnect waits for the mails that were sent before it, and refuses those after', async () => {
    const made = await open();
    const sends = Promise.all([made.smtp.send(mail), made.smtp.send(mail)]);
    const left = made.smtp.disconnect();
    const late = made.smtp.send(mail).catch((error) => error);
    await during(made, Promise.all([sends, left]));
    expect(verbs(made.server.commands).at(-1)).toBe('QUIT');
    expect(made.server.messages).toHaveLength(2);
    expect(await late).toMatchObject({ code: 'ENOTCONN' });
  });
});

describe('a body', () => {
  const text = `${'0123456789abcdef'.repeat(64)}\r\n`.repeat(200);
  const bodies: readonly (readonly [string, () => NonNullable<Mail['body']>])[] = [
    ['a string', () => text],
    ['octets', () => Buffer.from(text)],
    ['a stream', () => Readable.from(pieces(Buffer.from(text)), { objectMode: false })],
    ['a stream of text', () => Readable.from(pieces(Buffer.from(text))).setEncoding('utf8')],
    ['a generator', () => later(pieces(text))],
  ];

  function* pieces<T extends string | Buffer>(whole: T): Generator<T> {
    for (let i = 0; i < whole.length; i += 1000) {
      yield (typeof whole === 'string' ? whole.slice(i, i + 1000) : whole.subarray(i, i + 1000)) as T;
    }
  }
  async function* later<T>(items: Iterable<T>): AsyncGenerator<T> {
    yield* items;
  }

  it.each(bodies)('TK26, TK27: may be %s, over a line that takes little', async (_, body) => {
    const made = await open({ line: { windowBytes: 2000 }, client: { bodyBufferBytes: 1500 } });
    await during(made, made.smtp.send({ ...mail, body: body() }));
    expect(textOf(made.server)).toBe(text);
  });

  it('is read no faster than the line takes it', async () => {
    const made = await open({ client: { bodyBufferBytes: 10_000 } });
    made.transport.line?.pause();
    let read = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; ; read++) yield Buffer.alloc(1000, 0x78);
    }
    const controller = new AbortController();
    const sent = made.smtp.send({ ...mail, body: endless() }, { signal: controller.signal });
    for (let n = 0; n < 500; n++) {
      made.settle(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(read).toBeLessThan(200);
    controller.abort();
    await failure(made, sent);
  });

  it('is not begun for mails far behind', async () => {
    const made = await open();
    made.transport.line?.pause();
    let begun = 0;
    async function* small(): AsyncGenerator<string> {
      begun++;
      yield 'x\r\n';
    }
    const sends = Array.from({ length: 200 }, () => made.smtp.send({ ...mail, body: small() }));
    for (let n = 0; n < 500; n++) {
      made.settle(0);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(begun).toBe(64);
    made.transport.line?.resume();
    await during(made, Promise.all(sends));
    expect(made.server.messages).toHaveLength(200);
  });

  it('whose source fails takes the message back, and rejects with what the source threw', async () => {
    const made = await open({ server: { extensions: ['PIPELINING', 'CHUNKING'] } });
    async function* broken(): AsyncGenerator<string> {
      yield 'half\r\n';
      throw new Error('the disk is gone');
    }
    const error = await failure(made, made.smtp.send({ ...mail, body: broken() }));
    expect(error.message).toBe('the disk is gone');
    await during(made, made.smtp.send(mail));
    expect(made.server.messages.map(({ data }) => Buffer.from(data).toString())).toEqual(['x\r\n']);
  });

  it('is left, and its source closed, when the message is refused or the line lost', async () => {
    const made = await open({ server: replies({ DATA: '554 no' }) });
    const stream = new Readable({ read() {} });
    stream.push('never ended');
    expect(fate(await failure(made, made.smtp.send({ ...mail, body: stream })))).toBe(
      'ESERVERPERM: bob refused 554',
    );
    expect(stream.destroyed).toBe(true);
    let closed = false;
    async function* watched(): AsyncGenerator<string> {
      try {
        for (;;) yield 'more\r\n';
      } finally {
        closed = true;
      }
    }
    await failure(made, made.smtp.send({ ...mail, body: watched() }));
    expect(closed).toBe(true);
  });

  it('that cannot be sent takes the message back', async () => {
    const made = await open({ server: { extensions: ['PIPELINING'] } });
    const error = await failure(made, made.smtp.send({ ...mail, body: 'Grüße\r\n' }));
    expect(error).toMatchObject({ code: 'EUNSUPPORTED' });
    await during(made, made.smtp.send({ ...mail, body: 'ok\r\n' }));
    expect(made.server.messages).toHaveLength(1);
  });
});

describe('a mail that cannot be', () => {
  it.each([
    [{}, 'EINVAL'],
    [{ from: at('ann') }, 'EINVAL'],
    [{ from: at('ann'), to: [] }, 'EINVAL'],
    [{ from: 'a b', to: at('bob') }, 'EINVAL'],
    [{ from: at('ann'), to: [at('bob'), 'x\r\ny'] }, 'EINVAL'],
    [{ from: at('ann'), to: at('bob'), text: 'x' }, 'EINVAL'],
    [{ from: at('ann'), to: at('bob'), body: 7 }, 'EINVAL'],
    [{ from: at('ann'), to: at('bob'), subject: 'a\r\nBcc: b' }, 'EINVAL'],
  ])('%o is refused whole, and the next one goes', async (wrong, code) => {
    const made = await open();
    // what a caller without types may give
    expect(await failure(made, made.smtp.send(wrong as Mail))).toMatchObject({ code });
    await during(made, made.smtp.send(mail));
    expect(verbs(made.server.commands).filter((verb) => verb !== 'RSET')).toEqual(['MAIL', 'RCPT', 'DATA']);
  });
});
