/** A blocking client and a scripted server in virtual time, and what a call throws. */
import type { WaitingTransport } from 'smtpump';
import { BlockingClient, type BlockingOptions } from 'smtpump/blocking';
import {
  type LineShape,
  type MemoryTransport,
  ScriptedServer,
  type ServerOptions,
  SimNetwork,
  VirtualClock,
} from 'smtpump/testing';
import { SmtpError, SmtpUsageError } from '../../src/errors.ts';

export interface World {
  readonly client: BlockingClient;
  readonly server: ScriptedServer;
  readonly network: SimNetwork;
  readonly clock: VirtualClock;
  /** What the client asked of its transport. */
  readonly asked: { polls: number; waits: number };
  /** ms of virtual time since the beginning. */
  elapsed(): number;
}

export function world(
  server: ServerOptions = {},
  options: BlockingOptions = {},
  { copies = false, ...line }: LineShape & { readonly copies?: boolean } = {},
): World {
  const clock = new VirtualClock();
  const network = new SimNetwork({ clock, latencyMs: 10, ...line });
  const scripted = new ScriptedServer(server);
  network.listen('mx.example', scripted);
  const asked = { polls: 0, waits: 0 };
  const transport = copies
    ? copying(counted(network.transport(), asked))
    : counted(network.transport(), asked);
  const client = new BlockingClient({ host: 'mx.example', clock, transport, ...options });
  const began = clock.now();
  return { client, server: scripted, network, clock, asked, elapsed: () => clock.now() - began };
}

export function connectedWorld(...args: Parameters<typeof world>): World {
  const made = world(...args);
  made.client.connect();
  return made;
}

/** Answers by verb, in place of the server's own. */
export const replies = (script: Readonly<Record<string, string>>): ServerOptions => ({
  reply: ({ verb }) => script[verb],
});

export const ann = 'ann@receiver.example';
export const bob = 'bob@receiver.example';

/** A whole mail; what is thrown comes through. */
export function mail(client: BlockingClient, to: readonly string[] = [ann]) {
  client.sendSender('me@sender.example');
  for (const address of to) client.sendRecipient(address);
  client.sendBom({ subject: 'Hello' });
  client.sendBody('Hello.\r\n');
  return client.sendEom();
}

/** The failure of the world that the call throws. */
export function failure(call: () => unknown): SmtpError {
  const error = thrown(call);
  if (error instanceof SmtpError) return error;
  throw error;
}

/** The caller's own fault. */
export function misuse(call: () => unknown): SmtpUsageError {
  const error = thrown(call);
  if (error instanceof SmtpUsageError) return error;
  throw error;
}

function thrown(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return new Error('nothing was thrown');
}

function counted(transport: MemoryTransport, asked: { polls: number; waits: number }): MemoryTransport {
  const poll = transport.poll.bind(transport);
  const wait = transport.wait.bind(transport);
  transport.poll = () => {
    asked.polls++;
    return poll();
  };
  transport.wait = (timeoutMs) => {
    asked.waits++;
    return wait(timeoutMs);
  };
  return transport;
}

/** Keeps nothing of what it is given, and says so. */
function copying(transport: MemoryTransport): WaitingTransport {
  const write = transport.write.bind(transport);
  transport.write = (bytes) => write(new Uint8Array(bytes));
  return Object.assign(transport, { copies: true });
}
