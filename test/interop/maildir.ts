/** Reads mail back from a maildir, as bytes. It knows nothing of the client. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

export interface StoredMail {
  /** Unfolded header lines. */
  readonly header: readonly string[];
  /** With LF for line ends, as a maildir has it. */
  readonly body: Buffer;
}

/** The mails that have this text in their header; waits until there are `count`, ten seconds at most. */
export async function mailsWith(text: string, maildir: string, count = 1): Promise<StoredMail[]> {
  for (let tries = 0; ; tries++) {
    const found = readAll(maildir).filter((mail) => mail.header.some((line) => line.includes(text)));
    if (found.length >= count || tries >= 200) return found;
    await pause(50);
  }
}

function readAll(maildir: string): StoredMail[] {
  return ['new', 'cur']
    .map((part) => join(maildir, part))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => readdirSync(folder).map((file) => parse(readFileSync(join(folder, file)))));
}

/** Bytes are kept as latin1 on the way, so that nothing is decoded. */
function parse(bytes: Buffer): StoredMail {
  const text = bytes.toString('latin1').replaceAll('\r\n', '\n');
  const end = text.indexOf('\n\n');
  return {
    header: text
      .slice(0, end)
      .replace(/\n(?=[ \t])/g, '')
      .split('\n'),
    body: Buffer.from(text.slice(end + 2), 'latin1'),
  };
}

/** What a maildir shows of a body that was sent: LF for CRLF, and a line end at the very end. */
export function asStored(body: Buffer): Buffer {
  const text = body.toString('latin1').replaceAll('\r\n', '\n');
  return Buffer.from(text.endsWith('\n') ? text : `${text}\n`, 'latin1');
}

/** Some servers keep a missing last line end missing where BDAT carried the text; that is no difference. */
export function withLastLineEnd(body: Buffer): Buffer {
  return body.at(-1) === 10 ? body : Buffer.concat([body, Buffer.from('\n')]);
}
