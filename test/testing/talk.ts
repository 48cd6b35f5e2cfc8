/** A client as simple as can be, for tests of transports and servers: says bytes, hears what came. */
import type { Target, Transport, TransportEvent } from '../../src/transport/transport.ts';

export const target: Target = { host: 'mx.example.test', port: 25 };

/** Everything that poll() has now. */
export function drain(transport: Transport): TransportEvent[] {
  const events: TransportEvent[] = [];
  for (let event = transport.poll(); event !== undefined; event = transport.poll()) events.push(event);
  return events;
}

export function say(transport: Transport, text: string): boolean {
  return transport.write(new TextEncoder().encode(text));
}

/** The text that has come, and `<type>` for other events. */
export function hear(transport: Transport): string {
  const words = drain(transport).map((event) =>
    event.type === 'bytes' ? Buffer.from(event.bytes).toString() : `<${event.type}>`,
  );
  return words.join('');
}

/** Says a line and hears the answer. */
export function ask(transport: Transport, line: string): string {
  say(transport, `${line}\r\n`);
  return hear(transport);
}

export function codeOf(event: TransportEvent | undefined): string | undefined {
  if (event?.type !== 'lost' || event.error === undefined) return undefined;
  return 'code' in event.error ? String(event.error.code) : event.error.message;
}
