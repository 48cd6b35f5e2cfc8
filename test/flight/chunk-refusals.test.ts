/** CHUNKING (RFC 3030): what becomes of a chunk, or of a recipient before it, that is refused. */
import type { ServerOptions } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { type Bench, bench, connected } from '../client/support.ts';
import { chunking } from './flight.ts';

const bdat = ({ heard }: Bench): string[] =>
  heard.filter((line) => line.startsWith('BDAT')).map((line) => line.slice(5));

describe('recipients that are refused here', () => {
  it('LE026 S20: the last one, or all, where DSN is not offered: the others get the message, or nobody', () => {
    for (const [plain, told] of [
      [['b@example.test'], ['SERVER_ERROR sendRecipient 1 d EUNSUPPORTED', 'BOM_ACK 1', 'EOM_ACK 1 b/d']],
      [[], ['SERVER_ERROR sendRecipient 1 d EUNSUPPORTED', 'SERVER_ERROR sendBom 1 EUNSUPPORTED']],
    ] as const) {
      const made = bench({ server: { extensions: chunking } });
      made.client.connect();
      made.client.sendSender('a@example.test');
      for (const address of plain) made.client.sendRecipient(address);
      made.client.sendRecipient({ address: 'd@example.test', notify: ['success'] });
      made.client.sendBom({ raw: true });
      made.client.sendBody('text\r\n');
      made.client.sendEom();
      made.settle();
      expect(made.told.slice(-told.length)).toEqual(told);
      expect(made.server.messages).toHaveLength(plain.length);
    }
  });
});

describe('a chunk that is refused', () => {
  const whole = `${'x'.repeat(65_534)}\r\n`;
  /** The n-th chunk, or the first that is the last of its message, is answered so; what follows it gets 503. */
  const refusing = (which: number | 'last', code: string, extensions: readonly string[]): ServerOptions => {
    let met = 0;
    let done = false;
    return {
      extensions,
      reply({ verb, last = false }) {
        if (verb !== 'BDAT' || done) return undefined;
        met++;
        done = which === 'last' ? last : met === which;
        return done ? code : undefined;
      },
    };
  };

  it.each([
    [1, '452 4.3.1 full'],
    [2, '452 4.3.1 full'],
    ['last', '554 5.6.0 no'],
  ] as const)(
    'LE029 S13: chunk %s of a message, answered %s: the first failure is the result, then RSET, then the next message',
    (which, code) => {
      for (const extensions of [chunking, ['CHUNKING', '8BITMIME']]) {
        const made = connected({ server: refusing(which, code, extensions) });
        const { client } = made;
        for (const body of [`${whole}${whole}end\r\n`, 'the next\r\n']) {
          client.sendSender('a@example.test');
          client.sendRecipient('b@example.test');
          client.sendBom({ raw: true });
          for (let at = 0; at < body.length; at += 65_536) {
            client.sendBody(body.slice(at, at + 65_536));
            client.execute();
          }
          client.sendEom();
        }
        made.settle();
        const failure = code.startsWith('4') ? 'SERVER_RETRY' : 'SERVER_ERROR';
        expect(made.told.filter((text) => / 1\b/.test(text) && !/ACK/.test(text))).toEqual([
          `${failure} sendEom 1 ${code.slice(0, 3)}`,
        ]);
        expect(made.told.filter((text) => / 1\b/.test(text)).at(-1)).toBe(
          `${failure} sendEom 1 ${code.slice(0, 3)}`,
        );
        expect(made.server.messages.map(({ data }) => Buffer.from(data).toString())).toEqual([
          'the next\r\n',
        ]);
        const lines = made.heard;
        expect(lines.indexOf('RSET')).toBeGreaterThan(lines.findIndex((line) => line.startsWith('BDAT')));
        expect(lines.indexOf('RSET')).toBeLessThan(lines.findLastIndex((line) => line.startsWith('MAIL')));
        expect(made.server.violations).toEqual([]);
      }
    },
  );

  it('LE029: no chunk leaves any more, and the caller is not kept waiting for DRAIN', () => {
    const refusal = connected({
      server: refusing(1, '452 4.3.1 full', chunking),
      client: { bodyBufferBytes: 65_536 },
    });
    refusal.client.sendSender('a@example.test');
    refusal.client.sendRecipient('b@example.test');
    refusal.client.sendBom({ raw: true });
    let drains = 0;
    refusal.client.on('DRAIN', () => drains++);
    // more than fits, before anything can leave
    expect(refusal.client.sendBody(Buffer.alloc(100_000, 0x61))).toBe(65_536);
    refusal.settle();
    expect(drains).toBe(1);
    expect(refusal.news()).toContain('SERVER_RETRY sendEom 1 452');
    // what still comes goes nowhere
    expect(refusal.client.sendBody(Buffer.alloc(200_000, 0x61))).toBe(200_000);
    refusal.client.sendEom();
    refusal.settle();
    expect(bdat(refusal)).toEqual(['65536']);
    expect(refusal.news()).toEqual([]);
    expect(refusal.client.can('sendSender')).toBe(true);
  });
});
