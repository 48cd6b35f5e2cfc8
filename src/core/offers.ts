/**
 * Does the server offer what a message needs, and take so many? Capabilities against envelope parameters and counts,
 * and nothing else. What it does not offer is a text that says so; the caller throws it or tells it.
 */
import type { Capabilities, ServerLimits } from '../wire/capabilities.ts';
import type { MailParameters, RecipientParameters } from '../wire/command.ts';
import type { Mail } from './mail.ts';

/** The BODY that a message goes with: the caller's, else 8BITMIME where offered, else plain 7 bit. */
export function resolveBody(
  asked: MailParameters['body'],
  capabilities: Capabilities,
): NonNullable<MailParameters['body']> {
  return asked ?? (capabilities.eightBitMime ? '8bitmime' : '7bit');
}

/** Why the server cannot take this sender's parameters, or undefined. */
export function mailProblem(
  parameters: MailParameters,
  capabilities: Capabilities,
  chunking: boolean,
): string | undefined {
  const { size, body, smtputf8, ret, envid } = parameters;
  if (smtputf8 && !capabilities.smtpUtf8) return 'the sender needs SMTPUTF8, which the server does not offer';
  if (body === '8bitmime' && !capabilities.eightBitMime) {
    return 'body 8bitmime needs 8BITMIME, which the server does not offer';
  }
  if (body === 'binarymime' && !(chunking && capabilities.binaryMime)) {
    return 'body binarymime needs BINARYMIME and CHUNKING, and one of them is not offered or not allowed';
  }
  if ((ret !== undefined || envid !== undefined) && !capabilities.dsn) {
    return 'ret and envid need DSN, which the server does not offer';
  }
  if (size !== undefined) return sizeProblem(size, capabilities.size);
  return undefined;
}

function sizeProblem(size: number, limit: number | undefined): string | undefined {
  if (limit === undefined) return 'size needs SIZE, which the server does not offer';
  if (limit > 0 && size > limit) return `the message has ${size} octets, the server takes ${limit}`;
  return undefined;
}

/** Why the server cannot take this recipient's parameters, or undefined. */
export function recipientProblem(
  parameters: RecipientParameters,
  capabilities: Capabilities,
): string | undefined {
  const { notify, orcpt } = parameters;
  if ((notify !== undefined || orcpt !== undefined) && !capabilities.dsn) {
    return 'notify and orcpt need DSN, which the server does not offer';
  }
  return undefined;
}

/** RFC 9422: why one more message is too many for a connection that has had so many, or undefined. */
export function mailLimit(begun: number, { mailMax }: ServerLimits): string | undefined {
  if (mailMax === undefined || begun < mailMax) return undefined;
  return `the server takes ${messages(mailMax)} a connection (MAILMAX), and has had them: connect again`;
}

/** What a server was asked about so far, in one message. */
export interface Asked {
  recipients: number;
  /** In small letters; only where their number is limited. */
  domains: Set<string> | undefined;
}

/** Why the server cannot take the recipient whose turn it is, after so many others; undefined: it can, and is counted. */
export function nextRecipientProblem(mail: Mail, at: number, capabilities: Capabilities): string | undefined {
  return (
    recipientProblem(mail.lines.parameters(at), capabilities) ??
    recipientLimit(mail, mail.recipient(at + 1).address, capabilities.limits)
  );
}

/** RFC 9422: why one more recipient is too many for its message, or undefined; then it is counted. */
function recipientLimit(mail: Mail, address: string, limits: ServerLimits): string | undefined {
  const { rcptMax, rcptDomainMax } = limits;
  if (rcptMax === undefined && rcptDomainMax === undefined) return undefined;
  mail.asked ??= { recipients: 0, domains: undefined };
  const { asked } = mail;
  if (rcptMax !== undefined && asked.recipients >= rcptMax) {
    return `the server takes ${rcptMax} recipients a message (RCPTMAX): send this one another`;
  }
  if (rcptDomainMax !== undefined) {
    asked.domains ??= new Set();
    const domain = address.slice(address.lastIndexOf('@') + 1).toLowerCase();
    if (!asked.domains.has(domain) && asked.domains.size >= rcptDomainMax) {
      return `the server takes ${rcptDomainMax} domains a message (RCPTDOMAINMAX): send this recipient another`;
    }
    asked.domains.add(domain);
  }
  asked.recipients++;
  return undefined;
}

const messages = (count: number): string => (count === 1 ? 'one message' : `${count} messages`);
