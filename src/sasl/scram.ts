/**
 * SCRAM-SHA-1 and SCRAM-SHA-256, each with and without channel binding (RFC 5802, RFC 7677, RFC 5929, RFC 9266).
 * The password never leaves, and the server must prove that it knows it too. PBKDF2 runs synchronously, so the
 * number of rounds is capped. It must not know where the binding comes from.
 */
import { createHash, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import { gs2Header, saslname } from './gs2.ts';
import { type Mechanism, type MechanismContext, SaslError, utf8 } from './mechanism.ts';
import { prepare } from './prep.ts';
import { readServerFinal, readServerFirst, type ServerFirst } from './scram-messages.ts';
import { Secret } from './secret.ts';

export type ScramName = 'SCRAM-SHA-1' | 'SCRAM-SHA-1-PLUS' | 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS';

export interface ScramLogin {
  readonly user: string;
  readonly password: Secret;
  readonly authzid?: string | undefined;
}

const defaultMaxIterations = 1_000_000;
/** Octets: 32 characters of base64, which has no comma. */
const nonceSize = 24;

type Step = 'new' | 'started' | 'proved' | 'verified' | 'failed';

export class Scram implements Mechanism {
  readonly name: ScramName;
  readonly #hash: 'sha1' | 'sha256';
  readonly #password: Secret;
  readonly #clientFirst: string;
  readonly #nonce: string;
  readonly #header: string;
  readonly #bindingData: Uint8Array;
  readonly #maxIterations: number;
  #signature: Uint8Array = new Uint8Array();
  #step: Step = 'new';

  constructor(name: ScramName, login: ScramLogin, context: MechanismContext) {
    const { binding } = context;
    const plus = name.endsWith('-PLUS');
    if (plus && binding === undefined) throw new SaslError(`${name}: this channel cannot be bound`);
    this.name = name;
    this.#hash = name.startsWith('SCRAM-SHA-256') ? 'sha256' : 'sha1';
    this.#password = new Secret(prepare(login.password.reveal(), 'password'));
    this.#nonce = Buffer.from(context.random(nonceSize)).toString('base64');
    this.#clientFirst = `n=${saslname(prepare(login.user, 'user'))},r=${this.#nonce}`;
    this.#header = gs2Header(bindingFlag(plus, context), login.authzid);
    this.#bindingData = plus && binding !== undefined ? binding.data : new Uint8Array();
    this.#maxIterations = context.maxIterations ?? defaultMaxIterations;
  }

  start(): Uint8Array {
    this.#step = 'started';
    return utf8(this.#header + this.#clientFirst);
  }

  respond(challenge: Uint8Array): Uint8Array {
    const step = this.#step;
    // Should anything below throw, no later challenge mends it.
    this.#step = 'failed';
    if (step === 'started') {
      const response = this.#prove(readServerFirst(challenge, this.#nonce, this.#maxIterations));
      this.#step = 'proved';
      return response;
    }
    if (step !== 'proved') throw new SaslError(`${this.name}: a challenge out of turn`);
    this.#verify(readServerFinal(challenge));
    this.#step = 'verified';
    return new Uint8Array();
  }

  finish(): void {
    if (this.#step === 'verified') return;
    throw new SaslError(`${this.name}: the server accepted without proof that it knows the password`);
  }

  /** The client's final message; keeps the signature that the server must show (RFC 5802 §3). */
  #prove(first: ServerFirst): Uint8Array {
    const size = this.#hash === 'sha256' ? 32 : 20;
    const { salt, iterations, nonce, text } = first;
    const salted = pbkdf2Sync(this.#password.reveal(), salt, iterations, size, this.#hash);
    const clientKey = this.#hmac(salted, 'Client Key');
    const storedKey = createHash(this.#hash).update(clientKey).digest();
    const binding = Buffer.concat([utf8(this.#header), this.#bindingData]).toString('base64');
    const withoutProof = `c=${binding},r=${nonce}`;
    const signed = `${this.#clientFirst},${text},${withoutProof}`;
    const clientSignature = this.#hmac(storedKey, signed);
    const proof = clientKey.map((octet, i) => octet ^ (clientSignature[i] ?? 0));
    this.#signature = this.#hmac(this.#hmac(salted, 'Server Key'), signed);
    return utf8(`${withoutProof},p=${Buffer.from(proof).toString('base64')}`);
  }

  #verify(signature: Uint8Array): void {
    const good = signature.length === this.#signature.length && timingSafeEqual(signature, this.#signature);
    if (!good) throw new SaslError(`${this.name}: the server does not know the password (wrong signature)`);
  }

  #hmac(key: Uint8Array, text: string): Uint8Array {
    return createHmac(this.#hash, key).update(text, 'utf8').digest();
  }
}

/** `y` tells the server that we could bind and saw no `-PLUS`: it refuses if somebody removed it (RFC 5802 §6). */
function bindingFlag(plus: boolean, { binding, plusOffered }: MechanismContext): string {
  if (binding === undefined) return 'n';
  if (plus) return `p=${binding.type}`;
  return plusOffered === true ? 'n' : 'y';
}
