/**
 * The testing kit, published as `smtpump/testing`: a virtual clock, a simulated network, servers to talk to and
 * wrappers that trace and break. Exports, nothing else.
 */
export type { Clock } from '../clock.ts';
export type { Call, Exchange, Handshake, LineFault, SimLine, SimServer } from '../transport/exchange.ts';
export { type FaultOptions, type FaultPoint, withFaults } from '../transport/faults.ts';
export { LineError } from '../transport/line-error.ts';
export { type MemoryTransport, memory } from '../transport/memory.ts';
export type { MemoryOptions } from '../transport/own-exchange.ts';
export type { LineShape } from '../transport/pipe.ts';
export { Random } from '../transport/random.ts';
export { type Trace, trace } from '../transport/trace.ts';
export type {
  ChannelBinding,
  Target,
  TlsInfo,
  TlsOptions,
  Transport,
  TransportEvent,
} from '../transport/transport.ts';
export { VirtualClock } from './clock.ts';
export { type ListenOptions, SimNetwork, type SimNetworkOptions } from './network.ts';
export { type Recording, type RecordingParts, type RecordOptions, record } from './record.ts';
export type { Recordable } from './recording.ts';
export { ReplayError, type Replayed, replay } from './replay.ts';
export { type Crank, runUntil } from './run.ts';
export type { ServerAuth } from './sasl-server.ts';
export type {
  ReplyPlan,
  ScriptedReply,
  ServerCommand,
  ServerMessage,
  ServerOptions,
  ServerRecipient,
} from './script.ts';
export { ScriptedServer } from './scripted-server.ts';
export type { ServerSession } from './session.ts';
export { type Mismatch, type TranscriptOptions, TranscriptServer, transcript } from './transcript.ts';
