/**
 * What leaves the core: bytes and deeds for the transport, events for the caller. They wait here until the pump
 * carries them out, in order. It must not know what they mean.
 */
import { asError } from '../errors.ts';
import type { Target, TlsOptions, Transport } from '../transport/transport.ts';
import type { SmtpEvent, Tracing } from './events.ts';
import { Queue } from './queue.ts';
import { loadEvent, type People, saveEvent } from './saved-events.ts';
import type { ConnectionSettings } from './settings.ts';

/** Pieces below this many octets are copied together; larger ones leave as they are. */
const mergeBelow = 2048;
/** Merged pieces leave at the latest when they have this many octets. */
const mergeBytes = 64 * 1024;

/** The most that leaves in one turn of the pump, so that a turn is bounded, in octets. */
const rationBytes = 256 * 1024;

export type LineDeed =
  | { readonly deed: 'open'; readonly target: Target }
  | { readonly deed: 'secure'; readonly options: TlsOptions }
  | { readonly deed: 'close'; readonly graceful: boolean };

export class Outbox {
  readonly tracing: Tracing = { COMMAND: false, REPLY: false, STATE: false };
  /** Octets that may still leave in this turn. */
  #ration = rationBytes;
  /** The line took less than it was given: nothing more until it drains. */
  full = false;
  /** What the transport threw in place of taking the bytes: the line is lost. */
  failure: Error | undefined;
  #deeds: LineDeed[] = [];
  readonly #events = new Queue<SmtpEvent>();
  #pieces: (Uint8Array | string)[] = [];
  /** Command lines behind the pieces. */
  #text = '';
  /** Octets of the pieces and the text. */
  #kept = 0;

  /** Nothing more may be written before the next turn, or before the line drains. */
  get blocked(): boolean {
    return this.full || this.#ration <= 0;
  }

  /** This turn's ration is used up, and the line would take more. */
  get rationed(): boolean {
    return !this.full && this.#ration <= 0;
  }

  refill(): void {
    this.#ration = rationBytes;
  }

  /** Something waits here that the pump can carry out at once. */
  get busy(): boolean {
    return this.#deeds.length > 0 || this.hasEvents || this.rationed;
  }

  get hasEvents(): boolean {
    return this.#events.length > 0;
  }

  do(deed: LineDeed): void {
    this.#deeds.push(deed);
  }

  nextDeed(): LineDeed | undefined {
    return this.#deeds.length === 0 ? undefined : this.#deeds.shift();
  }

  tell(event: SmtpEvent): void {
    this.#events.push(event);
  }

  nextEvent(): SmtpEvent | undefined {
    return this.#events.shift();
  }

  /** Checked lines for the wire, and how many octets they are; many are encoded together. */
  writeText(text: string, octets: number, transport: Transport): void {
    this.#ration -= octets;
    this.#text += text;
    this.#kept += octets;
    if (this.#kept >= mergeBytes) this.flush(transport);
  }

  /** Bytes or ASCII for the wire; small pieces wait for {@link flush} to leave as one write. */
  write(bytes: Uint8Array | string, transport: Transport): void {
    if (typeof bytes === 'string') return this.writeText(bytes, bytes.length, transport);
    this.#ration -= bytes.length;
    if (bytes.length >= mergeBelow) {
      this.flush(transport);
      this.#send(bytes, transport);
    } else if (bytes.length > 0) {
      this.#endText();
      this.#pieces.push(bytes);
      this.#kept += bytes.length;
      if (this.#kept >= mergeBytes) this.flush(transport);
    }
  }

  flush(transport: Transport): void {
    if (this.#kept === 0) return;
    this.#endText();
    const merged = merge(this.#pieces, this.#kept);
    this.#pieces = [];
    this.#kept = 0;
    this.#send(merged, transport);
  }

  /** Between turns no octets wait here: they are the transport's. */
  save() {
    const events = [...this.#events];
    const deeds = this.#deeds.map(({ deed, ...more }) => ({
      deed,
      graceful: 'graceful' in more && more.graceful,
    }));
    return { full: this.full, ration: this.#ration, deeds, events: events.map(saveEvent) };
  }

  load(
    { full, ration, deeds, events }: ReturnType<Outbox['save']>,
    { target, tlsOptions }: Pick<ConnectionSettings, 'target' | 'tlsOptions'>,
    people: People,
  ): void {
    this.full = full;
    this.#ration = ration;
    for (const { deed, graceful } of deeds) {
      if (deed === 'open') this.do({ deed, target });
      else this.do(deed === 'secure' ? { deed, options: tlsOptions } : { deed, graceful });
    }
    for (const event of events) this.tell(loadEvent(event, people));
  }

  /** The line is gone: what was to go over it goes nowhere. Events stay. */
  discard(): void {
    this.#deeds = [];
    this.#text = '';
    this.#pieces = [];
    this.#kept = 0;
    this.full = false;
    this.failure = undefined;
  }

  #endText(): void {
    if (this.#text === '') return;
    this.#pieces.push(this.#text);
    this.#text = '';
  }

  /** What costs the pump work without writing an octet counts as so many, so that a turn stays bounded. */
  spend(octets: number): void {
    this.#ration -= octets;
  }

  #send(bytes: Uint8Array, transport: Transport): void {
    if (this.failure !== undefined) return;
    try {
      if (!transport.write(bytes)) this.full = true;
    } catch (error) {
      this.failure = asError(error);
      this.full = true;
    }
  }
}

/** One buffer of so many octets, each text and each piece copied into it once. */
function merge(pieces: readonly (Uint8Array | string)[], octets: number): Uint8Array {
  const [only] = pieces;
  if (pieces.length === 1 && typeof only === 'object') return only;
  const merged = Buffer.allocUnsafe(octets);
  let at = 0;
  for (const piece of pieces) {
    if (typeof piece === 'string') {
      at += merged.write(piece, at, 'utf8');
    } else {
      merged.set(piece, at);
      at += piece.length;
    }
  }
  return merged;
}
