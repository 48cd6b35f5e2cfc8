import { describe, expect, it } from 'vitest';
import {
  type FaultPoint,
  memory,
  ScriptedServer,
  type Trace,
  trace,
  transcript,
  VirtualClock,
  withFaults,
} from '../../src/testing/index.ts';
import { ask, codeOf, drain, hear, say, target } from '../testing/talk.ts';

describe('withFaults', () => {
  it.each<[FaultPoint['call'], number, string, string]>([
    ['open', 1, 'open', '<lost>'],
    ['poll', 1, 'open', '<lost>'],
    ['poll', 2, 'line', '<open><lost>'],
    ['write', 2, 'line', '<open>220 x\r\n250 x\r\n<lost>'],
    ['secure', 1, 'secure', '<open>220 x\r\n250 x\r\n220 go\r\n<lost>'],
    ['poll', 5, 'secure', '<open>220 x\r\n250 x\r\n220 go\r\n<lost>'],
    ['write', 9, '', '<open>220 x\r\n250 x\r\n220 go\r\n<secure>'],
  ])('makes %s number %i fail, once', (call, n, during, expected) => {
    const server = transcript('S: 220 x\nC: a\nS: 250 x\nC: b\nS: 220 go\n-- tls\n');
    const events: string[] = [];
    const transport = withFaults(memory(server), { failAt: { call, n } });
    const gather = () => {
      for (const event of drain(transport)) {
        events.push(event.type === 'bytes' ? Buffer.from(event.bytes).toString() : `<${event.type}>`);
        if (event.type === 'lost') {
          expect(event.during).toBe(during);
          expect(codeOf(event)).toBe('ECONNRESET');
          return false;
        }
      }
      return true;
    };
    transport.open(target);
    const steps = [() => say(transport, 'a\r\n'), () => say(transport, 'b\r\n'), () => transport.secure({})];
    for (const step of steps) if (gather()) step();
    gather();
    expect(events.join('')).toBe(expected);
    expect(drain(transport)).toEqual([]);
  });

  it('tells the given error, and works again after the next open()', () => {
    const error = new Error('mine');
    const transport = withFaults(memory(new ScriptedServer()), { failAt: { call: 'open', n: 1, error } });
    transport.open(target);
    expect(drain(transport)).toEqual([{ type: 'lost', during: 'open', error }]);
    transport.open(target);
    expect(hear(transport)).toMatch(/^<open>220/);
  });

  it('delays, and wakes when the time has come', () => {
    const clock = new VirtualClock(0);
    const transport = withFaults(memory(new ScriptedServer(), { clock }), { clock, delay: 50, seed: 3 });
    const times: number[] = [];
    let heard = '';
    transport.onReady = () => {
      const more = hear(transport);
      if (more !== '') times.push(clock.now());
      heard += more;
    };
    transport.open(target);
    clock.advance(1000);
    expect(heard).toMatch(/^<open>220 .*\r\n$/);
    expect(times.at(-1)).toBeGreaterThan(0);
    expect(() => withFaults(memory(), { delay: 1 })).toThrow(/clock/);
  });

  it('counts bytes it still holds as bytes before the handshake [S1]', () => {
    const server = transcript('S: 220 go\nS: 250 injected\n-- tls\n');
    const transport = withFaults(memory(server), { cut: true, seed: 2 });
    transport.open(target);
    expect(transport.poll()?.type).toBe('open');
    expect(transport.poll()?.type).toBe('bytes');
    transport.secure({});
    expect(drain(transport)).toMatchObject([{ type: 'lost', during: 'secure' }]);
  });
});

describe('trace', () => {
  it('tells lines and events, and never a secret [S17, LE070, LE071]', () => {
    const secret = 'AGNhbmFyeQBjYW5hcnk=';
    const server = new ScriptedServer({ auth: { mechanisms: ['LOGIN', 'PLAIN'], users: {} } });
    const told: Trace[] = [];
    const transport = trace(memory(server), (line) => told.push(line));
    transport.open(target);
    hear(transport);
    ask(transport, 'EHLO me');
    ask(transport, `AUTH PLAIN ${secret}`);
    say(transport, 'auth pl');
    say(transport, `ain ${secret.slice(0, 5)}`);
    ask(transport, secret.slice(5));
    ask(transport, `AUTH\tPLAIN ${'x'.repeat(1500)}${secret}`);
    ask(transport, 'AUTH LOGIN');
    ask(transport, secret);
    ask(transport, secret);
    ask(transport, `AUTH PLAIN \u2028${secret}`);
    ask(transport, 'NOOP \x1b[31m');
    transport.close(true);
    const texts = told.map(({ direction, text }) => `${direction}: ${text}`);
    expect(texts.join('\n')).not.toContain(secret.slice(5));
    expect(texts.join('\n')).not.toContain('xxx');
    expect(texts).toContain('event: connect mx.example.test:25');
    expect(texts).toContain('event: open 192.0.2.1 → 192.0.2.25');
    expect(texts).toContain('in: 220 mx.example.test ESMTP');
    expect(texts).toContain('out: AUTH PLAIN ****');
    expect(texts).toContain('out: auth plain ****');
    expect(texts).toContain('out: AUTH LOGIN');
    expect(texts).toContain('in: 334 ****');
    expect(texts).toContain('out: NOOP \\x1b[31m');
    expect(texts.at(-1)).toBe('event: close');
    expect(told.find(({ text }) => text === 'EHLO me')?.octets).toBe(9);
  });

  it('tells TLS and loss, and passes everything on', () => {
    const told: string[] = [];
    const inner = memory(transcript('S: 220 go\n-- tls\n-- reset\n'));
    const transport = trace(inner, ({ text }) => told.push(text));
    const wake = () => {};
    transport.onReady = wake;
    expect(inner.onReady).toBe(wake);
    transport.open(target);
    hear(transport);
    transport.secure({ servername: 'mx.example.test', passphrase: 'canary' });
    expect(hear(transport)).toBe('<secure><lost>');
    expect(told.slice(-3)).toEqual([
      'start TLS with mx.example.test',
      'secure TLSv1.3 SIMULATED',
      'lost (line): the server reset the line (ECONNRESET)',
    ]);
    expect(told.join()).not.toContain('canary');
  });
});
