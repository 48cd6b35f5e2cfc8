/**
 * The chart of a mail transaction as tables, asserted whole: which step is legal where, what each answer leads to,
 * how a position reads.
 */
import { describe, expect, it } from 'vitest';
import type { MailTag } from '../../machines/vocabulary.ts';
import { mailGraph as graph, type MailPassage } from './graph.ts';
import { answered, asked, perState, sorted, texts, way } from './passages.ts';

describe('legality of the steps (TK29, TK30, TK34)', () => {
  const steps = ['sender', 'recipient', 'bom', 'eom', 'reset', 'leave', 'next'];
  const can = (position: MailPassage['from'], step: string): string => {
    const passage = way(position, `step.${step}`);
    if (passage === undefined) return '.';
    return texts(passage).some((text) => text.startsWith('do send')) ? 'send' : 'ok';
  };

  it('depends on `asked` alone: this table; `send` writes, `ok` comes to nothing or takes back', () => {
    const row = (position: MailPassage['from']): string => {
      const body = position.tags.has('contentOpen') ? 'body' : '.';
      return [...steps.slice(0, 3), 'body', ...steps.slice(3)]
        .map((step) => (step === 'body' ? body : can(position, step)))
        .join(' ');
    };
    expect(perState(asked, row)).toEqual({
      //                 sender recipient bom body eom reset leave next
      new: 'send . . . . . . .',
      'sender.live': '. send . . . ok ok .',
      'sender.dead': '. ok . . . ok ok ok',
      'recipients.live': '. send send . . ok ok .',
      'recipients.dead': '. ok ok . . ok ok ok',
      'body.live': '. . . body send ok ok .',
      'body.dead': '. . . body ok ok ok ok',
      ended: '. . . . . . . ok',
      withdrawn: '. . . . . . . ok',
    });
  });

  it('leads through the steps in order, and from a dead step only to dead ones (TK34)', () => {
    const ways = graph.passages.filter(({ event }) => /^step\.(sender|recipient|bom|eom)$/.test(event.type));
    expect(
      sorted(ways.map(({ from, to, event }) => `${event.type.slice(5)}: ${asked(from)} → ${asked(to)}`)),
    ).toEqual([
      'bom: recipients.dead → body.dead',
      'bom: recipients.live → body.live',
      'eom: body.dead → ended',
      'eom: body.live → ended',
      'recipient: recipients.dead → recipients.dead',
      'recipient: recipients.live → recipients.live',
      'recipient: sender.dead → recipients.dead',
      'recipient: sender.live → recipients.live',
      'sender: new → sender.live',
    ]);
  });

  it('is cut short by exactly the answers that are final for what was asked', () => {
    const dying = graph.passages.filter(
      ({ from, to }) => /live$/.test(asked(from)) && /dead$/.test(asked(to)),
    );
    const words: Record<string, string> = {};
    for (const { from, event } of dying) {
      const before = new Set((words[asked(from)] ?? '').split(' ').filter(Boolean));
      words[asked(from)] = sorted(before.add(event.type)).join(' ');
    }
    const body = 'chunk.refused data.goNobody data.nobody data.refused mail.refused mail.unsupported';
    expect(words).toEqual({
      'sender.live': 'mail.refused mail.unsupported',
      'recipients.live': 'mail.refused mail.unsupported',
      'body.live': body,
    });
  });

  it('ends with ended or withdrawn, after which only the next message may begin (TK34)', () => {
    const leaving = graph.passages.filter(
      ({ from }) => asked(from) === 'ended' || asked(from) === 'withdrawn',
    );
    expect(leaving.filter(({ from, to }) => asked(from) !== asked(to))).toEqual([]);
  });
});

describe('the answers, word by word', () => {
  /** Answers that change nothing any more. */
  const stale = [
    'chunk.ok',
    'chunk.refused',
    'chunking',
    'content.ok',
    'content.refused',
    'data.nobody',
    'data.refused',
    'end.left',
    'mail.ok',
    'mail.refused',
    'mail.tooEarly',
    'rcpt.ok',
    'rcpt.refused',
    'rcpt.unsupported',
    'verdict.ok',
    'verdict.refused',
    'verdicts.none',
  ].join(' ');

  it('this table: where each word leads from each state of `answered`, whatever was asked', () => {
    const table: Record<string, Record<string, Set<string>>> = {};
    for (const passage of graph.passages) {
      const [from, to] = [answered(passage.from), answered(passage.to)];
      const back = /^step\.(reset|leave)$/.test(passage.event.type);
      const effects = texts(passage).map((text) => text.replace(/^do /, ''));
      // a word that only `asked` takes says nothing here
      if (
        (from === to && effects.length === 0) ||
        (passage.event.type.startsWith('step.') && !(back && from !== to))
      )
        continue;
      const told = [to === from ? 'stays' : to, ...effects].join(', ');
      const words = table[from] ?? {};
      table[from] = words;
      words[told] = (words[told] ?? new Set()).add(passage.event.type);
    }
    const rows = Object.entries(table).map(([state, words]) => [
      state,
      Object.fromEntries(Object.entries(words).map(([told, set]) => [told, sorted(set).join(' ')])),
    ]);
    expect(Object.fromEntries(rows)).toEqual({
      chunks: {
        'failing, tell REFUSED sendEom, forget, spoil': 'chunk.refused',
        'judging.content': 'end.left',
        'leaving, forget, spoil': 'step.leave',
        'stays, nothing': 'chunk.ok',
        unsent: 'lost',
        'withdrawing, forget, spoil': 'step.reset',
      },
      failing: {
        refused: 'lost settled',
        'stays, accuse': 'data.go',
        'stays, dot': 'data.goNobody',
        'stays, nothing': stale,
      },
      flowing: {
        'judging.content': 'end.left',
        'stuck, forget, drop': 'step.leave step.reset',
        unsent: 'lost',
      },
      'judging.content': {
        'delivered, tell EOM_ACK': 'content.ok',
        'failing, tell REFUSED sendEom, forget, spoil': 'chunk.refused',
        'refused, spoil': 'verdicts.none',
        'refused, tell REFUSED sendEom, spoil': 'content.refused',
        'stays, nothing': 'chunk.ok verdict.ok',
        'stays, tell REFUSED sendEom': 'verdict.refused',
        unknown: 'lost',
      },
      'judging.open': {
        'failing, tell REFUSED sendBom, forget, spoil': 'data.nobody',
        'judging.content, tell BOM_ACK': 'chunking',
        'stays, tell RECIPIENT_ACK': 'rcpt.ok',
        'stays, tell REFUSED sendRecipient': 'rcpt.refused rcpt.unsupported',
        unknown: 'lost',
      },
      'judging.silent': {
        'failing, tell REFUSED sendSender, forget': 'mail.refused',
        'judging.open, tell SENDER_ACK': 'mail.ok',
        'retreating.empty, recall': 'mail.tooEarly',
        unknown: 'lost',
      },
      contradicted: {
        unknown: 'lost',
      },
      leaving: {
        'stays, dot': 'data.goNobody',
        'stays, nothing': stale,
        'stuck, drop': 'data.go',
        unsent: 'lost settled',
      },
      open: {
        'chunks, tell BOM_ACK': 'chunking',
        'failing, tell REFUSED sendBom, forget, spoil': 'data.nobody data.refused',
        'failing, tell REFUSED sendBom, forget, spoil, dot': 'data.goNobody',
        'flowing, tell BOM_ACK': 'data.go',
        'judging.open': 'end.left',
        'leaving, forget, spoil': 'step.leave',
        'stays, tell RECIPIENT_ACK': 'rcpt.ok',
        'stays, tell REFUSED sendRecipient': 'rcpt.refused rcpt.unsupported',
        unsent: 'lost',
        'withdrawing, forget, spoil': 'step.reset',
      },
      'retreating.empty': {
        'contradicted, accuse': 'content.ok verdict.ok',
        'leaving, forget, spoil': 'step.leave',
        'retreating.somebody': 'rcpt.ok',
        'silent, again': 'settled',
        'stays, dot': 'data.go data.goNobody',
        'stays, nothing': 'in.vain rcpt.unsupported',
        unsent: 'lost',
        'withdrawing, forget, spoil': 'step.reset',
      },
      'retreating.somebody': {
        'contradicted, accuse': 'content.ok verdict.ok',
        'leaving, forget, spoil': 'step.leave',
        'silent, again': 'settled',
        'stays, accuse': 'data.go data.goNobody',
        'stays, nothing': 'in.vain rcpt.ok rcpt.unsupported',
        unsent: 'lost',
        'withdrawing, forget, spoil': 'step.reset',
      },
      silent: {
        'failing, tell REFUSED sendSender, forget': 'mail.refused',
        'judging.silent': 'end.left',
        'leaving, forget, spoil': 'step.leave',
        'open, tell SENDER_ACK': 'mail.ok',
        'refused, tell REFUSED sendSender, forget': 'mail.unsupported',
        'retreating.empty, recall': 'mail.tooEarly',
        unsent: 'lost',
        'withdrawing, forget, spoil': 'step.reset',
      },
      stuck: {
        unsent: 'lost',
      },
      withdrawing: {
        'stays, dot': 'data.goNobody',
        'stays, nothing': stale,
        'stuck, drop': 'data.go',
        unsent: 'lost',
        withdrawn: 'settled',
      },
    });
  });
});

describe('the tags by which a position is read', () => {
  it('are one table for what was asked and one for what was answered', () => {
    const tagsOf =
      (tags: readonly MailTag[]) =>
      (position: MailPassage['from']): string =>
        tags.filter((tag) => position.tags.has(tag)).join(' ');
    const byAsked = tagsOf([
      'public:sender',
      'public:recipients',
      'public:body',
      'public:sent',
      'contentOpen',
      'swallowing',
    ]);
    expect(perState(asked, byAsked)).toEqual({
      new: '',
      'sender.live': 'public:sender',
      'sender.dead': 'swallowing',
      'recipients.live': 'public:recipients',
      'recipients.dead': 'swallowing',
      'body.live': 'public:body contentOpen',
      'body.dead': 'contentOpen swallowing',
      ended: 'public:sent',
      withdrawn: '',
    });
    expect(perState(answered, tagsOf(['text', 'settling', 'retreating', 'over']))).toEqual({
      silent: '',
      open: '',
      // a chunk has an end of its own: between two of them a command is a command
      flowing: 'text',
      chunks: '',
      'judging.silent': '',
      'judging.open': '',
      'judging.content': '',
      failing: 'settling',
      'retreating.empty': 'settling retreating',
      'retreating.somebody': 'settling retreating',
      contradicted: '',
      withdrawing: 'settling',
      leaving: 'settling',
      stuck: '',
      delivered: 'over',
      refused: 'over',
      withdrawn: 'over',
      unsent: 'over',
      unknown: 'over',
    });
  });
});
