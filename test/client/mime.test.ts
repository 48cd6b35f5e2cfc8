/** MIME by the caller's own engine, and the body as a Node stream. The client needs neither. */
import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import MailComposer from 'nodemailer/lib/mail-composer/index.js';
import PostalMime from 'postal-mime';
import { describe, expect, it } from 'vitest';
import { type Bench, codeOf, connected, type Setup, textOf } from './support.ts';

function begun(setup: Setup = {}, bom = {}): Bench {
  const made = connected(setup);
  made.client.sendSender({ address: 'ann@example.test', name: 'Ann' });
  made.client.sendRecipient('bob@example.test');
  made.client.sendBom(bom);
  made.settle();
  made.news();
  return made;
}

/** Turns the crank for as long as the promise waits: streams move in the event loop, the line in virtual time. */
async function meanwhile<T>(made: Bench, promise: Promise<T>): Promise<T> {
  let done = false;
  const end = promise.finally(() => {
    done = true;
  });
  for (let n = 0; n < 10_000 && !done; n++) {
    made.settle();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return end;
}

describe('MIME', () => {
  it('TK65: with `mime` the header stays open: the caller’s MIME fields complete it to one valid message', async () => {
    const attachment = Uint8Array.from({ length: 5000 }, (_, n) => n % 256);
    const node = new MailComposer({
      text: 'Grüße\n.\nEnde\n',
      html: '<p>Grüße</p>',
      attachments: [{ filename: 'noise.bin', content: Buffer.from(attachment) }],
    }).compile();
    const whole: Buffer = await node.build();
    // the engine's own header, without what the client writes
    const text = whole.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    const fields = text
      .slice(0, end)
      .replaceAll('\r\n ', '\r\n\t')
      .split('\r\n')
      .join('\n')
      .split(/\n(?![\t ])/);
    const own = fields
      .filter((line) => !/^(Message-ID|Date|From|To|Subject):/i.test(line))
      .join('\r\n')
      .replaceAll('\n\t', '\n ')
      .replaceAll(/\r?\n/g, '\r\n');

    const made = begun({}, { subject: 'Bild', mime: true });
    made.client.sendBody(`${own}\r\n\r\n`);
    made.client.sendBody(whole.subarray(end + 4));
    made.client.sendEom();
    made.settle();
    expect(made.news()).toEqual(['EOM_ACK 1 bob/']);

    const mail = await PostalMime.parse(textOf(made.server));
    expect(mail.from).toMatchObject({ address: 'ann@example.test', name: 'Ann' });
    expect(mail.to?.[0]).toMatchObject({ address: 'bob@example.test' });
    expect(mail.subject).toBe('Bild');
    expect(mail.text?.replaceAll('\r\n', '\n')).toContain('Grüße\n.\nEnde\n');
    expect(mail.html).toContain('<p>Grüße</p>');
    expect(mail.attachments[0]?.filename).toBe('noise.bin');
    const content = mail.attachments[0]?.content;
    expect(
      Buffer.compare(
        Buffer.from(content instanceof ArrayBuffer ? new Uint8Array(content) : (content ?? '')),
        Buffer.from(attachment),
      ),
    ).toBe(0);
    for (const name of ['from', 'to', 'subject', 'date', 'message-id', 'mime-version', 'content-type']) {
      expect(
        mail.headers.filter(({ key }) => key === name),
        name,
      ).toHaveLength(1);
    }
  });

  it('TK65: without it a blank line ends the header; with `raw` the client writes no header at all', () => {
    const text = (bom: object): string => {
      const made = begun({}, bom);
      made.client.sendBody('X-Mine: yes\r\n\r\nbody\r\n');
      made.client.sendEom();
      made.settle();
      return textOf(made.server);
    };
    expect(text({ raw: true })).toBe('X-Mine: yes\r\n\r\nbody\r\n');
    expect(text({})).toMatch(/^From: .*\r\n\r\nX-Mine: yes\r\n\r\nbody\r\n$/s);
    expect(text({ mime: true })).toMatch(/^From: ((?!\r\n\r\n).)*\r\nX-Mine: yes\r\n\r\nbody\r\n$/s);
  });

  it('TK66: nothing that the client imports is a MIME engine: its modules are ours, Node’s and its declared dependencies', () => {
    const root = fileURLToPath(new URL('../../', import.meta.url));
    const foreign = new Set<string>();
    const seen = new Set<string>();
    const visit = (file: string): void => {
      if (seen.has(file)) return;
      seen.add(file);
      for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(
        /^(?:import|export)\b[^;]*?from '([^']+)'/gms,
      )) {
        if (name.startsWith('.')) visit(resolve(dirname(file), name));
        else foreign.add(name);
      }
    };
    visit(resolve(root, 'src/index.ts'));
    expect(seen.size).toBeGreaterThan(40);
    const packages = [...foreign].filter(
      (name) => !name.startsWith('node:') && !builtinModules.includes(name),
    );
    const { dependencies } = JSON.parse(readFileSync(resolve(root, 'package.json'), 'utf8')) as {
      dependencies: object;
    };
    for (const name of packages) {
      const owner = name.split('/').slice(0, name.startsWith('@') ? 2 : 1);
      expect(Object.keys(dependencies)).toContain(owner.join('/'));
    }
    // encoders of header words at most, and never what builds or reads messages
    expect(packages.filter((name) => /compos|mime-node|mailparser|postal|^nodemailer$/i.test(name))).toEqual(
      [],
    );
  });
});

describe('bodyStream()', () => {
  it('takes what is piped into it with back-pressure, and its end is the end of the message', async () => {
    const made = begun(
      { line: { bytesPerSecond: 1_000_000, windowBytes: 20_000 }, client: { bodyBufferBytes: 10_000 } },
      { raw: true },
    );
    const piece = Buffer.from(`${'x'.repeat(62)}\r\n`);
    const pieces = 20_000;
    let made_ = 0;
    let ahead = 0;
    const source = new Readable({
      highWaterMark: 1024,
      read() {
        ahead = Math.max(
          ahead,
          made_ * piece.length - made.server.reads.reduce((sum, { length }) => sum + length, 0),
        );
        this.push(made_++ < pieces ? piece : null);
      },
    });
    await meanwhile(made, pipeline(source, made.client.bodyStream()));
    made.settle(100_000);
    expect(made.news().at(-1)).toBe('EOM_ACK 1 bob/');
    expect(made.server.messages[0]?.data.length).toBe(pieces * piece.length);
    // what is on the way: the window, the buffer, the streams' own
    expect(ahead).toBeLessThan(200_000);
  });

  it('strings are UTF-8', async () => {
    const made = begun({}, { raw: true });
    const stream = made.client.bodyStream();
    stream.write('grün\r\n');
    await meanwhile(made, new Promise<void>((resolve) => stream.end(() => resolve())));
    made.settle();
    expect(textOf(made.server)).toBe('grün\r\n');
  });

  it('is destroyed with the reason when the connection ends', async () => {
    const made = begun({ line: { windowBytes: 1000 }, client: { bodyBufferBytes: 1000 } }, { raw: true });
    made.transport.line?.pause();
    const stream = made.client.bodyStream();
    const failure = new Promise((resolve) => stream.once('error', resolve));
    stream.write(Buffer.alloc(100_000, 97));
    made.settle();
    made.transport.line?.reset();
    expect(await meanwhile(made, failure)).toMatchObject({ code: 'ECONNECTION', phase: 'body' });
  });

  it('reset() and abort() end it too: its writer does not wait for ever', async () => {
    for (const how of ['reset', 'abort'] as const) {
      const made = begun({ line: { windowBytes: 1000 }, client: { bodyBufferBytes: 1000 } }, { raw: true });
      made.transport.line?.pause();
      const stream = made.client.bodyStream();
      let ended = '';
      stream.once('error', (error: Error & { code?: string }) => {
        ended = String(error.code);
      });
      stream.write(Buffer.alloc(100_000, 97));
      made.settle();
      made.client[how]();
      made.settle();
      await new Promise((resolve) => setImmediate(resolve));
      expect(ended, how).toBe('EABORTED');
    }
  });

  it('a stream that outlives its message does not write into the next one', async () => {
    const made = connected({ server: {}, client: {} });
    const { client } = made;
    client.sendSender('a@example.test');
    client.sendRecipient('b@example.test');
    client.sendBom({ raw: true });
    const stale = client.bodyStream();
    stale.on('error', () => {});
    client.reset();
    client.sendSender('a@example.test');
    client.sendRecipient('c@example.test');
    client.sendBom({ raw: true });
    client.sendBody('mine\r\n');
    stale.write('not mine\r\n');
    await new Promise((resolve) => setImmediate(resolve));
    client.sendEom();
    made.settle();
    expect(textOf(made.server)).toBe('mine\r\n');
  });

  it('out of place it throws, as sendBody does', () => {
    const { client } = connected();
    expect(codeOf(() => client.bodyStream())).toBe('EPERM');
  });
});
