/** Messages of the Treck names: envelope, header, body and MIME. */
import PostalMime from 'postal-mime';
import * as tm from 'smtpump/treck';
import { describe, expect, it } from 'vitest';
import { textOf } from '../client/support.ts';
import { codeName, mail, online, sendAll } from './support.ts';

describe('envelope and header', () => {
  it('TK22, TK23, TK24, TK25: names, types, subject and date as they are given', () => {
    const made = online();
    const { does } = made;
    does((h) => tm.tfSmtpUserSendSenderInfo(h, 'Ann', 'ann@example.test', 'Office', 'office@example.test'));
    const to = (name: string | null, address: string, type: number): string =>
      does((h) => tm.tfSmtpUserSendRecipientInfo(h, name, address, type));
    to('Bob', 'bob@example.test', tm.TM_SMTP_RECIPIENT_TYPE_TO);
    to(null, 'cid@example.test', tm.TM_SMTP_RECIPIENT_TYPE_CC);
    to('Dan', 'dan@example.test', tm.TM_SMTP_RECIPIENT_TYPE_BCC);
    does((h) => tm.tfSmtpUserSendBom(h, 'Hello', 'Sun, 22 Nov 2026 05:15:00 +0000', 0));
    sendAll(made.handle, Buffer.from('text\r\n'));
    expect(does(tm.tfSmtpUserSendEom)).toBe('TM_ENOERROR');
    const [message] = made.server.messages;
    expect([message?.from, message?.to]).toEqual([
      'ann@example.test',
      ['bob@example.test', 'cid@example.test', 'dan@example.test'],
    ]);
    const text = textOf(made.server);
    expect(text.replace(/Message-ID: .*\r\n/, '').split('\r\n')).toEqual([
      'From: Ann <ann@example.test>',
      'Reply-To: Office <office@example.test>',
      'To: Bob <bob@example.test>',
      'Cc: cid@example.test',
      'Subject: Hello',
      'Date: Sun, 22 Nov 2026 05:15:00 +0000',
      '',
      'text',
      '',
    ]);
  });

  it('null names, reply-to, subject and date are left out or made up', () => {
    const made = online();
    made.does((h) => tm.tfSmtpUserSendSenderInfo(h, null, 'ann@example.test', null, null));
    made.does((h) =>
      tm.tfSmtpUserSendRecipientInfo(h, null, 'bob@example.test', tm.TM_SMTP_RECIPIENT_TYPE_TO),
    );
    made.does((h) => tm.tfSmtpUserSendBom(h, null, null, 0));
    made.does(tm.tfSmtpUserSendEom);
    expect(textOf(made.server)).toMatch(
      /^From: ann@example\.test\r\nTo: bob@example\.test\r\nDate: Thu, 1 Jan 2026 .*\r\nMessage-ID: .*\r\n\r\n$/,
    );
  });
});

describe('SendBody', () => {
  it('TK26, TK27: takes a packet a call, of its own copy', () => {
    const made = online();
    mail(made, 'bom');
    const body = Buffer.from('0123456789abcdef\r\n'.repeat(1000));
    const whole = body.toString();
    const sizes = new Set<number>();
    const error: tm.Box<number> = { value: -1 };
    for (let at = 0; at < body.length; ) {
      const taken = tm.tfSmtpUserSendBody(made.handle, body.subarray(at), body.length - at, error);
      expect(codeName(error.value)).toBe('TM_ENOERROR');
      sizes.add(taken);
      // the program's buffer is its own again
      body.fill(0x21, at, at + taken);
      at += taken;
    }
    expect([...sizes]).toEqual([1460, 18_000 % 1460]);
    expect(made.does(tm.tfSmtpUserSendEom)).toBe('TM_ENOERROR');
    expect(textOf(made.server)).toContain(whole);
  });

  it.each([false, true])('TK27, TK28: a line that is full (blocking: %s)', (blocking) => {
    const made = online({ blocking, options: { bodyBufferBytes: 2000, chunking: false } });
    mail(made, 'bom');
    const body = Buffer.from('0123456789abcdef\r\n'.repeat(20_000));
    const error: tm.Box<number> = { value: -1 };
    const seen = new Set<string>();
    for (let at = 0; at < body.length; ) {
      const taken = tm.tfSmtpUserSendBody(made.handle, body.subarray(at), body.length - at, error);
      seen.add(codeName(error.value));
      if (error.value === tm.TM_EINPROGRESS) expect(made.run(), 'until it is drained').toBe('TM_ENOERROR');
      at += taken;
    }
    expect([...seen].sort()).toEqual(blocking ? ['TM_ENOERROR'] : ['TM_EINPROGRESS', 'TM_ENOERROR']);
    expect(made.does(tm.tfSmtpUserSendEom)).toBe('TM_ENOERROR');
    expect(textOf(made.server).endsWith(body.toString())).toBe(true);
  });

  it('TK31: starts no timer', () => {
    const made = online();
    mail(made, 'body');
    tm.tfSmtpUserExecute(made.handle);
    expect(tm.tfSmtpUserReadTimer(made.handle)).toBe(-1);
  });

  it('TK31: nor does a line that takes nothing, however long; blocking calls return when it is lost', () => {
    const made = online({ options: { bodyBufferBytes: 2000 } });
    mail(made, 'bom');
    made.server.connections[0]?.line.pause();
    const error: tm.Box<number> = { value: tm.TM_ENOERROR };
    const piece = Buffer.alloc(1460, 0x78);
    while (error.value === tm.TM_ENOERROR) {
      tm.tfSmtpUserSendBody(made.handle, piece, piece.length, error);
      tm.tfSmtpUserExecute(made.handle);
    }
    made.clock.advance(3_600_000);
    expect(codeName(tm.tfSmtpUserExecute(made.handle))).toBe('TM_EINPROGRESS');
    expect([tm.tfSmtpUserReadTimer(made.handle), made.told.at(-1)]).toEqual([-1, 'BOM_ACK']);

    const blocked = online({ blocking: true, options: { bodyBufferBytes: 2000, chunking: false } });
    mail(blocked, 'bom');
    const line = blocked.server.connections[0]?.line;
    line?.pause();
    line?.after(60_000, () => line.reset());
    error.value = tm.TM_ENOERROR;
    let taken = 1;
    while (error.value === tm.TM_ENOERROR && taken > 0) {
      taken = tm.tfSmtpUserSendBody(blocked.handle, piece, piece.length, error);
    }
    expect(codeName(error.value)).toBe('TM_ECONNRESET');
  });

  it('takes nothing of what is no piece of a body', () => {
    const made = online();
    mail(made, 'bom');
    const error: tm.Box<number> = { value: -1 };
    // what a caller without types may give
    for (const [data, length] of [
      ['x', 1],
      [Buffer.from('x'), -1],
      [Buffer.from('x'), 0.5],
    ] as [Uint8Array, number][]) {
      expect(tm.tfSmtpUserSendBody(made.handle, data, length, error)).toBe(0);
      expect(codeName(error.value)).toBe('TM_EINVAL');
    }
    expect(tm.tfSmtpUserSendBody(made.handle, Buffer.from('whole'), 99, null)).toBe(5);
    expect(tm.tfSmtpUserSendBody(made.handle, Buffer.from('half'), 2)).toBe(2);
    made.does(tm.tfSmtpUserSendEom);
    expect(textOf(made.server)).toMatch(/\r\n\r\nwholeha\r\n$/);
  });

  it('TK18, TK19: a reset while the text stands open cuts the line', () => {
    const made = online({ server: { extensions: ['PIPELINING'] } });
    mail(made, 'body');
    expect(made.does(tm.tfSmtpUserReset)).toBe('TM_ECONNABORTED');
    expect([made.told.at(-1), made.server.messages.length]).toEqual(['ERROR', 0]);
    const before = online();
    mail(before, 'recipient');
    expect(before.does(tm.tfSmtpUserReset)).toBe('TM_ENOERROR');
    expect([before.told.at(-1), tm.tfSmtpUserReadTimer(before.handle)]).toEqual(['RESET', -1]);
  });
});

describe('MIME', () => {
  const picture = Uint8Array.from({ length: 5000 }, (_, n) => n % 256);
  const compose = () =>
    tm.tfMimeNewMessage({
      text: 'Grüße\n.\nEnde\n',
      html: '<p>Grüße <img src="cid:pic"></p>',
      parts: [
        { content: picture, filename: 'pic.png', cid: 'pic', disposition: 'inline' },
        { content: 'a,b\n', filename: 'größe.csv' },
      ],
    });

  /** As the manual's loop pulls it. */
  function pull(get: typeof tm.tfMimeGetBody, message: tm.MimeMessage, bytes: number): Buffer {
    const buffer = new Uint8Array(bytes);
    const pieces: Buffer[] = [];
    for (let n = get(message, buffer, bytes); n > 0; n = get(message, buffer, bytes)) {
      pieces.push(Buffer.from(buffer.subarray(0, n)));
    }
    expect(get(message, buffer, bytes), 'stays at its end').toBe(0);
    return Buffer.concat(pieces);
  }

  it.each([1_000_000, 100])(
    'TK67, TK65: inline parts and attachments arrive, pulled by %i octets',
    async (bytes) => {
      const message = await compose();
      const made = online();
      mail(made, 'recipient');
      made.does((h) => tm.tfSmtpUserSendBom(h, 'Bild', null, tm.TM_SMTP_FLAG_MIME));
      expect(sendAll(made.handle, pull(tm.tfMimeGetHeader, message, bytes))).toBe('TM_ENOERROR');
      expect(sendAll(made.handle, pull(tm.tfMimeGetBody, message, bytes))).toBe('TM_ENOERROR');
      expect(made.does(tm.tfSmtpUserSendEom)).toBe('TM_ENOERROR');
      const received = await PostalMime.parse(textOf(made.server));
      expect([received.subject, received.from?.address]).toEqual(['Bild', 'ann@example.test']);
      expect(received.text?.replaceAll('\r\n', '\n')).toContain('Grüße\n.\nEnde\n');
      expect(received.html).toContain('<p>Grüße');
      const [inline, attached] = received.attachments;
      expect([inline?.filename, inline?.disposition, inline?.contentId]).toEqual([
        'pic.png',
        'inline',
        '<pic>',
      ]);
      expect([attached?.filename, attached?.disposition]).toEqual(['größe.csv', 'attachment']);
      const content = inline?.content;
      const octets = content instanceof ArrayBuffer ? new Uint8Array(content) : undefined;
      expect(octets).toEqual(picture);
      for (const name of ['from', 'subject', 'date', 'message-id', 'mime-version', 'content-type']) {
        expect(
          received.headers.filter(({ key }) => key === name),
          name,
        ).toHaveLength(1);
      }
    },
  );

  it('TK68: small buffers pull the same octets as one, and both getters end in zero', async () => {
    const text = (): Promise<tm.MimeMessage> => tm.tfMimeNewMessage({ text: 'only text' });
    for (const getter of [tm.tfMimeGetHeader, tm.tfMimeGetBody]) {
      const one = pull(getter, await text(), 1_000_000);
      expect(one.length).toBeGreaterThan(8);
      expect(pull(getter, await text(), 7)).toEqual(one);
    }
    const parts = [{ content: picture, filename: 'pic.png' }];
    const mixed = await tm.tfMimeNewMessage({ text: 'x'.repeat(500), parts });
    const small = Buffer.concat([pull(tm.tfMimeGetHeader, mixed, 7), pull(tm.tfMimeGetBody, mixed, 13)]);
    const { attachments } = await PostalMime.parse(small);
    expect(attachments.map(({ content }) => new Uint8Array(content as ArrayBuffer))).toEqual([
      new Uint8Array(picture),
    ]);
  });

  it('S15: opens no path and no URL', async () => {
    for (const wrong of [
      { parts: [{ path: '/etc/hostname' }] },
      { text: { path: '/etc/hostname' } },
      { html: { href: 'http://127.0.0.1:9/' } },
    ] as unknown[]) {
      // what a caller without types may give
      await expect(tm.tfMimeNewMessage(wrong as tm.MimeContent)).rejects.toThrow();
    }
  });

  it('a message that is none has nothing to pull', () => {
    expect(tm.tfMimeGetBody({}, new Uint8Array(9), 9)).toBe(0);
  });
});
