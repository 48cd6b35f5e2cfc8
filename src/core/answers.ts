/**
 * What a reply says to a chart: from the oldest command and the reply's class to a word. Undefined is a class that
 * cannot follow the command, which breaks the protocol. Nothing is decided here beyond reading the code.
 */
import type { ConnectionWord, MailWord } from '../../machines/vocabulary.ts';
import type { Reply } from '../wire/reply.ts';
import { connectionWords as c, connectionChart, mailWords as m } from './charts.ts';
import type { Entry, EntryKind } from './ledger.ts';
import type { Mail } from './mail.ts';
import type { Word } from './walk.ts';

const positive = (reply: Reply): boolean => reply.code >= 200 && reply.code < 300;
const negative = (reply: Reply): boolean => reply.code >= 400;

/** RFC 5321 §3.2: the server does not know EHLO. */
const unknownCommand: ReadonlySet<number> = new Set([500, 501, 502, 504]);

/** How servers have been seen to refuse what came before they were ready for it. */
const outOfSequence: ReadonlySet<number> = new Set([503, 554]);

/** What a server that refused MAIL cannot say yes to without contradicting itself. */
const taking: ReadonlySet<EntryKind> = new Set<EntryKind>(['rcpt', 'content', 'last']);

const ehloRefused = connectionChart.word({ type: 'ehlo.refused', helo: false });
const ehloUnknown = connectionChart.word({ type: 'ehlo.refused', helo: true });

/** The word for a reply to a command of the connection itself; EHLO's yes and AUTH have words of their own. */
export function connectionAnswer(entry: Entry, reply: Reply): Word<ConnectionWord> | undefined {
  const yes = positive(reply);
  if (!yes && !negative(reply)) return undefined;
  switch (entry.kind) {
    case 'greeting':
      if (yes && reply.code !== 220) return undefined;
      return yes ? c['greeting.ok'] : c['greeting.refused'];
    case 'ehlo':
      // the one yes is 250, which its reader takes (RFC 5321 §4.1.1.1)
      if (yes) return undefined;
      return unknownCommand.has(reply.code) ? ehloUnknown : ehloRefused;
    case 'helo':
      return yes ? c['helo.ok'] : c['helo.refused'];
    case 'starttls':
      // RFC 3207 §4 knows 220 only; another yes is no promise to speak TLS
      return reply.code === 220 ? c['starttls.ok'] : c['starttls.refused'];
    case 'noop':
      return yes ? c['noop.ok'] : c['noop.refused'];
    case 'rset':
      if (entry.own) return c.cleared;
      return yes ? c['reset.ok'] : c['reset.refused'];
    case 'quit':
      return c['quit.answered'];
    default:
      return undefined;
  }
}

/** The word for a reply to a command of a message. Counts of the message are those before this reply. */
export function mailAnswer(
  entry: Entry,
  mail: Mail,
  reply: Reply,
  lmtp: boolean,
): Word<MailWord> | undefined {
  const yes = positive(reply);
  const vain = mail.position.is.retreating;
  if (!yes && !negative(reply)) {
    if (entry.kind !== 'data' || reply.code !== 354) return undefined;
    return vain ? m['data.go'] : goAhead(mail);
  }
  if (vain && (!yes || entry.own || !taking.has(entry.kind))) return m['in.vain'];
  switch (entry.kind) {
    case 'mail':
      if (yes) return m['mail.ok'];
      return mail.behind && outOfSequence.has(reply.code) ? m['mail.tooEarly'] : m['mail.refused'];
    case 'rcpt':
      return yes ? m['rcpt.ok'] : m['rcpt.refused'];
    case 'data':
      if (yes) return undefined;
      return mail.acceptedCount > 0 ? m['data.refused'] : m['data.nobody'];
    case 'chunk':
      return yes ? m['chunk.ok'] : m['chunk.refused'];
    case 'content':
    case 'last':
      // LMTP: one for each recipient (RFC 2033 §4.2); the message's own word follows the last
      if (lmtp) return yes ? m['verdict.ok'] : m['verdict.refused'];
      return yes ? m['content.ok'] : m['content.refused'];
    default:
      return undefined;
  }
}

function goAhead(mail: Mail): Word<MailWord> {
  return mail.acceptedCount > 0 ? m['data.go'] : m['data.goNobody'];
}
