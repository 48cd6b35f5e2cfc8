import { describe, expect, it } from 'vitest';
import { memory, Random, transcript } from '../../src/testing/index.ts';
import { ask, drain, hear, say, target } from './talk.ts';

const dialogue = `
# A session with TLS
S: 220 mx.example.test
C: EHLO me
S: 250-mx.example.test
S: 250 STARTTLS
C: STARTTLS
S: 220 go
-- tls
C: DATA
S: 354 go
C: Subject: x
C:
C: text
C\\ no end
S: 250 ok
-- close
-- connection
S: 220 again
-- closed
`;

describe('transcript', () => {
  it.each([
    ['whole', {}],
    ['byte by byte', { chunk: 1 }],
    ['cut at random', { random: new Random(9) }],
  ])('plays a dialogue %s', (_, options) => {
    const server = transcript(dialogue, options);
    const transport = memory(server);
    transport.open(target);
    expect(hear(transport)).toBe('<open>220 mx.example.test\r\n');
    say(transport, 'EHL');
    expect(hear(transport)).toBe('');
    expect(ask(transport, 'O me')).toBe('250-mx.example.test\r\n250 STARTTLS\r\n');
    expect(ask(transport, 'STARTTLS')).toBe('220 go\r\n');
    transport.secure({});
    expect(hear(transport)).toBe('<secure>');
    expect(ask(transport, 'DATA')).toBe('354 go\r\n');
    say(transport, 'Subject: x\r\n\r\ntext\r\nno end');
    expect(hear(transport)).toBe('250 ok\r\n<lost>');
    expect(server.finished).toBe(false);
    expect(() => server.verify()).toThrow(/before the next connection/);
    transport.open(target);
    expect(hear(transport)).toBe('<open>220 again\r\n');
    transport.close(true);
    server.verify();
    expect(server.finished).toBe(true);
  });

  it('fails loudly at the first octet that differs', () => {
    const server = transcript('S: 220 x\nC: EHLO me\nS: 250 x\n');
    const transport = memory(server);
    transport.open(target);
    hear(transport);
    say(transport, 'EHLO you\r\n');
    expect(drain(transport)).toMatchObject([{ type: 'lost', error: { code: 'ECONNRESET' } }]);
    expect(server.mismatches).toEqual([{ line: 2, expected: 'EHLO me\r\n', got: 'EHLO you\r\n' }]);
    expect(() => server.verify()).toThrow(/line 2: expected "EHLO me/);
  });

  it.each([
    ['a word too much', 'S: 220 x\n', 'NOOP\r\n', /line 0/],
    ['clear bytes where TLS is due', 'S: 220 x\n-- tls\n', 'NOOP\r\n', /a TLS handshake/],
  ])('notices %s', (_, text, said, error) => {
    const server = transcript(text);
    const transport = memory(server);
    transport.open(target);
    hear(transport);
    say(transport, said);
    hear(transport);
    expect(() => server.verify()).toThrow(error);
  });

  it('notices a close too early and a connection too many', () => {
    const server = transcript('S: 220 x\nC: QUIT\n');
    const transport = memory(server);
    transport.open(target);
    hear(transport);
    transport.close(true);
    expect(server.mismatches).toMatchObject([{ line: 2, got: 'the client closed' }]);
    transport.open(target);
    expect(hear(transport)).toBe('<open><lost>');
    expect(server.mismatches).toHaveLength(2);
  });

  it('plays failing handshakes', () => {
    const server = transcript('S: 220 x\n-- tls fail\n-- connection\n-- tls wrong-name\n-- closed\n');
    const transport = memory(server);
    for (let i = 0; i < 2; i++) {
      transport.open(target);
      hear(transport);
      transport.secure({});
      expect(hear(transport)).toBe('<lost>');
    }
    server.verify();
  });

  it('refuses what it cannot read', () => {
    expect(() => transcript('S: 220 x\nEHLO me\n')).toThrow(/line 2: cannot be read: EHLO me/);
  });
});
