/** `client.save()` and `SmtpClient.restore()`: what is in it, when it is refused, and what becomes of odd JSON. */
import { type Json, SmtpClient, SmtpUsageError } from 'smtpump';
import { type MemoryTransport, memory, VirtualClock } from 'smtpump/testing';
import { expect, it } from 'vitest';

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
