/** Many messages in flight: CHUNKING and PIPELINING in groups, refusals in their midst, servers that dislike it. */
import { SmtpClient, type SmtpEvent } from 'smtpump';
import { memory, runUntil, ScriptedServer, VirtualClock } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';

const rttMs = 20;
type ServerOptions = NonNullable<ConstructorParameters<typeof ScriptedServer>[0]>;
type ClientOptions = ConstructorParameters<typeof SmtpClient>[0];

interface Flight {
  readonly client: SmtpClient;
  readonly clock: VirtualClock;
  readonly server: ScriptedServer;
  readonly events: SmtpEvent[];
  /** How each message ended, by its id. */
  readonly outcomes: Map<number, string>;
  /** Round trips from CONNECTED to the last outcome. */
  trips(): number;
}

const chunking = ['PIPELINING', 'CHUNKING', '8BITMIME'];
const groups = ['PIPELINING', '8BITMIME'];

/** Sends `count` messages, all steps called ahead, and ends when each has its outcome. */
function fly(count: number, server: ServerOptions, client: ClientOptions = {}): Flight {
  const clock = new VirtualClock();
  const script = new ScriptedServer(server);
  const transport = memory(script, { clock, latencyMs: rttMs / 2 });
  const flying = new SmtpClient({ transport, clock, pump: 'manual', localName: 'c.example', ...client });
  const events: SmtpEvent[] = [];
  const outcomes = new Map<number, string>();
  let connectedAt = 0;
  let overAt = 0;
  const over = (id: number, how: string): void => {
    if (outcomes.has(id)) throw new Error(`message ${id} ended twice: ${outcomes.get(id)}, ${how}`);
    outcomes.set(id, how);
    overAt = clock.now();
  };
  let down = false;
  flying.on('event', (event) => {
    events.push(event);
    if (event.name === 'CONNECTED') connectedAt = clock.now();
    if (event.name === 'EOM_ACK') over(event.message.id, 'delivered');
    if (event.name === 'SERVER_ERROR' || event.name === 'SERVER_RETRY') {
      const ends = event.step !== 'sendRecipient' && event.message !== undefined;
      if (ends && event.message) over(event.message.id, `${event.step} refused`);
    }
    if (event.name === 'DISCONNECTED') {
      for (const { message, outcome } of event.messages) over(message.id, outcome);
      down = true;
    }
  });
  flying.connect();
  for (let n = 1; n <= count; n++) send(flying, n);
  runUntil(flying, clock, () => outcomes.size === count || down);
  return {
    client: flying,
    clock,
    server: script,
    events,
    outcomes,
    trips: () => (overAt - connectedAt) / rttMs,
  };
}

function send(client: SmtpClient, n: number): void {
  client.sendSender(`from${n}@a.example`);
  client.sendRecipient(`to${n}@b.example`);
  client.sendBom({ raw: true });
  client.sendBody(`Subject: ${n}\r\n\r\n.text ${n}\n`);
  client.sendEom();
}

const textOf = (n: number): string => `Subject: ${n}\r\n\r\n.text ${n}\r\n`;
const stored = (server: ScriptedServer): string[] =>
  server.messages.map(({ data }) => Buffer.from(data).toString());
const all = (count: number): string[] => Array.from({ length: count }, (_, n) => textOf(n + 1));

describe('round trips', () => {
  it('LE019 LE026 LE027 S10: 100 messages, by what is offered and how many are in flight', () => {
    const trips = (extensions: string[], client: ClientOptions = {}): number => {
      const flight = fly(100, { extensions }, client);
      expect(stored(flight.server)).toEqual(all(100));
      expect(flight.server.violations).toEqual([]);
      expect([...flight.outcomes.values()].every((how) => how === 'delivered')).toBe(true);
      return flight.trips();
    };
    expect({
      'CHUNKING, 64 in flight': trips(chunking, { messagesInFlight: 64 }),
      'CHUNKING, 16 in flight (default)': trips(chunking),
      'CHUNKING, 1 in flight': trips(chunking, { messagesInFlight: 1 }),
      PIPELINING: trips(groups),
      'CHUNKING switched off': trips(chunking, { chunking: false }),
      'CHUNKING without PIPELINING': trips(['CHUNKING', '8BITMIME']),
      neither: trips(['8BITMIME']),
    }).toEqual({
      'CHUNKING, 64 in flight': 2,
      'CHUNKING, 16 in flight (default)': 7,
      'CHUNKING, 1 in flight': 100,
      PIPELINING: 101,
      'CHUNKING switched off': 101,
      'CHUNKING without PIPELINING': 300,
      neither: 400,
    });
  });
});

describe('a refusal in the midst of a flight', () => {
  const cases: Record<string, ServerOptions['reply']> = {
    MAIL: (command) =>
      command.verb === 'MAIL' && /from5@/.test(command.argument) ? '550 5.1.8 no' : undefined,
    RCPT: (command) =>
      command.verb === 'RCPT' && /to5@/.test(command.argument) ? '450 4.1.1 no' : undefined,
  };
  it.each(['MAIL', 'RCPT'])('LE025 LE029 S13: %s of one message leaves the others whole', (verb) => {
    for (const extensions of [chunking, groups]) {
      const flight = fly(10, { extensions, reply: cases[verb] });
      expect(flight.outcomes.get(5)).toMatch(/refused/);
      expect([...flight.outcomes.values()].filter((how) => how === 'delivered')).toHaveLength(9);
      expect(stored(flight.server)).toEqual(all(10).filter((_, at) => at !== 4));
    }
  });
});

describe('a server that cannot take so much at once', () => {
  it('S20: MAIL refused as out of sequence goes again by itself; nothing is lost or doubled', () => {
    for (const extensions of [chunking, groups]) {
      for (const code of ['503 5.5.1 not now', '554 5.5.1 synchronization error']) {
        let mails = 0;
        const reply: ServerOptions['reply'] = (command) =>
          command.verb === 'MAIL' && ++mails === 3 ? code : undefined;
        const flight = fly(10, { extensions, reply });
        expect([...flight.outcomes.values()].filter((how) => how === 'delivered')).toHaveLength(10);
        expect(stored(flight.server).sort()).toEqual(all(10).sort());
        expect(flight.server.violations).toEqual([]);
      }
    }
  });

  it('S20 LE056: a line dropped in the midst gives every message one outcome; the next connection goes slower', () => {
    let mails = 0;
    const reply: ServerOptions['reply'] = (command) =>
      command.verb === 'MAIL' && ++mails === 4 ? { drop: true } : undefined;
    const flight = fly(20, { extensions: chunking, reply });
    expect(flight.outcomes.size).toBe(20);
    expect(new Set(flight.outcomes.values())).toEqual(new Set(['delivered', 'unknown', 'unsent']));
    const before = flight.server.messages.length;
    flight.client.connect();
    for (let n = 21; n <= 30; n++) send(flight.client, n);
    runUntil(flight.client, flight.clock, () => flight.outcomes.size === 30);
    expect(flight.server.messages.length - before).toBe(10);
    // one message at a time: no RSET is needed between
    expect(flight.server.commands.slice(-8)).not.toContain('RSET');
  });
});
