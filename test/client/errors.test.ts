/** Error codes have texts, and errors say what a reader needs. */
import { describeCode, SmtpError, SmtpUsageError } from 'smtpump';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../support/codes.ts';
import { connected, last, replies } from './support.ts';

describe('error codes', () => {
  it('TK69: each has a text of its own', () => {
    const texts = errorCodes.map(describeCode);
    for (const text of texts) expect(text).toMatch(/^[a-zA-Z][a-zA-Z ]{5,}$/);
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('TK69: an SmtpError says phase, text, code, reply and command in one line', () => {
    const { client, settle, events } = connected({
      server: replies({ MAIL: ['550 5.1.8 line one', '550 5.1.8 line two'] }),
    });
    client.sendSender('a@example.test');
    settle();
    const { error } = last(events, 'SERVER_ERROR');
    expect(error).toBeInstanceOf(SmtpError);
    expect(error).toBeInstanceOf(Error);
    expect(error.message).toMatch(
      /^mail: .*\(ESERVERPERM\): 550 .*line one.*line two\. Command: MAIL FROM:<a@example\.test>/,
    );
    expect(error.message).not.toContain('\n');
  });

  it('TK69: which may be tried again', () => {
    const retryable = errorCodes.filter(
      (code) =>
        !['EINVAL', 'EPERM', 'EISCONN', 'ENOTCONN'].includes(code) &&
        new SmtpError({ code: code as 'EAUTH', phase: 'mail' }).retryable,
    );
    expect(retryable).toEqual(['ESERVERTEMP', 'ETIMEDOUT', 'ESHUTDOWN', 'ECONNECTION']);
  });

  it('a usage error names the option', () => {
    const error = new SmtpUsageError('EINVAL', 'no', 'host');
    expect([error.message, error.code, error.option, error.name]).toEqual([
      'host: no',
      'EINVAL',
      'host',
      'SmtpUsageError',
    ]);
  });

  it('control characters of a reply do not reach a terminal', () => {
    const { client, settle, events } = connected({ server: replies({ MAIL: '550 \u001b[2Jcleared' }) });
    client.sendSender('a@example.test');
    settle();
    expect(last(events, 'SERVER_ERROR').error.message).not.toContain('\u001b');
  });
});
