/** bodyStream() where something goes wrong: a listener, the source, the line. */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { type Bench, connected, type Setup, sendMail, textOf } from './support.ts';

const chunks: Setup = { server: { extensions: ['PIPELINING', 'CHUNKING'] } };
const narrow: Setup = { line: { windowBytes: 1000 }, client: { bodyBufferBytes: 1000 } };

function begun(setup: Setup = {}): Bench {
  const made = connected(setup);
  made.client.sendSender('a@example.test');
  made.client.sendRecipient('b@example.test');
  made.client.sendBom({ raw: true });
  made.settle();
  made.news();
  return made;
}

/** Turns the crank while the promise waits; what comes out of execute() is kept. */
async function meanwhile(made: Bench, promise: Promise<unknown>): Promise<{ thrown: string[]; end: string }> {
  const thrown: string[] = [];
  let end: string | undefined;
  const settled = promise.then(
    () => {
      end = 'done';
    },
    (error: Error & { code?: string }) => {
      end = error.code ?? error.message;
    },
  );
  for (let n = 0; n < 10_000 && end === undefined; n++) {
    try {
      made.settle();
    } catch (error) {
      thrown.push(String(error));
    }
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(end, 'the stream hangs').toBeDefined();
  await settled;
  for (let rest = true; rest; ) {
    rest = false;
    try {
      made.settle();
    } catch (error) {
      thrown.push(String(error));
      rest = true;
    }
  }
  return { thrown, end: end ?? '' };
}

describe('S20: bodyStream() and a listener that throws', () => {
  it.each(['event', 'DRAIN'] as const)('on DRAIN (%s): the body flows on, to its end', async (name) => {
    const made = begun({
      line: { bytesPerSecond: 1_000_000, windowBytes: 20_000 },
      client: { bodyBufferBytes: 10_000 },
    });
    let drains = 0;
    // before the stream is made, so that it would hear first
    made.client.on(name, (event) => {
      if (event.name !== 'DRAIN') return;
      drains++;
      throw new Error('DRAIN');
    });
    const body = 'x'.repeat(200_000).concat('\r\n');
    const { thrown, end } = await meanwhile(
      made,
      pipeline(Readable.from([Buffer.from(body)]), made.client.bodyStream()),
    );
    expect(end).toBe('done');
    expect(drains).toBeGreaterThan(2);
    expect(new Set(thrown)).toEqual(new Set(['Error: DRAIN']));
    expect(made.news().at(-1)).toBe('EOM_ACK 1 b/');
    expect(textOf(made.server)).toBe(body);
  });

  it.each(['event', 'DISCONNECTED'] as const)(
    'on DISCONNECTED (%s): it fails with the reason',
    async (name) => {
      const made = begun(narrow);
      made.transport.line?.pause();
      made.client.on(name, (event) => {
        if (event.name === 'DISCONNECTED') throw new Error('a bug');
      });
      const stream = made.client.bodyStream();
      const written = new Promise<void>((resolve, reject) => {
        stream.on('error', reject);
        stream.end(Buffer.alloc(100_000, 97), () => resolve());
      });
      made.settle();
      made.transport.line?.reset();
      const { thrown, end } = await meanwhile(made, written);
      expect(end).toBe('ECONNECTION');
      expect(thrown).toEqual(['Error: a bug']);
      expect(stream.destroyed).toBe(true);
    },
  );
});

describe('a source that fails', () => {
  /** It fails when some of it is on the wire. */
  const broken = (octets: number): Readable =>
    Readable.from(
      (async function* () {
        yield Buffer.alloc(octets, 97);
        for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
        throw new Error('the disk is gone');
      })(),
    );

  it('with the text after DATA open: the line is closed and the message is unsent', async () => {
    const made = begun();
    const { end } = await meanwhile(made, pipeline(broken(50_000), made.client.bodyStream()));
    expect(end).toBe('the disk is gone');
    expect(made.news()).toEqual(['DISCONNECTED EABORTED 1:unsent']);
    expect(made.server.messages).toEqual([]);
    expect(made.server.open).toBe(0);
    made.client.connect();
    sendMail(made.client);
    made.settle();
    expect(made.server.delivered).toBe(1);
  });

  it('with chunks open: RSET, nothing is delivered, and the connection stays', async () => {
    const made = begun(chunks);
    const { end } = await meanwhile(made, pipeline(broken(200_000), made.client.bodyStream()));
    expect(end).toBe('the disk is gone');
    expect(made.server.commands.some((line) => line.startsWith('BDAT'))).toBe(true);
    expect(made.server.commands.some((line) => line.endsWith('LAST'))).toBe(false);
    expect(made.server.commands.at(-1)).toBe('RSET');
    expect(made.news()).toEqual(['RESET']);
    expect(made.client.state).toBe('ready');
    sendMail(made.client);
    made.settle();
    expect(made.news().at(-1)).toBe('EOM_ACK 2 b/');
    expect(made.server.messages).toHaveLength(1);
    expect(textOf(made.server)).toBe('hello\r\n');
    expect(made.server.violations).toEqual([]);
  });

  it('before a byte of it: nothing is delivered either', async () => {
    for (const setup of [{}, chunks]) {
      const made = begun(setup);
      await meanwhile(made, pipeline(broken(0), made.client.bodyStream()));
      expect(made.server.messages).toEqual([]);
    }
  });

  it('destroy() of the stream does the same; after its end it takes nothing back', async () => {
    const made = begun(chunks);
    const stream = made.client.bodyStream();
    stream.write('half');
    stream.destroy();
    made.settle();
    expect(made.news()).toEqual(['RESET']);
    const whole = begun(chunks);
    const ended = whole.client.bodyStream();
    const { end } = await meanwhile(whole, pipeline(Readable.from(['whole\r\n']), ended));
    expect(end).toBe('done');
    ended.destroy();
    whole.settle();
    expect(whole.news()).toEqual(['EOM_ACK 1 b/']);
  });

  it('a stream destroyed late does not take the next message back', () => {
    const made = connected(chunks);
    const { client } = made;
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom({ raw: true });
    const stale = client.bodyStream();
    client.reset();
    client.sendSender('a@example.test');
    client.sendRecipient('c@example.test');
    client.sendBom({ raw: true });
    client.sendBody('mine\r\n');
    stale.destroy();
    client.sendEom();
    made.settle();
    expect(made.news().at(-1)).toBe('EOM_ACK 2 c/');
  });
});
