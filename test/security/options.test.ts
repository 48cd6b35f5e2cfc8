/**
 * Hostile text in every option and argument (S6, S7): it throws before an octet leaves, and the error names the
 * option; where such a text is legal it goes through and puts no line on the wire that was not there before.
 */

import { type RecipientOptions, type SenderOptions, SmtpClient, SmtpUsageError } from 'smtpump';
import { ScriptedServer } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { type Field, field } from './field.ts';
import {
  bomProbes,
  clientProbes,
  type PayloadName,
  type Probe,
  payloads,
  recipientProbes,
  senderProbes,
} from './options.table.ts';

const polite = (): ScriptedServer =>
  new ScriptedServer({ tls: 'starttls', auth: { mechanisms: ['PLAIN', 'XOAUTH2'], users: {} } });

interface Trial {
  readonly thrown: unknown;
  /** Octets that left after the step that should have thrown, or in all if it was the constructor. */
  readonly octets: number;
  readonly server: ScriptedServer;
  readonly text: string;
}

/** One mail, with the hostile text in its place. */
function attempt(probe: Probe, text: string): Trial {
  const server = polite();
  let made: Field | undefined;
  let before = 0;
  try {
    // the types forbid most of this: that is what the test is about
    if (probe.client !== undefined) new SmtpClient(probe.client(text));
    made = field(server, probe.client?.(text) as object);
    const { client, settle, tap } = made;
    client.connect();
    settle();
    if (probe.client === undefined) {
      before = tap.bytesOut;
      client.sendSender((probe.sender?.(text) ?? { address: 'a@example.test' }) as SenderOptions);
      client.sendRecipient((probe.recipient?.(text) ?? { address: 'b@example.test' }) as RecipientOptions);
      client.sendBom(probe.bom?.(text) ?? {});
      client.sendBody('text\r\n');
      client.sendEom();
      settle();
    }
    return { thrown: undefined, octets: tap.bytesOut - before, server, text: tap.text };
  } catch (thrown) {
    return { thrown, octets: (made?.tap.bytesOut ?? 0) - before, server, text: made?.tap.text ?? '' };
  }
}

const ruleOf = (probe: Probe, name: PayloadName): 'refused' | 'legal' =>
  probe.legal?.includes(name) ? 'legal' : 'refused';

/** What is wrong with this outcome. */
function judge(probe: Probe, name: PayloadName): string[] {
  const { thrown, octets, server, text } = attempt(probe, payloads[name]);
  const wrong: string[] = [];
  if (ruleOf(probe, name) === 'refused') {
    if (!(thrown instanceof SmtpUsageError)) return [`${name}: not refused, but ${thrown}`];
    if (octets > 0) wrong.push(`${name}: ${octets} octets left`);
    const { option = 'no option' } = thrown;
    if (option !== probe.option && option !== probe.or && !option.endsWith(`.${probe.option}`))
      wrong.push(`${name}: names ${option}`);
    if (!thrown.message.includes(option)) wrong.push(`${name}: the message does not name it`);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    if (/[\x00-\x1f\x7f-\x9f\u2028\u2029]/.test(thrown.message)) wrong.push(`${name}: raw in the message`);
    if (thrown.message.length > 800) wrong.push(`${name}: a message of ${thrown.message.length}`);
  } else {
    if (thrown !== undefined) wrong.push(`${name}: refused, though legal: ${thrown}`);
    if (/^(?:RCPT TO:<evil|X-Evil)/m.test(text)) wrong.push(`${name}: a line of its own`);
  }
  if (/\r(?!\n)|(?<!\r)\n/.test(text)) wrong.push(`${name}: a bare CR or LF on the wire`);
  if (text.split('\r\n').some((line) => line.length > 2000)) wrong.push(`${name}: a line too long`);
  wrong.push(...server.violations.map((one) => `${name}: ${one}`));
  return wrong;
}

const tables = { client: clientProbes, sender: senderProbes, recipient: recipientProbes, bom: bomProbes };
const rows = Object.entries(tables).flatMap(([table, probes]) =>
  Object.entries(probes).map(([key, list]) => [`${table}.${key}`, list as readonly Probe[]] as const),
);

describe('S6 S7: hostile text in', () => {
  it.each(rows)('%s', (_, probes) => {
    const wrong = probes.flatMap((probe, i) =>
      (Object.keys(payloads) as PayloadName[]).flatMap((name) =>
        judge(probe, name).map((one) => `${probe.option} (${i}): ${one}`),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('the same mail without it is taken, so that the refusals above are those of the text', () => {
    const { thrown, server } = attempt({ option: '', sender: (address) => ({ address }) }, 'a@example.test');
    expect(thrown).toBeUndefined();
    expect(server.delivered).toBe(1);
  });

  it('connect(target) refuses the same as the constructor, and opens nothing', () => {
    for (const key of ['host', 'port', 'path', 'tls', 'tlsOptions', 'auth'] as const) {
      for (const probe of clientProbes[key]) {
        for (const name of Object.keys(payloads) as PayloadName[]) {
          if (ruleOf(probe, name) === 'legal') continue;
          const { client, tap, settle } = field(polite());
          expect(() => client.connect(probe.client?.(payloads[name]) as object), `${key}: ${name}`).toThrow(
            SmtpUsageError,
          );
          settle();
          expect(tap.calls.open).toBe(0);
          expect(client.state).toBe('disconnected');
        }
      }
    }
  });

  it('an option that does not exist, whose name must not reach a terminal raw', () => {
    const evil = 'ho\x1b[2Jst\r\n';
    const { client, settle } = field(polite());
    client.connect();
    settle();
    for (const call of [
      () => new SmtpClient({ [evil]: 1 } as object),
      () => field(polite()).client.connect({ [evil]: 1 } as object),
      () => client.sendSender({ address: 'a@example.test', [evil]: 1 } as { address: string }),
    ]) {
      expect(call).toThrow(SmtpUsageError);
      try {
        call();
      } catch (error) {
        expect(JSON.stringify(String(error))).not.toContain('\\u001b');
      }
    }
  });

  it('control characters are refused with SMTPUTF8 too', () => {
    for (const name of ['CR LF', 'CR', 'LF', 'NUL', 'U+0085', 'U+2028', 'a lone surrogate'] as const) {
      const { client, tap, settle } = field(polite());
      client.connect();
      settle();
      const before = tap.bytesOut;
      for (const address of [`ü${payloads[name]}@example.test`, `ü@ü${payloads[name]}.test`])
        expect(() => client.sendSender({ address, smtputf8: true }), name).toThrow(/sender\.address/);
      settle();
      expect(tap.bytesOut).toBe(before);
    }
  });

  it('a token that comes later is held to the same, and is not quoted', () => {
    for (const name of Object.keys(payloads) as PayloadName[]) {
      const token = payloads[name];
      const made = field(polite(), { tls: 'always', auth: { user: 'ann', token: () => token } });
      made.client.connect();
      made.settle();
      expect(made.told, name).toEqual(['SECURE_OK', expect.stringMatching(/^AUTH_FAIL/)]);
      expect(made.tap.text, name).not.toMatch(/evil/);
    }
  });

  it('a numeric argument of execute() and a callback that is none', () => {
    const { client } = field(polite());
    for (const budget of [0, -1, Number.NaN]) expect(() => client.execute(budget)).toThrow(/budget/);
    expect(() => client.setAsyncCallback('x\r\n' as never)).toThrow(/fn/);
    expect(() => client.can('sendMail\r\n' as never)).toThrow(/step/);
  });
});
