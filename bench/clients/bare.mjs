// @ts-check
/**
 * What a socket alone can do: bytes made beforehand, answers counted and not read. No client can be faster with the
 * same wire pattern: `grouped` the body and the next envelope leave together, else the envelope waits for the verdict;
 * with CHUNKING a window of whole transactions.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { rawMessage, recipientsOf, sender } from '../message.mjs';

const LF = 10;

/** @param {{ port: number, chunking?: boolean, grouped?: boolean, recipients?: number, window?: number }} spec */
export async function open({ port, chunking = false, grouped = true, recipients = 1, window = 16 }) {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'data');
  socket.write('EHLO bench.example\r\n');
  await once(socket, 'data');
  const rcpts = recipientsOf(recipients).map((address) => `RCPT TO:<${address}>\r\n`);
  const envelope = `MAIL FROM:<${sender}>\r\n${rcpts.join('')}`;
  return {
    pour: chunking ? pourChunks : pourTexts,
    async close() {
      socket.destroy();
    },
  };

  /** @param {() => boolean} more @returns {Promise<number>} */
  function pourTexts(more) {
    const head = Buffer.from(`${envelope}DATA\r\n`);
    const text = Buffer.concat([rawMessage, Buffer.from('.\r\n')]);
    const both = Buffer.concat([text, head]);
    return answers((lines) => {
      let done = 0;
      let begun = true;
      // lines up to the 354 of the message at hand, or to the answer to the text before
      let expected = recipients + 2;
      let textIsNext = true;
      socket.write(head);
      return () => {
        if (lines() < expected) return undefined;
        if (!begun) return done;
        if (textIsNext) {
          done++;
          begun = more();
          expected += begun && grouped ? recipients + 3 : 1;
          textIsNext = grouped;
          socket.write(begun && grouped ? both : text);
        } else {
          expected += recipients + 2;
          textIsNext = true;
          socket.write(head);
        }
        return undefined;
      };
    });
  }

  /** @param {() => boolean} more @returns {Promise<number>} */
  function pourChunks(more) {
    const one = Buffer.concat([Buffer.from(`${envelope}BDAT ${rawMessage.length} LAST\r\n`), rawMessage]);
    return answers((lines) => {
      let started = 0;
      let dry = false;
      const fill = () => {
        const done = Math.floor(lines() / (recipients + 2));
        /** @type {Buffer[]} */
        const group = [];
        while (!dry && started - done < window) {
          dry = !more();
          if (!dry) {
            started++;
            group.push(one);
          }
        }
        if (group.length > 0) socket.write(Buffer.concat(group));
        return dry && done === started ? done : undefined;
      };
      fill();
      return fill;
    });
  }

  /**
   * Counts the lines of the answers and asks `begin`'s function after each arrival whether that was all.
   * @param {(lines: () => number) => () => number | undefined} begin @returns {Promise<number>}
   */
  function answers(begin) {
    return new Promise((resolve, reject) => {
      let lines = 0;
      const step = begin(() => lines);
      /** @param {Buffer} bytes */
      const onData = (bytes) => {
        for (let i = 0; i < bytes.length; i++) if (bytes[i] === LF) lines++;
        const done = step();
        if (done === undefined) return;
        socket.off('data', onData);
        resolve(done);
      };
      socket.on('data', onData).once('error', reject);
    });
  }
}
