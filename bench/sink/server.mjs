// @ts-check
/**
 * The sink: an SMTP server in a process of its own that answers at once, or `delayMs` after the first octet of a
 * group, which is how round trips are counted: one trip is one turn of the conversation that has to do with mail.
 */
import { createServer } from 'node:net';
import { listen, noCounts } from './listen.mjs';
import { greeting, SinkSession } from './session.mjs';

/** @type {{ chunking?: boolean, delayMs?: number }} */
const { chunking = false, delayMs = 0 } = JSON.parse(process.argv[2] ?? '{}');
const counts = noCounts();

const server = createServer({ noDelay: true }, (socket) => {
  const session = new SinkSession(counts, chunking);
  /** @type {Buffer[]} */
  let group = [];
  socket.on('error', () => socket.destroy());
  socket.write(greeting);
  socket.on('data', (bytes) => {
    if (typeof bytes === 'string') return;
    counts.reads++;
    if (delayMs === 0) return answer(bytes);
    if (group.push(bytes) === 1) {
      setTimeout(() => {
        const all = Buffer.concat(group);
        group = [];
        answer(all);
      }, delayMs);
    }
  });

  /** @param {Buffer} bytes */
  function answer(bytes) {
    const replies = session.take(bytes);
    if (replies === '') return;
    if (session.mail) counts.trips++;
    session.mail = false;
    if (session.quit) socket.end(replies, 'latin1');
    else socket.write(replies, 'latin1');
  }
});

listen(server, counts);
