/** A session of the Treck names over a simulated line, with its events kept by name. It checks nothing itself. */
import type { WorkerOptions } from 'smtpump';
import { memory, type ReplyPlan, ScriptedServer, type ServerOptions, VirtualClock } from 'smtpump/testing';
import * as tm from 'smtpump/treck';

const eventNames = new Map(
  Object.entries(tm)
    .filter(([name]) => name.startsWith('TM_SMTP_EVENT_'))
    .map(([name, number]) => [number, name.slice('TM_SMTP_EVENT_'.length)]),
);
const codeNames = new Map(
  Object.entries(tm)
    .filter(([name]) => /^TM_E/.test(name))
    .map(([name, number]) => [number, name]),
);

/** `TM_EPERM` */
export const codeName = (code: number): string => codeNames.get(code) ?? `code ${code}`;
/** `SENDER_ACK` */
export const eventName = (event: number): string => eventNames.get(event) ?? `event ${event}`;

export const address = { address: '192.0.2.1', port: 587 };
export const silent: ReplyPlan = { stall: true };

export interface RigSetup {
  readonly server?: ServerOptions;
  readonly blocking?: boolean;
  /** @default 60 */
  readonly seconds?: number;
  readonly name?: string | null;
  readonly options?: tm.SessionOptions;
  readonly latencyMs?: number;
  /** Answers events, after they were kept. */
  readonly callback?: tm.EventCallback;
}

export interface Rig {
  readonly handle: tm.ttSmtpClientHandle;
  readonly server: ScriptedServer;
  readonly clock: VirtualClock;
  /** Event names, in order. */
  readonly told: string[];
  /** The socket options of each transport that was made. */
  readonly sockets: WorkerOptions[];
  /** Turns the crank and the clock until Execute has a result. */
  run(): string;
  /** Does it, and runs to the result. */
  does(call: (handle: tm.ttSmtpClientHandle) => number): string;
}

export function rig(setup: RigSetup = {}): Rig {
  const { server: script, blocking = false, seconds = 60, name = 'client.example.test' } = setup;
  const clock = new VirtualClock();
  const server = new ScriptedServer(script);
  const told: string[] = [];
  const sockets: WorkerOptions[] = [];
  const transport = (socketOptions: WorkerOptions) => {
    sockets.push(socketOptions);
    return memory(server, { clock, latencyMs: setup.latencyMs ?? 10 });
  };
  const callback: tm.EventCallback = (handle, event) => {
    told.push(eventName(event));
    setup.callback?.(handle, event);
  };
  const error: tm.Box<number> = { value: -1 };
  const mode = blocking ? tm.TM_BLOCKING_ON : tm.TM_BLOCKING_OFF;
  const options = { transport, clock, ...setup.options };
  const handle = tm.tfSmtpUserNewSession(name, callback, seconds, mode, error, options);
  if (handle === null) throw new Error(`no session: ${codeName(error.value)}`);
  const run = (): string => {
    for (let n = 0; n < 100_000; n++) {
      const code = tm.tfSmtpUserExecute(handle);
      if (code !== tm.TM_EINPROGRESS) return codeName(code);
      const left = tm.tfSmtpUserReadTimer(handle);
      const at = Math.min(clock.next, left < 0 ? Number.POSITIVE_INFINITY : clock.now() + left);
      if (at !== Number.POSITIVE_INFINITY) clock.advanceTo(at);
    }
    throw new Error('it never has a result');
  };
  const does = (call: (handle: tm.ttSmtpClientHandle) => number): string => {
    const code = call(handle);
    return code === tm.TM_EINPROGRESS ? run() : codeName(code);
  };
  return { handle, server, clock, told, sockets, run, does };
}

/** A session that is connected, with no events kept. */
export function online(setup: RigSetup = {}): Rig {
  const made = rig(setup);
  const code = made.does((h) => tm.tfSmtpUserConnect(h, address, null, null));
  if (code !== 'TM_ENOERROR') throw new Error(`not connected: ${code}`);
  made.told.length = 0;
  return made;
}

/** The steps of a message up to one of them. */
export function mail(
  { does, handle }: Rig,
  upTo: 'sender' | 'recipient' | 'bom' | 'body' | 'eom' = 'eom',
): string[] {
  const steps: readonly (readonly [typeof upTo, () => string])[] = [
    ['sender', () => does((h) => tm.tfSmtpUserSendSenderInfo(h, 'Ann', 'ann@example.test', null, null))],
    [
      'recipient',
      () =>
        does((h) =>
          tm.tfSmtpUserSendRecipientInfo(h, 'Bob', 'bob@example.test', tm.TM_SMTP_RECIPIENT_TYPE_TO),
        ),
    ],
    ['bom', () => does((h) => tm.tfSmtpUserSendBom(h, 'Subject', 'Sun, 22 Nov 2026 05:15:00 +0000', 0))],
    ['body', () => sendAll(handle, Buffer.from('hello\r\n'))],
    ['eom', () => does((h) => tm.tfSmtpUserSendEom(h))],
  ];
  const results: string[] = [];
  for (const [name, step] of steps) {
    results.push(step());
    if (name === upTo) break;
  }
  return results;
}

/** A whole body, as a program should send it. */
export function sendAll(handle: tm.ttSmtpClientHandle, body: Uint8Array): string {
  const error: tm.Box<number> = { value: tm.TM_ENOERROR };
  for (let at = 0; at < body.length; ) {
    const taken = tm.tfSmtpUserSendBody(handle, body.subarray(at), body.length - at, error);
    if (error.value !== tm.TM_ENOERROR && error.value !== tm.TM_EINPROGRESS) break;
    at += taken;
    while (error.value === tm.TM_EINPROGRESS) error.value = tm.tfSmtpUserExecute(handle);
  }
  return codeName(error.value);
}
