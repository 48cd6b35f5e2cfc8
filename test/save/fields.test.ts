/**
 * A field that `save()` forgets is a world that goes on another way. So each field of a class that is saved stands in
 * what saves it, or here with the reason why it is no state.
 */
import type { ESTree } from 'rolldown/utils';
import { describe, expect, it } from 'vitest';
import { type Source, sourcesIn } from '../support/source.ts';

/** Given again, made again, or of no meaning between two turns. */
const noState: Readonly<Record<string, readonly string[]>> = {
  Conduct: ['formerSecrets', 'settings', 'onWake', 'capabilities', '#before', '#atHand'],
  Connection: [],
  Transactions: ['#host', '#calls'],
  Content: ['#limit', '#refuseBare', '#next', '#waiting'], // options; what waits is in the chunks
  Departures: ['#host', '#lastMail', '#chunk'], // a chunk has left when a turn ends
  InFlight: ['#octets'], // the sum of the chunks
  LoginAttempt: [
    ...['#settings', '#login', '#binding', '#offered', '#plusOffered', '#secure'],
    ...['#mechanism', '#held', '#said'], // come of running the tries again
  ],
  Mail: ['acceptedCount'],
  Opening: ['#settings', '#response'],
  Outbox: ['tracing', 'failure', '#pieces', '#text', '#kept'], // written out before a turn ends
  ReplyParser: ['#limits', '#line', '#scan', '#lines'], // found again in the octets
  Crank: ['core', 'transport', 'clock', '#audience', '#alarm', '#callback', '#rung', '#turning'],
  MemoryEnd: ['onReady', '#exchange', '#alarm', '#newest'],
  OwnExchange: ['clock', '#server', '#options'],
  Line: [
    ...['clock', 'binding', 'onBytes', 'onClose', 'onSecure', 'onPumped', '#server', '#alarm', '#pumping'],
    '#timers', // whoever had it set sets it again
  ],
  Pipe: ['onQueued', 'windowBytes', '#clock', '#random', '#shape', '#segmentBytes', '#fault', '#head'],
  SimNetwork: ['clock', '#shape'],
  ServerSession: ['line', '#options', '#recorder', '#working', '#out'],
  ScriptedServer: ['connections', '#options', '#parked', '#lookAt'],
  Dialogue: ['#options', '#session', '#host'],
  Login: ['#auth', '#random'],
  ContentReader: [],
  Random: [],
  Deadlines: [],
  Ledger: ['#due'],
  Position: ['name', 'tags', 'is', 'edges'],
  Faulty: ['save', 'restore', 'wait', 'onReady', '#inner', '#options', '#alarm'],
};

/** Saved by another file than their own. */
const elsewhere: Readonly<Record<string, string>> = {
  Conduct: 'src/core/saving.ts',
  Connection: 'src/core/saving.ts',
  Transactions: 'src/core/saving.ts',
};

const sources = sourcesIn('src');
const textOf = (path: string): string => sources.find((one) => one.path === path)?.text ?? '';

interface Found {
  readonly name: string;
  readonly fields: readonly string[];
  /** What saves it. */
  readonly text: string;
}

function classesOf(source: Source): Found[] {
  const found: Found[] = [];
  source.visit({
    ClassDeclaration(node) {
      const name = node.id?.name ?? '';
      const members = node.body.body;
      const saves = members.filter(
        (one) =>
          one.type === 'MethodDefinition' &&
          !one.static &&
          /^(?:save|saveOwn|#counts)$/.test(nameOf(one.key)),
      );
      const other = elsewhere[name];
      if (saves.length === 0 && other === undefined) return;
      const fields = members.flatMap((one) =>
        one.type === 'PropertyDefinition' && !one.static ? [nameOf(one.key)] : [],
      );
      const own = saves.map(({ start, end }) => source.text.slice(start, end)).join('\n');
      found.push({ name, fields, text: other === undefined ? own : textOf(other) });
    },
  });
  return found;
}

function nameOf(key: ESTree.PropertyKey): string {
  if (key.type === 'PrivateIdentifier') return `#${key.name}`;
  return key.type === 'Identifier' ? key.name : '';
}

describe('§8.6: every field is saved, or is no state', () => {
  const classes = sources.flatMap(classesOf).filter(({ name }) => name !== 'SmtpClient');

  it.each(classes.map((one) => [one.name, one] as const))('%s', (name, { fields, text }) => {
    const known = noState[name] ?? [];
    const saved = (field: string): boolean => new RegExp(`\\b${field.replace('#', '')}\\b`).test(text);
    expect(fields.filter((field) => !known.includes(field) && !saved(field))).toEqual([]);
    expect(
      known.filter((field) => !fields.includes(field)),
      'no longer a field',
    ).toEqual([]);
  });

  it('no class is listed that is not there', () => {
    const names = classes.map(({ name }) => name);
    expect(Object.keys(noState).filter((name) => !names.includes(name))).toEqual([]);
  });
});
