/**
 * What must be true of a mail transaction (architecture §8: truth 2; security S20), on every path through the chart: any
 * words in any order, whether a server could say them or not. What holds of the words that can come is in test/core.
 */
import { describe, expect, it } from 'vitest';
import { mailGraph as graph, type MailPassage, type Rule, Wrong } from './graph.ts';
import { answered, asked, mailBreach, outcomesOf, perState, sorted, tells, texts, way } from './passages.ts';

describe('the search itself', () => {
  it('finds the shortest path to what is there', () => {
    const rule: Rule<number, MailPassage> = (count, passage) =>
      tells(passage, 'EOM_ACK') ? new Wrong('told') : count;
    expect(mailBreach(0, rule)).toBe(
      'told: {"type":"mail.ok"} {"type":"data.go"} {"type":"end.left"} {"type":"content.ok"}',
    );
  });
});

describe('one outcome for each message (truth 2, TK71)', () => {
  it('stands in exactly those positions that are over, and there is one of it', () => {
    for (const position of graph.positions) {
      expect([position.name, outcomesOf(position).length]).toEqual([
        position.name,
        position.tags.has('over') ? 1 : 0,
      ]);
    }
  });

  it('is final: no word changes it, and nothing is told or done any more but what the caller is let do', () => {
    const after = graph.passages.filter(({ from }) => from.tags.has('over'));
    expect(after.filter(({ from, to }) => answered(from) !== answered(to))).toEqual([]);
    expect(sorted(after.filter(({ event }) => !event.type.startsWith('step.')).flatMap(texts))).toEqual([]);
  });

  it('comes with a lost line from everywhere, and says how sure delivery is (S20)', () => {
    const lost = perState(answered, (position) => {
      const passage = way(position, 'lost');
      return passage === undefined ? 'not taken' : [answered(passage.to), ...texts(passage)].join(', ');
    });
    expect(lost).toEqual({
      silent: 'unsent',
      open: 'unsent',
      flowing: 'unsent',
      chunks: 'unsent',
      'judging.silent': 'unknown',
      'judging.open': 'unknown',
      'judging.content': 'unknown',
      failing: 'refused',
      'retreating.empty': 'unsent',
      'retreating.somebody': 'unsent',
      contradicted: 'unknown',
      withdrawing: 'unsent',
      leaving: 'unsent',
      stuck: 'unsent',
      delivered: 'not taken',
      refused: 'not taken',
      withdrawn: 'not taken',
      unsent: 'not taken',
      unknown: 'not taken',
    });
  });

  it('comes from the server too, without a lost line, from everywhere but where the line must go', () => {
    const ending = new Set(graph.positions.filter(({ tags }) => tags.has('over')));
    for (let before = -1; before !== ending.size; ) {
      before = ending.size;
      for (const { from, to, event } of graph.passages) {
        if (ending.has(to) && event.type !== 'lost' && !event.type.startsWith('step.')) ending.add(from);
      }
    }
    const hopeless = graph.positions.filter((position) => !ending.has(position));
    expect(sorted(hopeless.map(answered))).toEqual(['contradicted', 'stuck']);
  });

  it('is settled for those that failed or were taken back when their last answer has come; or they begin anew', () => {
    const settled = graph.passages.filter(({ event }) => event.type === 'settled');
    expect(sorted(settled.map(({ from, to }) => `${answered(from)} → ${answered(to)}`))).toEqual([
      'failing → refused',
      'leaving → unsent',
      'retreating.empty → silent',
      'retreating.somebody → silent',
      'withdrawing → withdrawn',
    ]);
    const waiting = graph.positions.filter(({ tags }) => tags.has('settling'));
    expect(waiting.length).toBe(settled.length);
  });
});

describe('unknown (S20)', () => {
  it('is told only after the end has left, and never when a verdict came', () => {
    interface Memory {
      readonly left: boolean;
      readonly verdict: boolean;
    }
    const rule: Rule<Memory, MailPassage> = ({ left, verdict }, passage) => {
      const { event, from, to } = passage;
      if (to.tags.has('unknown') && (!left || verdict)) return new Wrong('unknown, though it is known');
      // nothing of it was taken: it stands as if it had never left
      if (texts(passage).includes('do again')) return { left: false, verdict: false };
      return {
        // what was taken had left
        left: left || event.type === 'end.left' || answered(to) === 'contradicted',
        // a yes to what was refused says nothing
        verdict:
          verdict ||
          (!from.tags.has('retreating') &&
            ['content.ok', 'content.refused', 'verdicts.none'].includes(event.type)),
      };
    };
    expect(mailBreach<Memory>({ left: false, verdict: false }, rule)).toBeUndefined();
  });

  it('and what has left without a verdict is never called unsent or withdrawn', () => {
    const rule: Rule<boolean, MailPassage> = (judged, { from, event, to }) => {
      // MAIL was refused, which is a verdict: nothing of it was taken, and it goes again
      if (event.type === 'mail.tooEarly') return false;
      const now = judged || (event.type === 'end.left' && answered(to).startsWith('judging'));
      const hidden = outcomesOf(to).some((outcome) => outcome === 'unsent' || outcome === 'withdrawn');
      return now && hidden && from !== to ? new Wrong('called unsent') : now;
    };
    expect(mailBreach(false, rule)).toBeUndefined();
  });
});

describe('what the caller is told', () => {
  it('SENDER_ACK, then RECIPIENT_ACKs, then BOM_ACK, then EOM_ACK; all but RECIPIENT_ACK once (TK32, TK34, TK36)', () => {
    const order = ['SENDER_ACK', 'RECIPIENT_ACK', 'BOM_ACK', 'EOM_ACK'];
    const rule: Rule<number, MailPassage> = (past, passage) => {
      let at = past;
      for (const text of texts(passage)) {
        const place = order.indexOf(text.replace('tell ', ''));
        if (place < 0) continue;
        const again = place === 1 && at === 1;
        if (place <= at && !again) return new Wrong('out of order, or twice');
        if (place > 0 && at < 0) return new Wrong('before the sender was acknowledged');
        if (place === 3 && at !== 2) return new Wrong('no BOM_ACK before');
        at = place;
      }
      return at;
    };
    expect(mailBreach(-1, rule)).toBeUndefined();
  });

  it('EOM_ACK is told on every way to delivered, and on no other (TK32)', () => {
    for (const passage of graph.passages) {
      const arriving = passage.to.tags.has('delivered') && !passage.from.tags.has('delivered');
      expect(tells(passage, 'EOM_ACK')).toBe(arriving);
    }
  });

  it('once the sender or the beginning was refused, no step is acknowledged any more, nor refused again (TK33, TK71)', () => {
    const final = /^tell REFUSED send(Sender|Bom)$/;
    const rule: Rule<boolean, MailPassage> = (refused, passage) => {
      const told = texts(passage).filter((text) => text.startsWith('tell '));
      if (refused && told.length > 0) return new Wrong(told.join());
      return refused || told.some((text) => final.test(text));
    };
    expect(mailBreach(false, rule)).toBeUndefined();
  });

  it('a message is refused and acknowledged as a whole at most once (TK33, TK71)', () => {
    const whole = /^tell (EOM_ACK|REFUSED send(Sender|Bom|Eom))$/;
    const rule: Rule<number, MailPassage> = (count, passage) => {
      // by LMTP a refusal answers one recipient only
      if (passage.event.type === 'verdict.refused') return count;
      const now = count + texts(passage).filter((text) => whole.test(text)).length;
      return now > 1 ? new Wrong('told twice') : now;
    };
    expect(mailBreach(0, rule)).toBeUndefined();
  });

  it('answers the step that the server refused (TK33, TK37, TK38)', () => {
    const refusals = graph.passages.filter((passage) => texts(passage).some((text) => /REFUSED/.test(text)));
    const said = refusals.map((passage) => `${passage.event.type}: ${texts(passage).join(', ')}`);
    expect(sorted(said)).toEqual([
      'chunk.refused: tell REFUSED sendEom, do forget, do spoil',
      'content.refused: tell REFUSED sendEom, do spoil',
      'data.goNobody: tell REFUSED sendBom, do forget, do spoil, do dot',
      'data.nobody: tell REFUSED sendBom, do forget, do spoil',
      'data.refused: tell REFUSED sendBom, do forget, do spoil',
      'mail.refused: tell REFUSED sendSender, do forget',
      'mail.unsupported: tell REFUSED sendSender, do forget',
      'rcpt.refused: tell REFUSED sendRecipient',
      'rcpt.unsupported: tell REFUSED sendRecipient',
      'verdict.refused: tell REFUSED sendEom',
    ]);
  });

  it('nothing of a message that was taken back, but what an answer still on its way may cost (TK18)', () => {
    const rule: Rule<boolean, MailPassage> = (gone, passage) => {
      const back = /^step\.(reset|leave)$/.test(passage.event.type) && answered(passage.from) !== 'failing';
      const told = texts(passage).filter((text) => text.startsWith('tell ') || text.startsWith('do send'));
      const judged = answered(passage.from).startsWith('judging');
      if (gone && told.length > 0) return new Wrong(told.join());
      return gone || (back && !judged);
    };
    expect(mailBreach(false, rule)).toBeUndefined();
  });
});

describe('what is done for the server', () => {
  it('content is begun only after a 354 or by chunking, and a message that fails leaves no transaction behind', () => {
    const content = (position: MailPassage['from']): boolean => /^(flowing|chunks)$/.test(answered(position));
    const begun = graph.passages.filter(({ from, to }) => content(to) && !content(from));
    expect(sorted(begun.map(({ event, to }) => `${event.type} → ${answered(to)}`))).toEqual([
      'chunking → chunks',
      'data.go → flowing',
    ]);
    // the server has said yes to MAIL, and has not had the end: it may hold the transaction
    const holding = new Set(['open', 'chunks']);
    const failing = graph.passages.filter(
      ({ from, to, event }) =>
        holding.has(answered(from)) && !holding.has(answered(to)) && event.type !== 'lost',
    );
    const leaving = failing.filter(({ to }) => !content(to) && !answered(to).startsWith('judging'));
    expect(leaving.length).toBeGreaterThan(0);
    expect(leaving.filter((passage) => !texts(passage).includes('do spoil'))).toEqual([]);
  });

  it('a 354 is always followed by an end: by the text, by a dot for none, or by the end of the line, blamed or not', () => {
    // where a 354 can come: MAIL is answered, and the content has not begun
    const waiting = /^(open|failing|retreating.*|withdrawing|leaving)$/;
    const going = graph.passages.filter(
      ({ from, event }) => event.type.startsWith('data.go') && waiting.test(answered(from)),
    );
    const said = going.map((passage) => {
      const { event, to } = passage;
      const done = texts(passage).filter((text) => /dot|drop|accuse/.test(text));
      return `${event.type} → ${answered(to)} ${done.join()}`;
    });
    expect(sorted(said)).toEqual([
      'data.go → failing do accuse',
      'data.go → flowing ',
      'data.go → retreating.empty do dot',
      'data.go → retreating.somebody do accuse',
      'data.go → stuck do drop',
      'data.goNobody → failing do dot',
      'data.goNobody → leaving do dot',
      'data.goNobody → retreating.empty do dot',
      'data.goNobody → retreating.somebody do accuse',
      'data.goNobody → withdrawing do dot',
    ]);
  });

  it('the server is accused only where it asks for, or takes, what it refused, and there always (TK61, S13)', () => {
    const accusing = graph.passages.filter((passage) => texts(passage).includes('do accuse'));
    expect(sorted(accusing.map((way) => [answered(way.from), way.event.type, ...texts(way)].join()))).toEqual(
      [
        'failing,data.go,do accuse',
        'retreating.empty,content.ok,do accuse',
        'retreating.empty,verdict.ok,do accuse',
        'retreating.somebody,content.ok,do accuse',
        'retreating.somebody,data.go,do accuse',
        'retreating.somebody,data.goNobody,do accuse',
        'retreating.somebody,verdict.ok,do accuse',
      ],
    );
    // and no dot goes, which would deliver an empty message
    const failing = graph.positions.filter((position) => answered(position) === 'failing');
    expect(accusing.filter(({ from }) => answered(from) === 'failing').length).toBe(failing.length);
    // wherever it fails it was refused, and the caller has been told
    const rule: Rule<boolean, MailPassage> = (refused, passage) => {
      const now = refused || texts(passage).some((text) => text.startsWith('tell REFUSED'));
      return answered(passage.to) === 'failing' && !now ? new Wrong('failing, and not refused') : now;
    };
    expect(mailBreach(false, rule)).toBeUndefined();
  });
});

describe('a message whose MAIL came too early (S20)', () => {
  const retreating = (position: MailPassage['from']): boolean => position.tags.has('retreating');
  const ways = (passages: readonly MailPassage[]): string[] =>
    sorted(passages.map(({ from, to, event }) => `${answered(from)} ${event.type} ${answered(to)}`));

  it('is recalled for that word alone, before anything else of it was answered', () => {
    const recalled = graph.passages.filter((passage) => texts(passage).includes('do recall'));
    expect(ways(recalled)).toEqual([
      'judging.silent mail.tooEarly retreating.empty',
      'silent mail.tooEarly retreating.empty',
    ]);
    const entering = graph.passages.filter(({ from, to }) => retreating(to) && !retreating(from));
    expect(entering).toEqual(recalled);
    expect(recalled.filter((passage) => texts(passage).join() !== 'do recall')).toEqual([]);
  });

  it('goes again only after everything of it is answered, once for each retreat, and from the beginning', () => {
    const again = graph.passages.filter((passage) => texts(passage).includes('do again'));
    expect(ways(again)).toEqual(['retreating.empty settled silent', 'retreating.somebody settled silent']);
    const settled = graph.passages.filter(({ from, event }) => retreating(from) && event.type === 'settled');
    expect(again).toEqual(settled);
    const rule: Rule<boolean, MailPassage> = (recalled, passage) => {
      const done = texts(passage);
      if (done.includes('do recall') && recalled) return new Wrong('recalled twice');
      if (done.includes('do again') && !recalled) return new Wrong('again, though it was not recalled');
      return (recalled || done.includes('do recall')) && !done.includes('do again');
    };
    expect(mailBreach(false, rule)).toBeUndefined();
  });

  it('ends that wait only to go again, taken back, lost, or because the server took it all the same', () => {
    const ends = (state: string): string[] => [
      `${state} content.ok contradicted`,
      `${state} lost unsent`,
      `${state} settled silent`,
      `${state} step.leave leaving`,
      `${state} step.reset withdrawing`,
      `${state} verdict.ok contradicted`,
    ];
    expect(ways(graph.passages.filter(({ from, to }) => retreating(from) && !retreating(to)))).toEqual([
      ...ends('retreating.empty'),
      ...ends('retreating.somebody'),
    ]);
  });

  it('hides it from the caller: nothing is told, and what was asked stands', () => {
    const hidden = graph.passages.filter(
      ({ from, to, event }) => (retreating(from) || retreating(to)) && !event.type.startsWith('step.'),
    );
    const told = hidden.flatMap((passage) => texts(passage).filter((text) => text.startsWith('tell ')));
    expect(told).toEqual([]);
    const words = new Set(['mail.tooEarly', 'in.vain', 'settled', 'lost']);
    const moved = hidden.filter(({ from, to, event }) => words.has(event.type) && asked(from) !== asked(to));
    expect(moved).toEqual([]);
  });

  it('has answers in vain only then', () => {
    const vain = graph.passages.filter(({ event }) => event.type === 'in.vain');
    expect(sorted(vain.map((way) => [...ways([way]), ...texts(way)].join()))).toEqual([
      'retreating.empty in.vain retreating.empty,do nothing',
      'retreating.somebody in.vain retreating.somebody,do nothing',
    ]);
  });
});
