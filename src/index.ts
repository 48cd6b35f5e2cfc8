/** What `smtpump` publishes. Exports, nothing else. */

export type { Step, TlsPolicy } from '../machines/vocabulary.ts';
export type { BomOptions } from './client/begin.ts';
export { SmtpClient } from './client/client.ts';
export type { RecipientOptions, SenderOptions } from './client/envelope.ts';
export type { SmtpState } from './client/state.ts';
export { type Clock, systemClock } from './clock.ts';
export type {
  Message,
  Recipient,
  SmtpEvent,
  SmtpEventName,
  SmtpListeners,
  UnfinishedMessage,
} from './core/events.ts';
export type { Timeouts } from './core/settings.ts';
export {
  describeCode,
  type ErrorCode,
  type FailureCode,
  type Phase,
  printable,
  SmtpError,
  SmtpUsageError,
  type UsageCode,
} from './errors.ts';
export type { Json } from './json.ts';
export type { HeaderFields, Mailbox } from './message/header.ts';
export type { SmtpClientOptions, TargetOptions } from './options.ts';
export type { AuthOptions } from './sasl/credentials.ts';
export { Secret } from './sasl/secret.ts';
export { tcp } from './transport/tcp.ts';
export type { TcpOptions } from './transport/tcp-options.ts';
export { TlsMemory } from './transport/tls-memory.ts';
export type {
  Target,
  TlsInfo,
  TlsOptions,
  Transport,
  TransportEvent,
  WaitingTransport,
} from './transport/transport.ts';
export { type WorkerOptions, worker } from './transport/worker.ts';
export type { Capabilities, ServerLimits } from './wire/capabilities.ts';
export type { NotifyCondition } from './wire/parameters.ts';
export type { Reply } from './wire/reply.ts';
