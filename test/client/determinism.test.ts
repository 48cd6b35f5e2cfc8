/** The same inputs at the same times give the same bytes and the same events (architecture §8.6). */
import { withFaults } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { bench, plainLogin, replies, type Setup, sendMail } from './support.ts';

const clean = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, inner: unknown) => {
      if (inner instanceof Error) return { ...inner, message: inner.message };
      return inner instanceof Map ? [...inner] : inner;
    }),
  );

/** One whole session: all events with all they carry, at their times, and all bytes. */
function play(setup: Setup): { events: unknown; bytes: string; log: string[]; traced: string[] } {
  const made = bench(setup);
  const { client, clock, server } = made;
  const timed: unknown[] = [];
  const traced: string[] = [];
  client.on('event', (event) => timed.push([clock.now(), clean(event)]));
  client.on('STATE', (event) =>
    traced.push(`${clock.now()} ${event.chart} ${event.from} ${event.word} ${event.to}`),
  );
  client.on('COMMAND', (event) => traced.push(`${clock.now()} ${event.line}`));
  client.on('CONNECTED', () => client.disconnect());
  client.connect();
  for (let n = 0; n < 5; n++) {
    client.sendSender({ address: 'a@example.test', name: 'Ann' });
    for (const to of ['b@example.test', 'c@example.test']) client.sendRecipient(to);
    client.sendBom({ subject: `mail ${n}` });
    client.sendBody('x'.repeat(n * 5000));
    client.sendEom();
  }
  made.settle(10_000_000);
  return { events: timed, bytes: Buffer.concat(server.reads).toString('latin1'), log: server.log, traced };
}

const setup = (seed: number): Setup => ({
  seed,
  line: { latencyMs: 20, jitterMs: 40, cut: true, join: true, bytesPerSecond: 50_000 },
  server: {
    tls: 'starttls',
    seed,
    auth: { mechanisms: ['SCRAM-SHA-256'], users: { ann: 'secret' }, iterations: 4096 },
    ...replies({
      RCPT: (_, nth) => (nth === 3 ? '550 no' : undefined),
      CONTENT: (_, nth) => (nth === 2 ? '451 later' : undefined),
    }),
  },
  client: { auth: plainLogin },
});

describe('the same inputs at the same times', () => {
  it('§8.6: give the same bytes, events, states and times, Message-ID, Date and nonces included', () => {
    for (const seed of [1, 2, 3]) expect(play(setup(seed))).toEqual(play(setup(seed)));
  });

  it('§8.6: also where the line breaks, cut by the seed', () => {
    for (const n of [3, 7, 12, 20]) {
      const broken = (): Setup => ({
        ...setup(n),
        wrap: (inner, clock) =>
          withFaults(inner, { seed: n, clock, cut: true, delay: 30, failAt: { call: 'poll', n } }),
      });
      expect(play(broken())).toEqual(play(broken()));
    }
  });

  it('and another seed gives other ones: the comparison can fail', () => {
    expect(play(setup(1)).bytes).not.toBe(play(setup(2)).bytes);
  });

  it('events do not depend on how the line cuts what it carries', () => {
    const names = (cut: boolean, seed: number): string[] => {
      const made = bench({ line: { latencyMs: 5, cut, join: cut }, seed });
      made.client.on('CONNECTED', () => made.client.disconnect());
      made.client.connect();
      for (let n = 0; n < 3; n++) sendMail(made.client);
      made.settle();
      return made.told;
    };
    const whole = names(false, 1);
    expect(whole.at(-1)).toBe('DISCONNECTED');
    for (let seed = 1; seed < 20; seed++) expect(names(true, seed)).toEqual(whole);
  });
});
