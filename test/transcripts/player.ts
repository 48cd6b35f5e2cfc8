/**
 * Reads the dialogues of this folder and plays them: the caller's steps on a real client, the wire on the strict
 * {@link TranscriptServer}. A dialogue is a Markdown file with three fenced blocks:
 *
 *   steps    `client {options}`, `nonce base64`, then one step a line with its arguments as JSON, or `await EVENT`
 *   wire     see TranscriptServer
 *   events   what the caller is told, one line an event, see {@link told}
 */
import type { SmtpClientOptions, SmtpEvent } from 'smtpump';
import {
  type LineFault,
  type LineShape,
  runUntil,
  SimNetwork,
  type TranscriptOptions,
  TranscriptServer,
  VirtualClock,
} from 'smtpump/testing';
import { WatchedClient } from '../faults/watched.ts';

export interface Dialogue {
  readonly title: string;
  readonly steps: readonly string[];
  readonly wire: string;
  readonly events: readonly string[];
}

export function readDialogue(text: string): Dialogue {
  const block = (name: string): string => {
    const found = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].filter(([, kind]) => kind === name);
    if (found.length !== 1) throw new Error(`${found.length} blocks of ${name}`);
    return found[0]?.[2] ?? '';
  };
  const lines = (name: string): string[] =>
    block(name)
      .split('\n')
      .filter((line) => line.trim() !== '');
  const title = /^# (.+)$/m.exec(text)?.[1] ?? '';
  return { title, steps: lines('steps'), wire: block('wire'), events: lines('events') };
}

export interface Played {
  readonly client: WatchedClient;
  readonly server: TranscriptServer;
  /** What the caller was told, in the words of the dialogue. */
  readonly told: readonly string[];
  /** What a step or a listener threw. */
  readonly thrown: readonly unknown[];
}

export interface Circumstances extends TranscriptOptions {
  readonly shape?: LineShape;
  /** Of the n-th connection, from 1. */
  readonly fault?: (connection: number) => LineFault | undefined;
}

export function play(dialogue: Dialogue, circumstances: Circumstances = {}): Played {
  const { shape, fault, ...options } = circumstances;
  const clock = new VirtualClock();
  const server = new TranscriptServer(dialogue.wire, options);
  const net = new SimNetwork({ clock, seed: 7, ...shape }).listen('*', server, { fault });
  const [head, nonce, steps] = readSteps(dialogue.steps);
  const client = new WatchedClient({
    ...head,
    ...(nonce && { random: () => nonce }),
    pump: 'manual',
    transport: net.transport(),
    clock,
  });
  const thrown: unknown[] = [];
  const told: string[] = [];
  const program = run(client, steps);
  client.drive = (event) => {
    told.push(tell(event));
    program(event);
  };
  program(undefined);
  const done = (): boolean => client.state === 'disconnected' && client.execute() === 'idle';
  const crank = {
    readTimer: () => client.readTimer(),
    execute() {
      try {
        return client.execute();
      } catch (error) {
        thrown.push(error);
        return 'more';
      }
    },
  };
  runUntil(crank, clock, done, 100_000);
  // the last octets and the end of the line are still on their way to the server
  clock.advance(1000);
  return { client, server, told, thrown };
}

type Step = readonly [name: string, args: readonly unknown[]];

function readSteps(lines: readonly string[]): [SmtpClientOptions, Uint8Array | undefined, readonly Step[]] {
  let options: SmtpClientOptions = {};
  let nonce: Uint8Array | undefined;
  const steps: Step[] = [];
  for (const line of lines) {
    const [, name = '', rest = ''] = /^(\w+) ?(.*)$/.exec(line) ?? [];
    // the files of this folder are written for the types; the client checks them again
    if (name === 'client') options = JSON.parse(rest) as SmtpClientOptions;
    else if (name === 'nonce') nonce = Buffer.from(rest, 'base64');
    else if (name === 'await') steps.push([name, [rest]]);
    else steps.push([name, rest === '' ? [] : [JSON.parse(rest)]]);
  }
  return [options, nonce, steps];
}

/** Runs the steps as far as they need no event, and on with each event. A connection that breaks ends them. */
function run(client: WatchedClient, steps: readonly Step[]): (event: SmtpEvent | undefined) => void {
  const events: string[] = [];
  let next = 0;
  return (event) => {
    if (event !== undefined) events.push(event.name);
    for (;;) {
      const step = steps[next];
      if (step === undefined) return;
      const [name, [argument]] = step;
      if (name !== 'await') {
        // what is heard of a line that was lost in the meantime is answered by nobody
        if (name !== 'connect' && closing.has(client.state)) next = steps.length;
        else call(client, name, argument);
      } else {
        const at = events.indexOf(String(argument));
        if (at < 0) {
          if (events.includes('DISCONNECTED')) next = steps.length;
          return;
        }
        events.splice(0, at + 1);
      }
      next++;
    }
  };
}

const closing = new Set(['closing', 'disconnected']);
const noArguments = new Set(['sendEom', 'reset', 'noop', 'disconnect', 'abort']);

function call(client: WatchedClient, name: string, argument: unknown): void {
  const calls: Readonly<Record<string, (it: never) => unknown>> = {
    connect: (it) => client.connect(it),
    sendSender: (it) => client.sendSender(it),
    sendRecipient: (it) => client.sendRecipient(it),
    sendBom: (it) => client.sendBom(it),
    sendBody: (it) => client.sendBody(it),
    sendEom: () => client.sendEom(),
    reset: () => client.reset(),
    noop: () => client.noop(),
    disconnect: () => client.disconnect(),
    abort: () => client.abort(),
  };
  const step = calls[name];
  if (step === undefined || (noArguments.has(name) && argument !== undefined))
    throw new Error(`no such step: ${name} ${JSON.stringify(argument)}`);
  step(argument as never);
}

/** An event in the words of the dialogues. */
function tell(event: SmtpEvent): string {
  switch (event.name) {
    case 'CONNECTED':
      return `CONNECTED ${event.secure ? 'under TLS' : 'in clear'}`;
    case 'AUTH_OK':
      return `AUTH_OK ${event.mechanism}`;
    case 'AUTH_FAIL':
      return `AUTH_FAIL ${event.reply?.code ?? event.error.code}`;
    case 'SENDER_ACK':
    case 'BOM_ACK':
      return `${event.name} ${event.message.id}`;
    case 'RECIPIENT_ACK':
      return `RECIPIENT_ACK ${event.message.id} ${event.recipient.address}`;
    case 'EOM_ACK': {
      const list = (all: readonly { address: string }[]): string => all.map((one) => one.address).join(', ');
      const rejected = event.rejected.length === 0 ? '' : `; rejected ${list(event.rejected)}`;
      return `EOM_ACK ${event.message.id} accepted ${list(event.accepted)}${rejected}`;
    }
    case 'SERVER_ERROR':
    case 'SERVER_RETRY': {
      const { step, message, recipient, reply } = event;
      return [event.name, step, message?.id, recipient?.address, reply?.code].filter(Boolean).join(' ');
    }
    case 'DISCONNECTED': {
      const ends = event.messages.map(({ message, outcome }) => `${message.id} ${outcome}`);
      return ['DISCONNECTED', event.reason?.code, ...ends].filter(Boolean).join(' ');
    }
    default:
      return event.name;
  }
}
