/**
 * The words between a scripted server, its sessions and their dialogues: an answer that is due, what follows from it,
 * who is told. Types, nothing else.
 */
import type { ServerCommand, ServerMessage } from './script.ts';
import type { ServerSession } from './session.ts';

/** What follows from an answer, by the code that was really sent. */
type Deed =
  | 'hello'
  | 'mail'
  | 'rcpt'
  | 'data'
  | 'chunk'
  | 'verdict'
  | 'forget'
  | 'starttls'
  | 'quit'
  | 'login'
  | 'cancelLogin';

/** One answer that is due. */
export interface Step {
  readonly command: ServerCommand;
  readonly reply: string | readonly string[];
  readonly deed?: Deed | undefined;
}

/** What the dialogue may do to its connection. */
export interface Host {
  startTls(): void;
  end(): void;
  /** @param again for one recipient more */
  deliver(message: ServerMessage, again: boolean): void;
}

/** What the next bytes are. */
export type Reading = 'line' | 'content' | { readonly chunk: number; readonly command: ServerCommand };

/** What a session tells its server. */
export interface Recorder {
  arrived(bytes: Uint8Array): void;
  heard(line: string): void;
  /** A line of the dialogue, `S: …` or `C: …`. */
  said(line: string): void;
  violated(text: string): void;
  delivered(message: ServerMessage, again: boolean): void;
  /** The line is closed. */
  left(session: ServerSession): void;
}
