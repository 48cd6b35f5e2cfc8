/**
 * Deeds on the line: opens, secures and closes the transport, and sets the limits that belong to it. A transport that
 * throws has lost its line. It decides nothing.
 */
import { asError } from '../errors.ts';
import type { Transport, TransportEvent } from '../transport/transport.ts';
import type { Deadlines } from './deadlines.ts';
import type { LineDeed } from './outbox.ts';
import type { ConnectionSettings } from './settings.ts';

/** What deeds share with their connection. */
export interface LineOwner {
  readonly now: number;
  readonly settings: ConnectionSettings;
  readonly deadlines: Deadlines;
  /** The line is given up. */
  readonly leaving: boolean;
  readonly halfReply: boolean;
  handleEvent(event: TransportEvent): void;
  /** Something came in clear where TLS was to begin. */
  refuseClear(): void;
  lineClosed(): void;
}

export function perform(deed: LineDeed, transport: Transport, owner: LineOwner): void {
  const { deadlines, now } = owner;
  const { timeouts } = owner.settings;
  switch (deed.deed) {
    case 'open':
      deadlines.set('open', now + timeouts.connectMs);
      deadlines.set('total', now + timeouts.totalMs);
      return guarded(owner, 'open', () => transport.open(deed.target));
    case 'secure':
      if (!nothingInClear(transport, owner)) return;
      deadlines.set('secure', now + timeouts.secureMs);
      return guarded(owner, 'secure', () => transport.secure(deed.options));
    case 'close':
      guarded(owner, 'line', () => transport.close(deed.graceful));
      return owner.lineClosed();
    default:
      deed satisfies never;
  }
}

/** What came in clear belongs to nobody (CVE-2011-0411); what else has happened is taken. */
function nothingInClear(transport: Transport, owner: LineOwner): boolean {
  if (owner.halfReply) {
    owner.refuseClear();
    return false;
  }
  const poll = (): TransportEvent | undefined => guarded(owner, 'secure', () => transport.poll());
  for (let event = poll(); event !== undefined; event = poll()) {
    if (event.type === 'bytes') owner.refuseClear();
    else owner.handleEvent(event);
    if (owner.leaving) return false;
  }
  return !owner.leaving;
}

/** Calls the transport; an error that it throws is a line that is lost. */
export function guarded<T>(
  owner: Pick<LineOwner, 'handleEvent'>,
  during: 'open' | 'secure' | 'line',
  call: () => T,
): T | undefined {
  try {
    return call();
  } catch (error) {
    owner.handleEvent({ type: 'lost', during, error: asError(error) });
    return undefined;
  }
}
