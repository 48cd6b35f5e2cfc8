/** Calls that are given up, connections that are disposed of, and what none of them leaves behind. */
import { getEventListeners } from 'node:events';
import type { Mail } from 'smtpump/promises';
import { connect } from 'smtpump/promises';
import { describe, expect, it } from 'vitest';
import { bench, replies, silence, verbs } from '../client/support.ts';
import { at, during, failure, fate, open, type PromiseBench } from './support.ts';

const mail: Mail = { from: at('ann'), to: at('bob'), raw: true, body: 'x\r\n' };

describe('a signal', () => {
  const calls: readonly (readonly [string, (made: PromiseBench, signal: AbortSignal) => Promise<unknown>])[] =
    [
      ['send', ({ smtp }, signal) => smtp.send(mail, { signal })],
      ['sendSender', ({ smtp }, signal) => smtp.sendSender(at('ann'), { signal })],
      ['sendRecipient', ({ smtp }, signal) => smtp.sendRecipient(at('bob'), { signal })],
      ['sendBom', ({ smtp }, signal) => smtp.sendBom({}, { signal })],
      ['sendBody', ({ smtp }, signal) => smtp.sendBody('x', { signal })],
      ['sendEom', ({ smtp }, signal) => smtp.sendEom({ signal })],
      ['reset', ({ smtp }, signal) => smtp.reset({ signal })],
      ['noop', ({ smtp }, signal) => smtp.noop({ signal })],
      ['connect', ({ client }, signal) => connect(client, { signal })],
    ];

  it.each(calls)('given before %s: nothing is done', async (_, call) => {
    const made = await open();
    const before = made.client.state;
    const reason = new Error('no longer wanted');
    const error = await failure(made, call(made, AbortSignal.abort(reason)));
    expect(error).toMatchObject({ code: 'EABORTED', cause: reason });
    expect([made.client.state, made.server.commands.length]).toEqual([before, 1]);
  });

  it('is listened to once, however many calls share it, and each of them is given up', async () => {
    const made = await open({ server: replies({ MAIL: silence }) });
    const controller = new AbortController();
    const { signal } = controller;
    const calls = Promise.allSettled(Array.from({ length: 20 }, () => made.smtp.send(mail, { signal })));
    made.settle();
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    controller.abort();
    for (const call of await during(made, calls)) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'EABORTED' } });
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('before anything has left: the message is withdrawn, and the line stays', async () => {
    const made = await open();
    const controller = new AbortController();
    const sent = made.smtp.sendSender(at('ann'), { signal: controller.signal });
    controller.abort();
    expect(await failure(made, sent)).toMatchObject({ code: 'EABORTED' });
    expect(verbs(made.server.commands)).not.toContain('MAIL');
    expect(made.client.state).toBe('ready');
  });

  it('abort() reaches the mails that wait for their turn as well', async () => {
    const made = await open();
    const calls = Promise.allSettled([made.smtp.send(mail), made.smtp.send(mail)]);
    made.smtp.abort();
    const ends = await calls; // nobody turns the crank
    const fates = ends.map((end) => (end.status === 'rejected' ? fate(end.reason) : end.status));
    expect(fates).toEqual(['EABORTED: bob unsent', 'EABORTED: bob unsent']);
  });

  it('while a mail waits for its turn: only this one is given up', async () => {
    const made = await open();
    const controller = new AbortController();
    let go = (): void => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    async function* slow(): AsyncGenerator<string> {
      await gate;
      yield 'slow\r\n';
    }
    const first = made.smtp.send({ ...mail, body: slow() });
    const second = made.smtp.send({ ...mail, body: 'second\r\n' }, { signal: controller.signal });
    const third = made.smtp.send({ ...mail, body: 'third\r\n' });
    made.settle();
    controller.abort();
    expect(await failure(made, second)).toMatchObject({ code: 'EABORTED' });
    go();
    await during(made, Promise.all([first, third]));
    expect(made.server.messages.map(({ data }) => Buffer.from(data).toString())).toEqual([
      'slow\r\n',
      'third\r\n',
    ]);
  });

  it('in the middle of a message: it is taken back by RSET, and the line stays', async () => {
    const made = await open({ server: replies({ RCPT: { delayMs: 5000 } }) });
    const controller = new AbortController();
    await during(made, made.smtp.sendSender(at('ann')));
    const sent = made.smtp.sendRecipient(at('bob'), { signal: controller.signal });
    made.settle(100);
    controller.abort();
    expect(fate(await failure(made, sent))).toBe('EABORTED: bob unsent');
    await during(made, made.smtp.send(mail));
    expect(verbs(made.server.commands)).toContain('RSET');
  });

  it('after the end of a message was given: the line is closed, and the result says what is known', async () => {
    for (const [server, fates] of [
      [replies({ CONTENT: silence }), 'EABORTED: bob unknown'],
      [replies({ MAIL: silence }), 'EABORTED: bob unsent'],
    ] as const) {
      const made = await open({ server });
      const controller = new AbortController();
      const sent = made.smtp.send(mail, { signal: controller.signal });
      sent.catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
      const other = made.smtp.noop().catch((error) => error);
      made.settle(100);
      controller.abort(new Error('too slow'));
      const error = await failure(made, sent);
      expect(fate(error)).toBe(fates);
      expect(error.cause).toMatchObject({ message: 'too slow' });
      expect(await other).toMatchObject({ code: 'EABORTED' });
      expect(made.client.state).toBe('disconnected');
    }
  });

  it('given to the step that ends a message does the same', async () => {
    const made = await open({ server: replies({ CONTENT: silence }) });
    const { smtp } = made;
    const controller = new AbortController();
    const steps = [
      smtp.sendSender(at('ann')),
      smtp.sendRecipient(at('bob')),
      smtp.sendBom({ raw: true }),
      smtp.sendBody('x\r\n'),
    ];
    await during(made, Promise.all(steps));
    const end = smtp.sendEom({ signal: controller.signal });
    end.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    made.settle(100);
    controller.abort();
    expect(fate(await failure(made, end))).toBe('EABORTED: bob unknown');
    expect(made.client.state).toBe('disconnected');
  });

  it('of connect closes the line; of disconnect closes it at once', async () => {
    const made = bench({ server: replies({ EHLO: silence }) });
    const controller = new AbortController();
    const opened = connect(made.client, { signal: controller.signal });
    opened.catch(() => {});
    made.settle(100);
    controller.abort();
    expect(await failure(made, opened)).toMatchObject({ code: 'EABORTED', phase: 'connect' });
    expect([made.client.state, made.server.open]).toEqual(['disconnected', 0]);

    const second = await open({ server: replies({ QUIT: silence }) });
    const leave = new AbortController();
    const left = second.smtp.disconnect({ signal: leave.signal });
    await new Promise((resolve) => setImmediate(resolve));
    second.settle(100);
    leave.abort();
    await during(second, left, 0);
    expect(second.client.state).toBe('disconnected');
  });
});

describe('nothing is left behind', () => {
  it('no listener, of the client or of a signal', async () => {
    const made = await open();
    const { smtp, client } = made;
    const listeners = (): number =>
      client.eventNames().reduce((sum, name) => sum + client.listenerCount(name), 0);
    const before = listeners();
    const { signal } = new AbortController();
    const program = (async () => {
      for (let n = 0; n < 50; n++) {
        await smtp.sendSender(at('ann'), { signal });
        await smtp.sendRecipient(at('bob'), { signal });
        await smtp.sendBom({}, { signal });
        await smtp.sendBody('x\r\n', { signal });
        await smtp.sendEom({ signal });
        await Promise.all([smtp.send(mail, { signal }), smtp.send(mail, { signal })]);
        await smtp.noop({ signal });
        await smtp.reset({ signal });
      }
    })();
    await during(made, program);
    expect(made.server.messages).toHaveLength(150);
    expect(listeners()).toBe(before);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    await during(made, smtp.disconnect({ signal }));
    expect(listeners()).toBe(before - 1); // the bench's own
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  it('no connection: the end of a block disposes of it, with QUIT', async () => {
    const made = await open();
    await during(made, made.smtp[Symbol.asyncDispose]());
    expect(verbs(made.server.commands)).toEqual(['QUIT']);
    expect([made.client.state, made.server.open]).toEqual(['disconnected', 0]);
  });
});
