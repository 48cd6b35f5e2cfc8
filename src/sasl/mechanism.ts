/**
 * What a SASL mechanism is (RFC 4422): challenge in, response out, no clock, no socket, no SMTP.
 * Randomness and the facts of the channel are given. Errors name what is wrong and never quote a secret.
 */
import type { ChannelBinding } from '../transport/transport.ts';

export interface Mechanism {
  readonly name: string;
  /** The initial response, or undefined where the server speaks first. Called once, before anything else. */
  start(): Uint8Array | undefined;
  /**
   * Throws {@link SaslError} on a challenge that is not understood or not to be trusted, and on one more than there are
   * (S5): cancel with `*`.
   */
  respond(challenge: Uint8Array): Uint8Array;
  /** Called on 235. Throws {@link SaslError} where the server has not proved that it knows the password. */
  finish(): void;
}

/** What a mechanism may know beside the credentials. */
export interface MechanismContext {
  /** So many octets from a secure source. */
  random(bytes: number): Uint8Array;
  /** As the user named the server. */
  readonly host: string;
  readonly port: number;
  /** What ties a login to this TLS channel, where there is one. */
  readonly binding?: ChannelBinding | undefined;
  /** Did the server offer a `-PLUS` mechanism? Then SCRAM without it must not claim otherwise. @default false */
  readonly plusOffered?: boolean | undefined;
  /** The most rounds of SCRAM that a server may ask for: they block the pump. @default 1000000 */
  readonly maxIterations?: number | undefined;
}

/** The exchange must not go on. */
export class SaslError extends Error {
  override readonly name = 'SaslError';
}

const encoder = new TextEncoder();

/** UTF-8. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}
