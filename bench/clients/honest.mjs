// @ts-check
/**
 * The bare socket that does a client's work and no more: each message's command lines and body are written one by one
 * into the group that leaves, and the code of each reply is read and must be the one expected.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { freshRecipients, rawMessage, sender } from '../message.mjs';

const LF = 10;
const perMessage = 256;

/** @param {{ port: number, chunking?: boolean, recipients?: number, window?: number }} spec */
export async function open({ port, chunking = false, recipients = 1, window = chunking ? 16 : 1 }) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'data');
  socket.write('EHLO bench.example\r\n');
  await once(socket, 'data');
  return { pour, close: async () => void socket.destroy() };

  /** @param {() => boolean} more @returns {Promise<number>} */
  function pour(more) {
    const begun = chunking ? window : 1;
    const replies = recipients + (chunking ? 2 : 3);
    const room = (perMessage + 48 * recipients + rawMessage.length) * begun;
    return new Promise((resolve, reject) => {
      let started = 0;
      let done = 0;
      let dry = false;
      let reply = 0;
      let code = 0;
      let column = 0;
      let textIsDue = false;
      let group = Buffer.allocUnsafe(room);
      let length = 0;
      const envelope = () => {
        length += group.write(`MAIL FROM:<${sender}>\r\n`, length, 'latin1');
        for (const to of freshRecipients(recipients))
          length += group.write(`RCPT TO:<${to}>\r\n`, length, 'latin1');
        const line = chunking ? `BDAT ${rawMessage.length} LAST\r\n` : 'DATA\r\n';
        length += group.write(line, length, 'latin1');
        if (chunking) length += rawMessage.copy(group, length);
      };
      const fill = () => {
        if (textIsDue) {
          textIsDue = false;
          length += rawMessage.copy(group, length);
          length += group.write('.\r\n', length, 'latin1');
          begin(2);
        } else if (chunking) begin(window);
        if (length === 0) return;
        socket.write(group.subarray(0, length));
        group = Buffer.allocUnsafe(room);
        length = 0;
      };
      /** @param {number} most */
      const begin = (most) => {
        while (!dry && started - done < most) {
          dry = !more();
          if (dry) return;
          started++;
          envelope();
        }
      };
      /** @param {Buffer} bytes */
      const onData = (bytes) => {
        for (let i = 0; i < bytes.length; i++) {
          const octet = bytes[i] ?? 0;
          if (octet !== LF) {
            if (column < 3) code = code * 10 + octet - 48;
            column++;
            continue;
          }
          const isGo = !chunking && reply === replies - 2;
          if (code !== (isGo ? 354 : 250)) return reject(new Error(`answered ${code}`));
          textIsDue ||= isGo;
          code = column = 0;
          if (++reply < replies) continue;
          reply = 0;
          done++;
        }
        fill();
        if (!dry || done < started) return;
        socket.off('data', onData);
        resolve(done);
      };
      socket.on('data', onData).once('error', reject);
      begin(begun);
      fill();
    });
  }
}
