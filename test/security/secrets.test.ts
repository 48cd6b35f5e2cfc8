/**
 * Secrets show themselves to nobody (S17): every mechanism, through every way that a login can go, and then every
 * channel is searched: events with COMMAND, REPLY and STATE, errors, JSON, inspection, traces.
 */
import { inspect } from 'node:util';
import { SmtpClient, type SmtpClientOptions } from 'smtpump';
import {
  type ReplyPlan,
  ScriptedServer,
  type ServerCommand,
  SimNetwork,
  trace,
  VirtualClock,
} from 'smtpump/testing';
import { describe, expect, it } from 'vitest';

const canary = 'hunter2-CANARY-pässword';
const token = 'ya29.CANARY-token_9f8e7d';

const mechanisms = [
  'PLAIN',
  'LOGIN',
  'CRAM-MD5',
  'SCRAM-SHA-1',
  'SCRAM-SHA-256',
  'SCRAM-SHA-256-PLUS',
  'XOAUTH2',
  'OAUTHBEARER',
] as const;
const byToken = (mechanism: string): boolean => /OAUTH/.test(mechanism);

type Script = (command: ServerCommand) => ReplyPlan | string | undefined;
const isLogin = ({ verb }: ServerCommand): boolean => verb === 'AUTH' || verb === 'RESPONSE';

/** The ways that a login can go. */
const ways: Readonly<Record<string, Script>> = {
  'is accepted': () => undefined,
  'is refused': (command) => (isLogin(command) ? '535 5.7.8 no' : undefined),
  'is put off': (command) => (isLogin(command) ? '454 4.7.0 later' : undefined),
  'meets a 421': (command) => (isLogin(command) ? '421 4.3.2 down' : undefined),
  'meets nonsense': (command) => (isLogin(command) ? '334 !!!' : undefined),
  'meets no reply at all': (command) => (isLogin(command) ? { raw: 'CANARY?\r\n' } : undefined),
  'meets an extra reply': (command) => (isLogin(command) ? { raw: '535 no\r\n250 x\r\n' } : undefined),
  'meets silence': (command) => (isLogin(command) ? { stall: true, raw: '' } : undefined),
  'meets the end of the line': (command) => (isLogin(command) ? { drop: true, raw: '' } : undefined),
  'meets a reset': (command) => (isLogin(command) ? { reset: true, raw: '' } : undefined),
  'breaks later': ({ verb }) => (verb === 'RESPONSE' ? { drop: true, raw: '' } : undefined),
};

interface Haul {
  /** All that could be seen of the client, in one text. */
  readonly seen: string;
  /** What the client said between AUTH and its end: it must not be seen anywhere. */
  readonly secrets: readonly string[];
  readonly names: readonly string[];
}

/** With listeners a client is a ring of objects, as every emitter is. */
function json(value: unknown): string {
  const met = new WeakSet<object>();
  const once = (_: string, part: unknown): unknown => {
    if (typeof part === 'bigint') return String(part);
    if (typeof part !== 'object' || part === null) return part;
    if (met.has(part)) return '…';
    met.add(part);
    return part;
  };
  return JSON.stringify(value, once) ?? '';
}

function haul(mechanism: string, script: Script, options: SmtpClientOptions = {}): Haul {
  const clock = new VirtualClock();
  const users = { ann: byToken(mechanism) ? token : canary };
  const server = new ScriptedServer({
    tls: 'starttls',
    auth: { mechanisms: [mechanism], users },
    reply: script,
  });
  const seen: string[] = [];
  const names: string[] = [];
  const look = (value: unknown): void => {
    seen.push(inspect(value, { depth: Infinity, showHidden: true, getters: true, maxStringLength: null }));
    seen.push(json(value), String(value));
    if (value instanceof Error) seen.push(value.stack ?? '', inspect(value.cause, { depth: Infinity }));
  };
  const transport = trace(new SimNetwork({ clock }).listen('*', server).transport(), (line) => look(line));
  const client = new SmtpClient({
    host: 'mx.example.test',
    pump: 'manual',
    transport,
    clock,
    auth: byToken(mechanism) ? { user: 'ann', token } : { user: 'ann', password: canary },
    ...options,
  });
  for (const name of ['event', 'COMMAND', 'REPLY', 'STATE'] as const) {
    client.on(name, (event) => {
      names.push(event.name);
      look(event);
      look(client);
      if ('error' in event) look(event.error);
      if ('reason' in event) look(event.reason);
    });
  }
  look(client);
  client.connect();
  look(client);
  for (let turn = 0; turn < 2000 && client.state !== 'disconnected'; turn++) {
    if (client.execute() === 'more') continue;
    look(client);
    const at = Math.min(clock.next, clock.now() + client.readTimer());
    if (at !== Number.POSITIVE_INFINITY) clock.advanceTo(at);
    else if (client.can('disconnect')) client.disconnect();
  }
  expect(client.state).toBe('disconnected');
  const from = server.commands.findIndex((line) => line.startsWith('AUTH'));
  const said = (from < 0 ? [] : server.commands.slice(from)).filter((line) => !/^(?:QUIT|\*|)$/.test(line));
  const secrets = said.map((line) => line.replace(/^AUTH \S+ ?/, '')).filter((text) => text.length > 3);
  return { seen: seen.join('\n'), secrets, names };
}

/** The secrets in every dress that they are known in. */
const dresses = [canary, token].flatMap((text) => [
  text,
  Buffer.from(text).toString('base64').replace(/=+$/, ''),
  Buffer.from(text).toString('hex'),
  encodeURIComponent(text),
  JSON.stringify(text).slice(1, -1),
]);

function judge({ seen, secrets }: Haul): void {
  for (const text of [...dresses, ...secrets]) {
    const at = seen.indexOf(text);
    if (at >= 0) throw new Error(`${text} is seen: …${seen.slice(Math.max(0, at - 200), at + 100)}`);
  }
  // the bytes of a buffer, as inspection shows them
  for (const text of [canary, token]) {
    const bytes = Buffer.from(text)
      .toString('hex')
      .replace(/..(?!$)/g, '$& ');
    expect(seen).not.toContain(bytes);
    expect(seen).not.toContain([...Buffer.from(text)].join(', '));
    expect(seen).not.toContain([...Buffer.from(text)].join(','));
  }
}

describe('S17: the login by', () => {
  it.each(mechanisms)('%s leaves no secret in any channel, however it goes', (mechanism) => {
    let said = 0;
    for (const [way, script] of Object.entries(ways)) {
      const found = haul(mechanism, script);
      expect(found.names, way).toEqual(expect.arrayContaining(['COMMAND', 'REPLY', 'STATE', 'DISCONNECTED']));
      expect(found.seen).toContain('AUTH');
      said += found.secrets.length;
      try {
        judge(found);
      } catch (error) {
        throw new Error(`it ${way}`, { cause: error });
      }
    }
    expect(said, 'secrets that were looked for').toBeGreaterThan(1);
  });

  it('the search finds what it looks for', () => {
    for (const text of dresses)
      expect(() => judge({ seen: `a ${text} b`, secrets: [], names: [] })).toThrow();
    expect(() => judge({ seen: 'a line of AUTH', secrets: ['line'], names: [] })).toThrow();
    expect(() => judge({ seen: inspect(Buffer.from(token)), secrets: [], names: [] })).toThrow();
  });

  it('a mechanism in clear, where that was allowed, is no exception', () => {
    const auth = { user: 'ann', password: canary, allowPlaintext: true };
    for (const mechanism of ['PLAIN', 'LOGIN', 'CRAM-MD5']) {
      const found = haul(mechanism, () => undefined, { tls: 'never', auth });
      expect(found.names).toContain('AUTH_OK');
      judge(found);
    }
  });

  it('a token that is fetched, at once or later, is no exception', () => {
    for (const source of [() => token, () => `${token}\r\n`, () => `${token}é`]) {
      const found = haul('XOAUTH2', () => undefined, { auth: { user: 'ann', token: source } });
      judge(found);
      expect(found.names).toContain(source() === token ? 'AUTH_OK' : 'AUTH_FAIL');
    }
  });

  it('a long token goes after the 334, and is masked there', () => {
    const long = token.repeat(60);
    const found = haul('XOAUTH2', () => undefined, { auth: { user: 'ann', token: long } });
    expect(found.secrets.some((text) => text.length > 1000)).toBe(true);
    judge(found);
  });

  it('an option that is refused does not quote the secret', () => {
    const wrong = [
      { user: 'ann', password: `${canary}\r\n` },
      { user: 'ann', password: `${canary}\0` },
      { user: '', password: canary },
      { user: 'a\nb', password: canary },
      { password: canary },
      { user: 'ann', token: `${token}\n` },
      { user: 'ann', token: `${token} x` },
      { user: 'ann', password: canary, mechanism: 'NONE' },
      { user: 'ann', password: canary, mechanism: 'PLAIN', mechanisms: ['PLAIN'] },
      { user: 'ann', password: [canary] as never },
      { user: 'ann', password: { canary } as never },
      canary as never,
    ];
    for (const auth of wrong) {
      let thrown: unknown;
      try {
        new SmtpClient({ auth });
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toBeInstanceOf(Error);
      const seen = `${thrown} ${inspect(thrown, { depth: Infinity, showHidden: true })} ${JSON.stringify(thrown)}`;
      judge({ seen, secrets: [], names: [] });
    }
  });
});
