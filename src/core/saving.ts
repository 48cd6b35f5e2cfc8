/**
 * A connection between two turns, saved and restored. Each of its nouns knows what of itself is to be saved; this puts
 * them together again. Moments are saved as times left or gone by, secrets and settings not at all: they come from
 * the options.
 */
import { connectionChart } from './charts.ts';
import type { Connection } from './connection.ts';
import type { Message } from './events.ts';
import type { LookUp } from './ledger.ts';
import { Mail } from './mail.ts';
import { Opening } from './opening.ts';
import { type People, withPeople } from './saved-events.ts';

/** @param now the clock's time */
export function saveConnection(core: Connection, now: number) {
  const { ledger, transactions, opening, tls, lastReply, spoiled, pace, leaving } = core;
  const { mails: undecided, newest, lastId } = transactions;
  const mails = new Set([...undecided, ...ledger.mails()]);
  if (newest !== undefined) mails.add(newest);
  return {
    position: core.position.save(),
    deadlines: core.deadlines.save(now),
    ledger: ledger.save(now),
    messages: [...mails].map((mail) => mail.save(now)),
    undecided: [...undecided].map(idOf),
    newest: newest && idOf(newest),
    lastId,
    opening: opening.save(),
    admitted: core.capabilities !== undefined,
    ...{ tls, lastReply, spoiled, pace, pacedFor: core.pacedFor, leaving },
    ...{ reason: core.reason, unfinished: core.unfinished, early: core.early, closed: core.closed },
    turnAgo: now - core.now,
    lastReplyAgo: now - core.lastReplyAt,
    departures: core.departures.save(),
    parser: core.parser.save(),
    outbox: core.outbox.save(),
  };
}

export type SavedConnection = ReturnType<typeof saveConnection>;

/** Into a new connection, whose settings are given. */
export function loadConnection(core: Connection, saved: SavedConnection, now: number): void {
  const { transactions, ledger, settings } = core;
  const mails = new Map(saved.messages.map((one) => [one.id, Mail.load(one, now, settings)]));
  const lookUp: LookUp = {
    mail: (id) => mails.get(id) ?? missing(`message ${id}`),
    login: () => core.opening.login?.lastSaid,
  };
  const people = peopleOf(mails);
  core.now = now - saved.turnAgo;
  core.position = connectionChart.at(saved.position);
  core.deadlines.load(saved.deadlines, now);
  loadOpening(core, saved);
  for (const id of saved.undecided) transactions.mails.push(lookUp.mail(id));
  transactions.newest = saved.newest === undefined ? undefined : lookUp.mail(saved.newest);
  transactions.lastId = saved.lastId;
  ledger.load(saved.ledger, now, lookUp);
  // what answers it must be the mechanism as it stood
  if (ledger.oldest?.kind === 'auth') lookUp.login();
  core.lastReply = saved.lastReply;
  core.spoiled = saved.spoiled;
  core.pace = saved.pace;
  core.pacedFor = saved.pacedFor;
  core.leaving = saved.leaving;
  core.reason = saved.reason;
  core.unfinished = saved.unfinished.map((one) => withPeople(one, people));
  core.early = saved.early;
  core.closed = saved.closed;
  core.lastReplyAt = now - saved.lastReplyAgo;
  core.departures.load(saved.departures);
  core.parser.load(saved.parser);
  core.outbox.load(saved.outbox, settings, people);
}

function loadOpening(core: Connection, saved: SavedConnection): void {
  core.tls = saved.tls;
  core.opening = new Opening(core.settings);
  core.opening.load(saved.opening, () => core.onWake?.());
  if (saved.admitted) core.capabilities = core.opening.offered;
}

/** The objects of the messages that are still about; of the others new ones, one for each. */
function peopleOf(mails: ReadonlyMap<number, Mail>): People {
  const gone = new Map<number, Message>();
  return {
    message(saved) {
      const message = mails.get(saved.id)?.message ?? gone.get(saved.id) ?? saved;
      gone.set(message.id, message);
      return message;
    },
    recipient: (saved, message) => mails.get(message.id)?.recipient(saved.id) ?? saved,
  };
}

const idOf = ({ message }: Mail): number => message.id;

function missing(what: string): never {
  throw new RangeError(`${what} is missing`);
}
