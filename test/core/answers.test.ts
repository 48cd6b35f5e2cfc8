/** What each reply code to each command means, as whole tables; `-` is a class that cannot follow: a violation. */
import { describe, expect, it } from 'vitest';
import { connectionAnswer, mailAnswer } from '../../src/core/answers.ts';
import { type EntryKind, entry, entryKinds } from '../../src/core/ledger.ts';
import { Mail } from '../../src/core/mail.ts';
import { parsePath } from '../../src/wire/address.ts';
import { Reply } from '../../src/wire/reply.ts';
import { wordText } from '../machines/graph.ts';

const codes = [
  200, 220, 221, 250, 299, 300, 334, 354, 399, 400, 421, 450, 499, 500, 501, 502, 503, 504, 535, 550, 554,
  599,
];
const kinds = Object.keys(entryKinds) as EntryKind[];
const replyOf = (code: number): Reply => Reply.of(`${code} x\r\n`);

/** `from–to word` for each run of codes with the same word. */
function runs(answer: (reply: Reply) => { readonly event: { readonly type: string } } | undefined): string[] {
  const found: { from: number; to: number; word: string }[] = [];
  for (const code of codes) {
    const made = answer(replyOf(code));
    const word = made === undefined ? '-' : wordText(made.event);
    const last = found.at(-1);
    if (last?.word === word) last.to = code;
    else found.push({ from: code, to: code, word });
  }
  return found.map(({ from, to, word }) => `${from === to ? from : `${from}–${to}`} ${word}`);
}

const none = ['200–599 -'];
const yesOrNo = (word: string): string[] => [`200–299 ${word}.ok`, '300–399 -', `400–599 ${word}.refused`];

describe('of a connection (TK61, S2, S13)', () => {
  it('each kind of command, each class', () => {
    const table = Object.fromEntries(
      kinds.map((kind) => [kind, runs((reply) => connectionAnswer(entry(kind), reply))]),
    );
    expect(table).toEqual({
      greeting: ['200 -', '220 greeting.ok', '221–399 -', '400–599 greeting.refused'],
      // 250 is read elsewhere: it has the capabilities
      ehlo: [
        '200–399 -',
        '400–499 ehlo.refused helo=false',
        '500–502 ehlo.refused helo=true',
        '503 ehlo.refused helo=false',
        '504 ehlo.refused helo=true',
        '535–599 ehlo.refused helo=false',
      ],
      helo: yesOrNo('helo'),
      // any yes but 220 promises no TLS
      starttls: [
        '200 starttls.refused',
        '220 starttls.ok',
        '221–299 starttls.refused',
        '300–399 -',
        '400–599 starttls.refused',
      ],
      auth: none,
      mail: none,
      rcpt: none,
      data: none,
      content: none,
      chunk: none,
      last: none,
      rset: yesOrNo('reset'),
      noop: yesOrNo('noop'),
      quit: ['200–299 quit.answered', '300–399 -', '400–599 quit.answered'],
    });
  });

  it('an RSET of our own is never news, whatever is answered', () => {
    const own = entry('rset', undefined, undefined, undefined, true);
    expect(runs((reply) => connectionAnswer(own, reply))).toEqual([
      '200–299 cleared',
      '300–399 -',
      '400–599 cleared',
    ]);
  });
});

describe('of a message (TK32, TK33, TK37, TK38, TK61, S13)', () => {
  function table(recipients: number, lmtp: boolean, behind = false): Record<string, string[]> {
    const path = parsePath('a@example.test', 'sender');
    const mail = new Mail({ id: 1 }, { path, name: undefined, replyTo: undefined, parameters: {} });
    mail.behind = behind;
    const extras = { name: undefined, type: 'to', parameters: {} } as const;
    for (let n = 0; n < recipients; n++) mail.accept(mail.add('b@example.test', extras));
    const rows = kinds.map(
      (kind) => [kind, runs((reply) => mailAnswer(entry(kind), mail, reply, lmtp))] as const,
    );
    return Object.fromEntries(rows.filter(([, row]) => row.join() !== none.join()));
  }

  const envelope = { mail: yesOrNo('mail'), rcpt: yesOrNo('rcpt') };

  it('each kind of command, each class, when a recipient was accepted', () => {
    expect(table(1, false)).toEqual({
      ...envelope,
      data: ['200–334 -', '354 data.go', '399 -', '400–599 data.refused'],
      content: yesOrNo('content'),
      chunk: yesOrNo('chunk'),
      last: yesOrNo('content'),
    });
  });

  it('each kind of command, each class, when none was', () => {
    expect(table(0, false)).toEqual({
      ...envelope,
      data: ['200–334 -', '354 data.goNobody', '399 -', '400–599 data.nobody'],
      content: yesOrNo('content'),
      chunk: yesOrNo('chunk'),
      last: yesOrNo('content'),
    });
  });

  it('by LMTP the end is answered for one recipient at a time', () => {
    const verdicts = { content: yesOrNo('verdict'), last: yesOrNo('verdict') };
    expect(table(2, true)).toEqual({ ...table(1, false), ...verdicts });
    expect(table(0, true)).toEqual({ ...table(0, false), ...verdicts });
  });

  it('S20: MAIL behind a message whose fate is open is too early for a 503 or 554, and nothing else is', () => {
    const mail = [
      '200–299 mail.ok',
      '300–399 -',
      '400–502 mail.refused',
      '503 mail.tooEarly',
      '504–550 mail.refused',
      '554 mail.tooEarly',
      '599 mail.refused',
    ];
    expect(table(1, false, true)).toEqual({ ...table(1, false), mail });
    expect(table(1, false).mail).toEqual(yesOrNo('mail'));
  });
});
