/**
 * The steps, truly synchronous, published as `smtpump/blocking`. Exports, nothing else.
 */
export type { AuthOptions } from '../sasl/credentials.ts';
export type { WaitingTransport } from '../transport/transport.ts';
export { BlockingClient, type Connected, connect, type Delivered } from './client.ts';
export type { Refused } from './conversation.ts';
export type { BlockingOptions } from './options.ts';
export { type Pump, turnUntil } from './turn.ts';
