/** `client.save()` and `SmtpClient.restore()`: what is in it, when it is refused, and what becomes of odd JSON. */
import { type Json, SmtpClient, SmtpUsageError } from 'smtpump';
import { connectionMachine, mailMachine } from 'smtpump/machines';
import { type MemoryTransport, memory, ScriptedServer, VirtualClock } from 'smtpump/testing';
import { expect, it } from 'vitest';
import { connectionChart, mailChart } from '../../src/core/charts.ts';
import { Walker } from '../../src/core/walk.ts';

const shape = { latencyMs: 10 };

/** A client in the midst of connecting, with a message called ahead; the test is the server. */
function begun(): { client: SmtpClient; clock: VirtualClock; transport: MemoryTransport } {
  const clock = new VirtualClock();
  const transport = memory(undefined, { clock, ...shape });
  const client = new SmtpClient({ host: 'h', localName: 'c.example', pump: 'manual', clock, transport });
  client.connect();
  client.execute();
  for (let n = 0; n < 3; n++) {
    clock.advance(10);
    client.execute();
  }
  transport.line?.write('220 hi\r\n250-x');
  clock.advance(10);
  client.execute();
  client.sendSender('a@b.example');
  client.sendRecipient('c@b.example');
  client.sendBom({ subject: 'x' });
  client.sendBody('hello');
  return { client, clock, transport };
}

function again(saved: Json, at = 0): SmtpClient {
  const clock = new VirtualClock(at);
  const transport = memory(undefined, { clock, ...shape });
  return SmtpClient.restore(saved, { host: 'h', localName: 'c.example', pump: 'manual', clock, transport });
}

it('what is restored is saved as the same JSON, with the same time left', () => {
  const { client } = begun();
  const saved = client.save();
  const restored = again(JSON.parse(JSON.stringify(saved)));
  expect(restored.save()).toEqual(saved);
  expect(restored.readTimer()).toBe(client.readTimer());
  expect(restored.state).toBe('body');
  expect(saved).toEqual(JSON.parse(JSON.stringify(saved)));
});

it('over a real socket it is refused, with a hint', () => {
  const client = new SmtpClient({ pump: 'manual' });
  const refused = expect.objectContaining({ name: 'SmtpUsageError', code: 'EPERM' });
  expect(() => client.save()).toThrow(refused);
  expect(() => client.save()).toThrow(/use memory\(\)/);
  expect(() => SmtpClient.restore(begun().client.save(), { pump: 'manual' })).toThrow(refused);
});

it('in a listener it is refused, and after the turn it is not', () => {
  const { client } = begun();
  let thrown: unknown;
  client.on('DISCONNECTED', () => {
    try {
      client.save();
    } catch (error) {
      thrown = error;
    }
  });
  client.abort();
  client.execute();
  expect(thrown).toBeInstanceOf(SmtpUsageError);
  expect(thrown).toMatchObject({ code: 'EPERM' });
  expect(() => client.save()).not.toThrow();
});

it('JSON that was changed, cut, or is of another format is EINVAL', () => {
  const saved = begun().client.save();
  const text = JSON.stringify(saved);
  const odd: Json[] = [null, true, 7, 'x', [], {}, { smtpump: 'network' }];
  for (const one of odd) expect(() => again(one)).toThrow(invalid);
  const other = JSON.parse(text.replace('"format":1', '"format":2'));
  expect(() => again(other)).toThrow(/its format is 2, this version reads 1/);
  const paths = pathsOf(JSON.parse(text));
  expect(paths.length).toBeGreaterThan(100);
  for (const path of paths) {
    for (const change of [undefined, 'x', { $number: 'NaN' }]) {
      const changed = JSON.parse(text);
      set(changed, path, change);
      expect(() => again(changed), `${path.join('.')} = ${JSON.stringify(change)}`).toThrow(invalid);
    }
  }
});

it('the order of keys does not count', () => {
  const { client } = begun();
  const saved = client.save();
  const turned = JSON.parse(JSON.stringify(saved), (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).reverse())
      : value,
  );
  expect(Object.keys(turned)).not.toEqual(Object.keys(Object(saved)));
  expect(again(turned).save()).toEqual(saved);
});

it('what is saved is as large as what is pending, whatever has been', () => {
  const clock = new VirtualClock();
  const server = new ScriptedServer({ record: false });
  const client = new SmtpClient({ pump: 'manual', clock, transport: memory(server, { clock }) });
  client.connect();
  const sizeAfter = (mails: number): number => {
    while (server.delivered < mails) {
      client.sendSender('a@b.example');
      client.sendRecipient('c@b.example');
      client.sendBom({ raw: true });
      client.sendBody('x'.repeat(5000));
      client.sendEom();
      while (client.execute() !== 'idle');
    }
    return JSON.stringify(client.save()).length;
  };
  const after10 = sizeAfter(10);
  expect(sizeAfter(1000)).toBeLessThan(after10 + 100);
  client.sendSender('a@b.example');
  client.sendRecipient('c@b.example');
  client.sendBom({ raw: true });
  client.sendBody(Buffer.alloc(30_000, 'x'));
  const pending = JSON.stringify(client.save()).length - after10;
  expect(pending).toBeGreaterThan(30_000);
  expect(pending).toBeLessThan(45_000);
});

it('every position of the charts comes back as itself, in this process and in a new one', () => {
  for (const [chart, machine] of [
    [connectionChart, connectionMachine],
    [mailChart, mailMachine],
  ] as const) {
    const fresh = new Walker(machine);
    for (const position of [...chart.positions()]) {
      const saved = JSON.parse(JSON.stringify(position.save()));
      expect(chart.at(saved)).toBe(position);
      expect(fresh.at(saved)).toMatchObject({
        name: position.name,
        context: position.context,
        tags: position.tags,
      });
    }
    expect(() => chart.at({ value: 'nowhere', context: {} })).toThrow();
  }
});

const invalid = expect.objectContaining({ name: 'SmtpUsageError', code: 'EINVAL' });

type Path = readonly string[];

function pathsOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [
    ...(path.length > 0 ? [path] : []),
    ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key])),
  ];
}

function set(target: object, [key = '', ...rest]: Path, value: unknown): void {
  if (rest.length > 0) set(Reflect.get(target, key), rest, value);
  else if (value === undefined && !Array.isArray(target)) Reflect.deleteProperty(target, key);
  else Reflect.set(target, key, value ?? null);
}
