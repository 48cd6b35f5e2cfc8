/** Which step is legal when: every call in every public state, with its code, as one table. */
import type { SmtpClient } from 'smtpump';
import { describe, expect, it } from 'vitest';
import { type Bench, bench, codeOf, connected, plainLogin, replies, sendMail, silence } from './support.ts';

const calls = {
  connect: (client: SmtpClient) => client.connect(),
  sendSender: (client: SmtpClient) => client.sendSender('a@example.test'),
  sendRecipient: (client: SmtpClient) => client.sendRecipient('c@example.test'),
  sendBom: (client: SmtpClient) => client.sendBom({ raw: true }),
  sendBody: (client: SmtpClient) => client.sendBody('text\r\n'),
  sendEom: (client: SmtpClient) => client.sendEom(),
  reset: (client: SmtpClient) => client.reset(),
  noop: (client: SmtpClient) => client.noop(),
  disconnect: (client: SmtpClient) => client.disconnect(),
  abort: (client: SmtpClient) => client.abort(),
} as const;
type Call = keyof typeof calls;
const names = Object.keys(calls) as Call[];

/** Calls the steps of a message up to a point. */
function upTo(client: SmtpClient, point: 'sender' | 'recipients' | 'body' | 'sent'): void {
  client.sendSender('a@example.test');
  if (point === 'sender') return;
  client.sendRecipient('b@example.test');
  if (point === 'recipients') return;
  client.sendBom({ raw: true });
  if (point === 'body') return;
  client.sendEom();
}

const mailStates = ['sender', 'recipients', 'body', 'sent'] as const;

/** Brings a new client into the state. */
const ways: Readonly<Record<string, () => Bench>> = {
  'never connected': () => bench(),
  disconnected: () => {
    const made = connected();
    made.client.disconnect();
    made.settle();
    return made;
  },
  connecting: () => {
    const made = bench({ server: replies({ CONNECT: silence }) });
    made.client.connect();
    made.settle();
    return made;
  },
  ready: () => connected(),
  ...Object.fromEntries(
    mailStates.map((state) => [
      state,
      () => {
        const made = connected({ server: replies({ CONTENT: silence }) });
        upTo(made.client, state);
        made.settle();
        return made;
      },
    ]),
  ),
  'closing (QUIT sent)': () => {
    const made = connected({ server: replies({ QUIT: silence }) });
    made.client.disconnect();
    made.settle(0);
    return made;
  },
  'closing (aborted)': () => {
    const made = connected();
    made.client.abort();
    return made;
  },
  'login rejected': () => {
    const auth = { mechanisms: ['PLAIN'], users: {} };
    const made = bench({ server: { auth }, client: { auth: { ...plainLogin, allowPlaintext: true } } });
    made.client.connect();
    made.settle();
    return made;
  },
  'MAIL refused': () => {
    const made = connected({ server: replies({ MAIL: '550 no' }) });
    made.client.sendSender('a@example.test');
    made.settle();
    return made;
  },
  'MAIL refused after sendRecipient': () => {
    const made = connected({ server: replies({ MAIL: '550 no' }) });
    upTo(made.client, 'recipients');
    made.settle();
    return made;
  },
  'MAIL refused after sendBom': () => {
    const made = connected({ server: replies({ MAIL: '550 no' }) });
    upTo(made.client, 'body');
    made.settle();
    return made;
  },
  'taken back': () => {
    const made = connected();
    upTo(made.client, 'recipients');
    made.client.reset();
    made.settle();
    return made;
  },
};

const ok = 'fine';
const none = 'ENOTCONN';
const row = (...codes: string[]): string => codes.join(' ');
const out = 'EPERM';
const busy = 'EISCONN';

/** In the order of `calls`. */
const expected: Readonly<Record<string, string>> = {
  'never connected': row(ok, none, none, none, none, none, none, none, none, none),
  disconnected: row(ok, none, none, none, none, none, none, none, none, none),
  connecting: row(busy, ok, out, out, out, out, ok, ok, ok, ok),
  ready: row(busy, ok, out, out, out, out, ok, ok, ok, ok),
  sender: row(busy, out, ok, out, out, out, ok, ok, ok, ok),
  recipients: row(busy, out, ok, ok, out, out, ok, ok, ok, ok),
  body: row(busy, out, out, out, ok, ok, ok, ok, ok, ok),
  sent: row(busy, ok, out, out, out, out, ok, ok, ok, ok),
  'closing (QUIT sent)': row(busy, none, none, none, none, none, none, none, ok, ok),
  'closing (aborted)': row(busy, none, none, none, none, none, none, none, ok, ok),
  'login rejected': row(busy, out, out, out, out, out, out, out, ok, ok),
  'MAIL refused': row(busy, ok, ok, out, out, out, ok, ok, ok, ok),
  'MAIL refused after sendRecipient': row(busy, ok, ok, ok, out, out, ok, ok, ok, ok),
  'MAIL refused after sendBom': row(busy, ok, out, out, ok, ok, ok, ok, ok, ok),
  'taken back': row(busy, ok, out, out, out, out, ok, ok, ok, ok),
};

const states: Readonly<Record<string, string>> = {
  'never connected': 'disconnected',
  'login rejected': 'connecting',
  'closing (QUIT sent)': 'closing',
  'closing (aborted)': 'closing',
  'MAIL refused': 'ready',
  'MAIL refused after sendRecipient': 'ready',
  'MAIL refused after sendBom': 'ready',
  'taken back': 'ready',
};

function table(of: (name: string, call: Call) => string): Record<string, string> {
  return Object.fromEntries(
    Object.keys(ways).map((name) => [name, names.map((call) => of(name, call)).join(' ')]),
  );
}

function make(name: string): Bench {
  const way = ways[name];
  if (way === undefined) throw new Error(name);
  return way();
}

describe('steps out of order', () => {
  it('TK20 TK29 TK30: every call in every state has its code', () => {
    expect(table((name, call) => codeOf(() => calls[call](make(name).client)))).toEqual(expected);
  });

  it('TK30: can() says the same as the call, in every state', () => {
    const said = table((name, call) => (make(name).client.can(call) ? 'yes' : 'no'));
    const done = table((name, call) =>
      codeOf(() => calls[call](make(name).client)) === 'fine' ? 'yes' : 'no',
    );
    expect(said).toEqual(done);
  });

  it('TK29 TK30: a refused call leaves no trace: state, timer, and all that follows are those of a twin', () => {
    const look = ({ client, told, heard }: Bench) => [
      client.state,
      client.readTimer(),
      [...told],
      [...heard],
    ];
    for (const name of Object.keys(ways)) {
      for (const call of names) {
        const made = make(name);
        const twin = make(name);
        if (codeOf(() => calls[call](made.client)) === 'fine') continue;
        expect(look(made), `${call} in ${name}`).toEqual(look(twin));
        made.settle(0);
        twin.settle(0);
        expect(look(made), `${call} in ${name}, later`).toEqual(look(twin));
      }
    }
  });

  it('`state` in each of them', () => {
    const said = Object.fromEntries(Object.keys(ways).map((name) => [name, make(name).client.state]));
    expect(said).toEqual(Object.fromEntries(Object.keys(ways).map((name) => [name, states[name] ?? name])));
  });

  it('TK30 calling ahead: the same codes and states before anything was answered', () => {
    for (const state of mailStates) {
      const ahead = (): SmtpClient => {
        const { client } = bench();
        client.connect();
        upTo(client, state);
        return client;
      };
      expect(ahead().state).toBe(state);
      expect(names.map((call) => codeOf(() => calls[call](ahead()))).join(' '), state).toBe(expected[state]);
    }
  });

  it('the text of a refusal names step and state, and says what to do', () => {
    const { client } = connected();
    expect(() => client.sendEom()).toThrow(/sendEom\(\) in state 'ready': .*sendBom/);
    expect(() => bench().client.noop()).toThrow(/noop\(\) in state 'disconnected': .*connect/);
  });

  it('`state` goes through every value of a session, and back to ready at the verdict', () => {
    const { client, settle } = bench();
    const seen: string[] = [client.state];
    const see = () => seen.at(-1) !== client.state && seen.push(client.state);
    client.on('event', see);
    client.connect();
    see();
    settle();
    for (const call of ['sendSender', 'sendRecipient', 'sendBom', 'sendBody', 'sendEom'] as const) {
      calls[call](client);
      see();
    }
    settle();
    client.disconnect();
    see();
    settle();
    see();
    expect(seen).toEqual([
      'disconnected',
      'connecting',
      'ready',
      'sender',
      'recipients',
      'body',
      'sent',
      'ready',
      'closing',
      'disconnected',
    ]);
  });

  it('TK20: after a session all steps but connect() are ENOTCONN again', () => {
    const { client, settle } = connected();
    sendMail(client);
    settle();
    client.disconnect();
    settle();
    for (const call of names) expect(client.can(call), call).toBe(call === 'connect');
  });
});
