/** S13: a reply that began before its command answers nothing, however it is cut. */
import { describe, expect, it } from 'vitest';
import { type Bench, connected, last, replies, type Setup, sendMail, silence } from '../client/support.ts';

const say = (made: Bench, text: string): void => made.server.connections.at(-1)?.say(text);

/** Half a reply came and was read while nothing was due. */
function halved(half: string, setup: Setup = {}): Bench {
  const made = connected(setup);
  say(made, half);
  made.settle();
  expect(made.news()).toEqual([]);
  expect(made.client.state).toBe('ready');
  return made;
}

describe('S13: half a reply that came while nothing was due', () => {
  // the rest makes it one whole reply, of a class that would fit
  const halves = [
    ['250-x', '\r\n250 y\r\n'],
    ['250-x\r\n', '250 y\r\n'],
    ['250 y', '\r\n'],
    ['250 y\r', '\n'],
    ['2', '50 y\r\n'],
    ['250', ' y\r\n'],
    ['\r\n', '250 y\r\n'],
  ] as const;

  it.each(halves)('%j is not taken for the answer to NOOP when %j completes it', (half, rest) => {
    const made = halved(half, { server: replies({ NOOP: silence }) });
    made.client.noop();
    made.settle(0);
    say(made, rest);
    made.settle();
    expect(made.news()).toEqual(['DISCONNECTED ESERVERSYNC']);
    expect(last(made.events, 'DISCONNECTED').reason).toMatchObject({ phase: 'noop', reply: { code: 250 } });
  });

  it.each(halves)('%j nor for that to MAIL, and no message is told as taken', (half, rest) => {
    const made = halved(half, { server: replies({ MAIL: silence }) });
    sendMail(made.client);
    made.settle(0);
    say(made, `${rest}250 ok\r\n354 go\r\n250 taken\r\n`);
    made.settle();
    expect(made.news()).toEqual(['DISCONNECTED ESERVERSYNC 1:unsent']);
    expect(made.server.messages).toEqual([]);
  });

  it('that the real answer completes is a violation too', () => {
    const made = halved('250-x\r\n');
    made.client.noop();
    made.settle();
    expect(made.news()).toEqual(['DISCONNECTED ESERVERSYNC']);
  });

  it('that came behind the answer before it, in one piece with it', () => {
    const made = connected({ server: replies({ NOOP: { raw: '250 ok\r\n250-x\r\n' } }) });
    made.client.noop();
    made.settle();
    expect(made.news()).toEqual(['NOOP_ACK']);
    made.client.reset();
    made.settle();
    expect(made.news()).toEqual(['DISCONNECTED ESERVERSYNC']);
  });

  it('and the whole of it with nothing due: a violation without waiting for a command', () => {
    const made = halved('250-x\r\n');
    say(made, '250 y\r\n');
    made.settle();
    expect(made.news()).toEqual(['DISCONNECTED ESERVERSYNC']);
  });

  it.each([
    ['4', '21 bye\r\n'],
    ['421', ' bye\r\n'],
    ['421-we are\r\n', '421 going\r\n'],
    ['421 bye\r', '\n'],
  ])('%j %j is still a 421, with a command on the way and without', (half, rest) => {
    for (const busy of [true, false]) {
      const made = halved(half, { server: replies({ NOOP: silence }) });
      if (busy) made.client.noop();
      made.settle(0);
      say(made, rest);
      made.settle();
      expect(made.news().at(-1)).toBe('DISCONNECTED ESERVERTEMP');
      expect(last(made.events, 'DISCONNECTED').reason).toMatchObject({ reply: { code: 421 } });
    }
  });

  it('is forgotten with its line: the next connection is not accused', () => {
    const made = halved('250-x\r\n');
    made.client.abort();
    made.settle();
    made.client.connect();
    sendMail(made.client);
    made.settle();
    expect(made.news().at(-1)).toBe('EOM_ACK 1 b/');
    const cut = halved('250-x\r\n', { server: replies({ NOOP: silence }) });
    cut.client.noop();
    cut.settle(0);
    cut.client.abort();
    cut.settle();
    cut.client.connect();
    sendMail(cut.client);
    cut.settle();
    expect(cut.news().at(-1)).toBe('EOM_ACK 1 b/');
  });

  it('a reply that begins after its command has left may come in pieces', () => {
    const made = connected({ server: replies({ NOOP: silence }) });
    made.client.noop();
    made.settle(0);
    for (const piece of ['2', '50-', 'x\r', '\n250 y', '\r\n']) {
      say(made, piece);
      made.settle(0);
    }
    expect(made.news()).toEqual(['NOOP_ACK']);
  });
});
