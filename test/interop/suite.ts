/**
 * Mail through real servers, read back byte for byte: each server, each way to secure the line, each login. The same
 * for each transport that opens sockets. The servers come from servers.sh; see setup.ts.
 */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Transport } from 'smtpump';
import { describe, expect, inject, test } from 'vitest';
import { asStored, mailsWith, withLastLineEnd } from './maildir.ts';
import { type Mail, mailAhead, mailStepByStep, namesOf, type Session } from './mailing.ts';
import type { Server } from './server.ts';

type Options = Parameters<typeof mailStepByStep>[0];
type Line = 'clear' | 'STARTTLS' | 'implicit TLS';

const { up, skipped } = inject('servers');
const known = 'PLAIN LOGIN CRAM-MD5 SCRAM-SHA-1 SCRAM-SHA-256 OAUTHBEARER XOAUTH2'.split(' ');

/** Everything that a careless client or server breaks: dots, 8-bit text, long lines, no line end at the end. */
const awkward = Buffer.from(
  [
    'first line',
    '.',
    '..',
    '.begins with a dot',
    '...begins with three',
    'Grüße, 你好, 😀',
    'x'.repeat(990),
    'é'.repeat(450),
    '',
    '',
    'From here on it is the same',
    '  spaces at both ends  ',
    '.\t',
    'ends with a dot.',
    '.',
  ].join('\r\n'),
);

/** More than any buffer on the way holds at once, no two lines the same. */
const large = Buffer.from(
  Array.from({ length: 40_000 }, (_, i) => `${'.'.repeat(i % 3)}line ${i} ${'ä'.repeat(i % 40)}`).join(
    '\r\n',
  ),
);

const authFor = (server: Server, mechanism: string): NonNullable<Options>['auth'] => {
  const common = { user: server.user ?? '', mechanisms: [mechanism], allowPlaintext: true };
  return /OAUTH/.test(mechanism)
    ? { ...common, token: server.token ?? '' }
    : { ...common, password: server.password ?? '' };
};

const mail = (to: readonly string[], body = awkward): Mail => ({
  from: 'sender@example.test',
  to,
  subject: `interop ${randomUUID()}`,
  body,
});

const expectStored = async (server: Server, sent: Mail, to: readonly string[]): Promise<void> => {
  for (const address of to) {
    const maildir = join(server.mail, address.split('@')[0] ?? '');
    const found = await mailsWith(sent.subject, maildir);
    expect(found, `${sent.subject} in ${maildir}`).toHaveLength(1);
    const [stored] = found;
    const body = withLastLineEnd(stored?.body ?? Buffer.alloc(0));
    expect(firstDifference(body, asStored(sent.body))).toBeUndefined();
    expect(body.equals(asStored(sent.body))).toBe(true);
    expect(stored?.header).toContain('From: sender@example.test');
    expect(stored?.header).toContain(`To: ${sent.to.join(', ')}`);
  }
};

/** The line where they part: a whole difference of large bodies would be read by nobody. */
const firstDifference = (got: Buffer, wanted: Buffer): { got?: string; wanted?: string } | undefined => {
  const [a, b] = [got.toString().split('\n'), wanted.toString().split('\n')];
  const at = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => a[i] === b[i]).indexOf(false);
  return at < 0 ? undefined : { got: `${at}: ${a[at]}`, wanted: `${at}: ${b[at]}` };
};

/** The verbs of the commands that left. */
const verbsOf = ({ commands }: Session): Set<string> =>
  new Set(commands.map((line) => line.split(' ')[0] ?? ''));

const offersUnderTls = (server: Server, keyword: string): boolean =>
  server.features.tls?.includes(keyword) === true;

const acceptedBy = (session: Session): string[][] =>
  session.events.flatMap((e) => (e.name === 'EOM_ACK' ? [e.accepted.map((r) => r.address)] : []));

/** The ways in: every mechanism the server offers there and that we know, and none at all where it lets us. */
const ways = (server: Server): [Line, string | undefined][] =>
  (['clear', 'STARTTLS', 'implicit TLS'] as const).flatMap((line) => {
    const offered = (line === 'clear' ? server.auth.clear : server.auth.tls) ?? [];
    const logins: (string | undefined)[] = offered.filter((name) => known.includes(name));
    if (!server.authRequired) logins.unshift(undefined);
    return logins.map((login): [Line, string | undefined] => [line, login]);
  });

const needed = (server: Server): string | undefined => (server.authRequired ? 'PLAIN' : undefined);
const good = Object.entries(up).filter(([, server]) => !server.brokenTls);
const broken = Object.entries(up).filter(([, server]) => server.brokenTls);

/** @param transport a new one for each client */
export function interop(transport: () => Transport): void {
  const optionsFor = (server: Server, line: Line, mechanism?: string, more: Options = {}): Options => ({
    host: server.host,
    port: line === 'implicit TLS' ? server.implicitTlsPort : server.port,
    protocol: server.protocol,
    localName: 'client.example.test',
    tls: line === 'clear' ? 'never' : line === 'STARTTLS' ? 'always' : 'implicit',
    tlsOptions: { ca: readFileSync(server.ca) },
    transport: transport(),
    ...(mechanism === undefined ? {} : { auth: authFor(server, mechanism) }),
    ...more,
  });

  test.each(Object.entries(skipped))('%s is up', (name, reason) => {
    // a machine that cannot run them may say so; silence would look like success
    if (process.env.SMTPUMP_SERVERS_OPTIONAL === undefined) throw new Error(`${name}: ${reason}`);
  });

  describe.each(good)('%s', (_name, server) => {
    const [inbox, two] = server.recipients;

    test.each(ways(server))(
      'over %s, login %s: two mails, one recipient refused',
      async (line, mechanism) => {
        const first = mail([inbox]);
        const second = mail([inbox, server.refused, two]);
        const session = await mailStepByStep(optionsFor(server, line, mechanism), [first, second]);
        expect(namesOf(session)).toEqual([
          ...(line === 'clear' ? [] : ['SECURE_OK']),
          ...(mechanism === undefined ? [] : ['AUTH_OK']),
          'CONNECTED',
          ...['SENDER_ACK', 'RECIPIENT_ACK', 'BOM_ACK', 'EOM_ACK'],
          ...['SENDER_ACK', 'RECIPIENT_ACK', 'SERVER_ERROR', 'RECIPIENT_ACK', 'BOM_ACK', 'EOM_ACK'],
          'DISCONNECTED',
        ]);
        expect(session.events.at(-1)).not.toHaveProperty('reason.code');
        expect(acceptedBy(session)).toEqual([[inbox], [inbox, two]]);
        await expectStored(server, first, [inbox]);
        await expectStored(server, second, [inbox, two]);
      },
    );

    describe.each([
      { pipelining: true, chunking: true },
      { pipelining: true, chunking: false },
      { pipelining: false, chunking: true },
      { pipelining: false, chunking: false },
    ])('pipelining $pipelining, chunking $chunking', (more) => {
      const options = optionsFor(server, 'STARTTLS', needed(server), more);

      test('steps called ahead, three mails in flight', async () => {
        const mails = [mail([inbox, two]), mail([server.refused, two]), mail([inbox])];
        const session = await mailAhead(options, mails);
        expect(acceptedBy(session)).toEqual([[inbox, two], [two], [inbox]]);
        for (const [at, to] of acceptedBy(session).entries()) {
          const sent = mails[at];
          if (sent !== undefined) await expectStored(server, sent, to);
        }
      });

      test('a large body with back-pressure', async () => {
        const sent = mail([inbox], large);
        const session = await mailStepByStep(options, [sent]);
        expect(acceptedBy(session)).toEqual([[inbox]]);
        const verbs = verbsOf(session);
        const chunked = more.chunking && offersUnderTls(server, 'CHUNKING');
        expect([verbs.has('BDAT'), verbs.has('DATA')]).toEqual([chunked, !chunked]);
        await expectStored(server, sent, [inbox]);
      });
    });

    test('LE027 S20: 50 mails in flight, some of them refused, each read back', async () => {
      const options = optionsFor(server, 'STARTTLS', needed(server), { messagesInFlight: 64 });
      const mails = Array.from({ length: 50 }, (_, n) => {
        const to =
          n % 10 === 3
            ? [server.refused, two]
            : n % 10 === 7
              ? [server.refused]
              : [n % 2 === 0 ? inbox : two];
        return mail(to, Buffer.concat([awkward, Buffer.from(`\r\nmail ${n}`)]));
      });
      const session = await mailAhead(options, mails);
      const wanted = mails.map(({ to }) => to.filter((address) => address !== server.refused));
      expect(session.events.at(-1)).not.toHaveProperty('reason.code');
      expect(acceptedBy(session)).toEqual(wanted.filter((to) => to.length > 0));
      const refusals = session.events.flatMap((event) => (event.name === 'SERVER_ERROR' ? [event.step] : []));
      expect(refusals.filter((step) => step === 'sendBom')).toHaveLength(5);
      for (const [at, sent] of mails.entries()) await expectStored(server, sent, wanted[at] ?? []);
      // in one flight where the server lets us: nothing went a second time
      const count = (verb: string): number => session.commands.filter((line) => line.startsWith(verb)).length;
      expect(count('MAIL')).toBe(50);
      if (offersUnderTls(server, 'CHUNKING')) expect(session.mostInFlight).toBeGreaterThan(40);
    });

    test('S4 a certificate that nobody vouches for ends the connection', async () => {
      for (const line of ['STARTTLS', 'implicit TLS'] as const) {
        const session = await mailStepByStep(
          optionsFor(server, line, needed(server), { tlsOptions: {} }),
          [],
        );
        expect(namesOf(session)).toEqual(['SECURE_FAIL', 'DISCONNECTED']);
      }
    });

    test.runIf(server.user !== undefined)(
      'S17 a wrong password is AUTH_FAIL, and shown nowhere',
      async () => {
        const auth = { user: server.user ?? '', password: 'wrong-canary' };
        const session = await mailStepByStep(optionsFor(server, 'STARTTLS', undefined, { auth }), []);
        expect(namesOf(session)).toEqual(['SECURE_OK', 'AUTH_FAIL', 'DISCONNECTED']);
        const shown = JSON.stringify(session);
        expect(shown).not.toContain('wrong-canary');
        expect(shown).not.toContain(Buffer.from('\0tester@example.test\0wrong-canary').toString('base64'));
        expect(shown).not.toContain(Buffer.from('wrong-canary').toString('base64'));
      },
    );

    test.runIf(server.features.tls?.includes('SMTPUTF8'))(
      'a sender beyond ASCII goes by SMTPUTF8',
      async () => {
        const sent = { ...mail([inbox]), from: 'grüße@example.test' };
        const session = await mailStepByStep(optionsFor(server, 'STARTTLS', needed(server)), [sent]);
        expect(acceptedBy(session)).toEqual([[inbox]]);
        const [stored] = await mailsWith(sent.subject, join(server.mail, inbox.split('@')[0] ?? ''));
        expect(stored?.header).toContain(Buffer.from('From: grüße@example.test').toString('latin1'));
      },
    );
  });

  describe.each(broken)('%s, whose STARTTLS is broken', (_name, server) => {
    const [inbox, two] = server.recipients;

    test.each(['always', 'optional', 'implicit'] as const)(
      'S2 S3 tls %s: a failed handshake ends it',
      async (tls) => {
        const port = tls === 'implicit' ? server.implicitTlsPort : server.port;
        const options = { ...optionsFor(server, 'STARTTLS'), tls, port };
        const session = await mailStepByStep(options, [mail([inbox])]);
        expect(namesOf(session)).toEqual(['SECURE_FAIL', 'DISCONNECTED']);
        expect(session.commands.some((line) => line.startsWith('MAIL'))).toBe(false);
      },
    );

    test('tls never: mail is delivered', async () => {
      const first = mail([inbox]);
      const second = mail([inbox, server.refused, two]);
      const session = await mailStepByStep(optionsFor(server, 'clear'), [first, second]);
      expect(acceptedBy(session)).toEqual([[inbox], [inbox, two]]);
      await expectStored(server, first, [inbox]);
      await expectStored(server, second, [inbox, two]);
    });
  });
}
