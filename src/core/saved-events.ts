/**
 * Events that wait to be told, as they are saved: plain, with the messages and recipients that they name. It decides
 * nothing.
 */
import { noCapabilities, parseCapabilities } from '../wire/capabilities.ts';
import type { Message, Recipient, SmtpEvent } from './events.ts';

/** Finds the objects that the caller knows, so that there is one for each message and each recipient. */
export interface People {
  message(saved: Message): Message;
  recipient(saved: Recipient, message: Message): Recipient;
}

/** What the server offers stands in the reply. */
export function saveEvent(event: SmtpEvent) {
  if (event.name !== 'CONNECTED') return event;
  const { capabilities, ...rest } = event;
  return { ...rest, extended: capabilities !== noCapabilities };
}

export function loadEvent(saved: ReturnType<typeof saveEvent>, people: People): SmtpEvent {
  if (saved.name === 'CONNECTED') {
    if (!('extended' in saved)) return saved;
    const { extended, ...rest } = saved;
    return { ...rest, capabilities: extended ? parseCapabilities(rest.reply) : noCapabilities };
  }
  if (saved.name === 'DISCONNECTED') {
    const messages = saved.messages.map((one) => withPeople(one, people));
    return { ...saved, messages };
  }
  return withPeople(saved, people);
}

/** Whatever names a message, and perhaps some of its recipients. */
interface Naming {
  readonly message?: Message | undefined;
  readonly recipient?: Recipient | undefined;
  readonly accepted?: readonly Recipient[] | undefined;
  readonly rejected?: readonly Recipient[] | undefined;
}

export function withPeople<T extends object>(saved: T & Naming, people: People): T {
  if (saved.message === undefined) return saved;
  const message = people.message(saved.message);
  const known = (one: Recipient): Recipient => people.recipient(one, message);
  const { recipient, accepted, rejected } = saved;
  return {
    ...saved,
    message,
    ...(recipient && { recipient: known(recipient) }),
    ...(accepted && { accepted: accepted.map(known) }),
    ...(rejected && { rejected: rejected.map(known) }),
  };
}
