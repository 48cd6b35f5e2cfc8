/** Options of transports and of the testing kit: what is wrong is EINVAL, named, before anything opens. */
import {
  SmtpClient,
  type SmtpClientOptions,
  SmtpUsageError,
  type TcpOptions,
  TlsMemory,
  tcp,
  type WorkerOptions,
  worker,
} from 'smtpump';
import {
  type FaultOptions,
  type ListenOptions,
  type MemoryOptions,
  memory,
  ScriptedServer,
  type ServerOptions,
  SimNetwork,
  type SimNetworkOptions,
  trace,
  VirtualClock,
  withFaults,
} from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { refused } from '../client/support.ts';

/** Wrong values of each option; the types make sure that none is forgotten. */
type Wrong<T> = Readonly<Record<keyof T, readonly unknown[]>>;

const flag = [null, 'yes', 1];
const amount = [null, -1, '5', Number.NaN, true];
const count = [...amount, 1.5];
const number = [null, '5', Number.NaN, true];
const object = [null, 5, 'x'];
const shape = {
  latencyMs: amount,
  jitterMs: amount,
  bytesPerSecond: amount,
  cut: flag,
  join: flag,
  windowBytes: amount,
  segmentBytes: amount,
};
const fault = [
  ...object,
  {},
  { kind: 'explode' },
  { kind: 'reset' },
  { kind: 'reset', after: 5 },
  { kind: 'reset', after: '5', direction: 'toServer' },
  { kind: 'reset', after: 5, direction: 'down' },
];
const sockets: Wrong<Omit<TcpOptions, 'lookup' | 'tlsMemory'>> = {
  noDelay: flag,
  keepAlive: flag,
  keepAliveInitialDelay: amount,
  localAddress: [null, 5, '', 'localhost', '1.2.3'],
  family: [null, 5, '4', 'IPv6'],
  connectOptions: object,
  readBytes: count,
  writeBytes: count,
  closeMs: amount,
};
const ofTcp: Wrong<TcpOptions> = { ...sockets, lookup: object, tlsMemory: [...object, {}, new Map()] };
const ofWorker: Wrong<WorkerOptions> = { ...sockets, ref: flag };
const ofMemory: Wrong<MemoryOptions> = { ...shape, clock: [...object, {}], seed: number, fault };
const ofNetwork: Wrong<SimNetworkOptions> = { ...shape, clock: [...object, {}, undefined], seed: number };
const ofListen: Wrong<ListenOptions> = { ...shape, fault };
const ofFaults: Wrong<FaultOptions> = {
  seed: number,
  clock: [...object, {}],
  cut: flag,
  join: flag,
  delay: amount,
  failAt: [...object, {}, { call: 'close', n: 1 }, { call: 'poll', n: 0 }, { call: 'poll' }],
};
const ofServer: Wrong<ServerOptions> = {
  greeting: [null, 220, {}],
  extensions: [null, 5, {}],
  lmtp: flag,
  tls: [null, 'always', true],
  handshake: [null, 'good', true],
  auth: object,
  reply: [null, '250 ok', {}],
  delayMs: amount,
  record: flag,
  seed: number,
};

const clock = new VirtualClock();
const server = new ScriptedServer();
/** Wrong on purpose: the types forbid these. */
const made: Readonly<
  Record<string, readonly [(options: object) => unknown, Wrong<Record<string, unknown>>]>
> = {
  tcp: [(options) => tcp(options), ofTcp],
  worker: [(options) => worker(options), ofWorker],
  memory: [(options) => memory(server, options), ofMemory],
  SimNetwork: [(options) => new SimNetwork({ clock, ...options }), ofNetwork],
  listen: [(options) => new SimNetwork({ clock }).listen('*', server, options), ofListen],
  withFaults: [(options) => withFaults(memory(server), options), ofFaults],
  ScriptedServer: [(options) => new ScriptedServer(options), ofServer],
};

describe.each(Object.entries(made))('%s', (name, [make, wrong]) => {
  it.each(Object.entries(wrong))('TK01: a wrong %s is EINVAL and named', (option, values) => {
    for (const value of values) {
      const said = refused(() => make({ [option]: value }));
      expect(said, String(value)).toMatch(new RegExp(`^EINVAL ${name}\\.${option}(\\.|$)`));
    }
    if (option !== 'clock') expect(refused(() => make({ [option]: undefined }))).toBe('nothing');
  });

  it('TK01: an option that there is not is EINVAL, and those that there are are named', () => {
    expect(refused(() => make({ noSuch: 1 }))).toBe(`EINVAL ${name}`);
    const all = Object.keys(wrong);
    expect(() => make({ noSuch: 1 })).toThrow(
      expect.objectContaining({ message: expect.stringMatching(all.join('|')) }),
    );
    expect(() => make({ noSuch: 1 })).toThrow(/"noSuch"; there are/);
    expect(refused(() => make(JSON.parse('{"constructor": 5}')))).toBe(`EINVAL ${name}`);
  });
});

it("TK01: options that are inherited are checked too, and what else is inherited is nobody's business", () => {
  const heir = (options: object): object => Object.create(options);
  expect(refused(() => tcp(heir({ noDelay: 'yes' })))).toBe('EINVAL tcp.noDelay');
  expect(refused(() => tcp(heir({ noDelay: true, noSuch: 1 })))).toBe('nothing');
});

describe('what is no options at all', () => {
  const no = null as never;
  it('TK01: null, a word or a number is EINVAL', () => {
    for (const given of [null, 'x', 5]) {
      const wrong = given as never;
      expect(refused(() => tcp(wrong))).toBe('EINVAL tcp');
      expect(refused(() => worker(wrong))).toBe('EINVAL worker');
      expect(refused(() => memory(wrong))).toBe('EINVAL memory');
      expect(refused(() => memory(server, wrong))).toBe('EINVAL memory');
      expect(refused(() => new SimNetwork(wrong))).toBe('EINVAL SimNetwork');
      expect(refused(() => new SimNetwork({ clock }).listen('*', server, wrong))).toBe('EINVAL listen');
      expect(refused(() => new SimNetwork({ clock }).listen('*', wrong))).toBe('EINVAL listen.server');
      expect(refused(() => new ScriptedServer(wrong))).toBe('EINVAL ScriptedServer');
      expect(refused(() => withFaults(wrong))).toBe('EINVAL withFaults');
      expect(refused(() => withFaults(memory(server), wrong))).toBe('EINVAL withFaults');
      expect(refused(() => trace(wrong, () => {}))).toBe('EINVAL trace');
      if (given !== 5) expect(refused(() => new VirtualClock(wrong))).toBe('EINVAL VirtualClock');
    }
    expect(refused(() => trace(memory(server), no))).toBe('EINVAL trace.sink');
  });

  it('TK01: a transport that was not made, and no clock, are EINVAL for the client', () => {
    for (const transport of [null, tcp, {}, 'tcp']) {
      const options = { transport } as unknown;
      expect(refused(() => new SmtpClient(options as SmtpClientOptions))).toBe('EINVAL transport');
    }
    expect(() => new SmtpClient({ transport: tcp as never })).toThrow(/tcp\(\)/);
    expect(refused(() => new SmtpClient({ clock: no }))).toBe('EINVAL clock');
  });
});

it('TK01: what is right is taken', () => {
  const all: Required<TcpOptions> = {
    noDelay: false,
    keepAlive: true,
    keepAliveInitialDelay: 1000,
    localAddress: '127.0.0.1',
    family: 4,
    lookup: () => {},
    connectOptions: { autoSelectFamilyAttemptTimeout: 300 },
    tlsMemory: new TlsMemory(),
    readBytes: 1,
    writeBytes: 1,
    closeMs: Number.POSITIVE_INFINITY,
  };
  expect(refused(() => tcp(all))).toBe('nothing');
  const { lookup, tlsMemory, ...plain } = all;
  expect(refused(() => worker({ ...plain, ref: false }))).toBe('nothing');
  // what lives in this thread is told apart from what there is not
  expect(() => worker({ lookup } as object)).toThrow(SmtpUsageError);
  expect(() => worker({ tlsMemory } as object)).toThrow(/cannot cross/);
  expect(refused(() => memory(server, { ...shapeOf(1), fault: { kind: 'refuse' } }))).toBe('nothing');
  expect(refused(() => withFaults(memory(server), { delay: 5 }))).toBe('EINVAL withFaults.clock');
});

const shapeOf = (n: number): MemoryOptions =>
  Object.fromEntries(Object.keys(shape).map((key) => [key, key === 'cut' || key === 'join' ? true : n]));
