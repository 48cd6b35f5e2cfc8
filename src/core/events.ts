/**
 * What the caller hears: one object an event, told apart by `name`. Types, and the objects that events carry.
 * Nothing here decides anything.
 */
import type { Step } from '../../machines/vocabulary.ts';
import type { SmtpError } from '../errors.ts';
import type { TlsInfo } from '../transport/transport.ts';
import type { Capabilities } from '../wire/capabilities.ts';
import type { Reply } from '../wire/reply.ts';

/** One message; its `id` is unique in its client, so that several in flight can be told apart. */
export interface Message {
  readonly id: number;
}

/** One recipient of one message; `id` counts from 1 in its message. */
export interface Recipient {
  readonly id: number;
  /** The forward-path as it goes between `<` and `>`. */
  readonly address: string;
  readonly name?: string | undefined;
  /** Bcc recipients get no header. */
  readonly type: 'to' | 'cc' | 'bcc';
}

/** A message that the connection ended without a verdict for. `unknown`: its end had left, so it may have arrived. */
export interface UnfinishedMessage {
  readonly message: Message;
  readonly outcome: 'unsent' | 'unknown';
  /** LMTP: recipients whose good verdict had come; they have it, and must not be sent it again. */
  readonly accepted?: readonly Recipient[] | undefined;
}

type Refusal = {
  readonly step: Step;
  readonly message?: Message | undefined;
  readonly recipient?: Recipient | undefined;
  /** Absent when the refusal is ours: the server does not offer what was asked for. */
  readonly reply?: Reply | undefined;
  readonly error: SmtpError;
};

export type SmtpEvent =
  | {
      readonly name: 'CONNECTED';
      readonly reply: Reply;
      readonly capabilities: Capabilities;
      readonly secure: boolean;
    }
  | { readonly name: 'SECURE_OK'; readonly tls: TlsInfo }
  | { readonly name: 'SECURE_FAIL'; readonly error: SmtpError }
  | { readonly name: 'AUTH_OK'; readonly mechanism: string; readonly reply: Reply }
  | {
      readonly name: 'AUTH_FAIL';
      readonly mechanism?: string | undefined;
      readonly reply?: Reply | undefined;
      readonly error: SmtpError;
    }
  | { readonly name: 'SENDER_ACK'; readonly message: Message; readonly reply: Reply }
  | {
      readonly name: 'RECIPIENT_ACK';
      readonly message: Message;
      readonly recipient: Recipient;
      readonly reply: Reply;
    }
  | { readonly name: 'BOM_ACK'; readonly message: Message; readonly reply?: Reply | undefined }
  | { readonly name: 'DRAIN' }
  | {
      readonly name: 'EOM_ACK';
      readonly message: Message;
      readonly reply: Reply;
      readonly accepted: readonly Recipient[];
      readonly rejected: readonly Recipient[];
    }
  | { readonly name: 'RESET'; readonly reply: Reply }
  | { readonly name: 'NOOP_ACK'; readonly reply: Reply }
  | ({ readonly name: 'SERVER_ERROR' } & Refusal)
  | ({ readonly name: 'SERVER_RETRY' } & Refusal)
  | { readonly name: 'TIMEOUT'; readonly phase: SmtpError['phase']; readonly error: SmtpError }
  | {
      readonly name: 'DISCONNECTED';
      readonly reason?: SmtpError | undefined;
      readonly messages: readonly UnfinishedMessage[];
    }
  | { readonly name: 'COMMAND'; readonly line: string; readonly message?: Message | undefined }
  | { readonly name: 'REPLY'; readonly reply: Reply; readonly command?: string | undefined }
  | {
      readonly name: 'STATE';
      readonly chart: 'connection' | 'mail';
      readonly message?: Message | undefined;
      readonly from: string;
      readonly to: string;
      readonly word: string;
    };

export type SmtpEventName = SmtpEvent['name'];

/** The listeners of each event; `'event'` hears all but the tracing events COMMAND, REPLY and STATE. */
export type SmtpListeners = {
  [name in SmtpEventName]: (event: Extract<SmtpEvent, { name: name }>) => void;
} & { event: (event: SmtpEvent) => void };

export const tracingEvents = ['COMMAND', 'REPLY', 'STATE'] as const;

/** Which of the tracing events somebody listens to; the others are not made. */
export type Tracing = Record<(typeof tracingEvents)[number], boolean>;
