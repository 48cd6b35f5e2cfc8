/** A server that says, octet by octet, what a test wants it to say: replies of its own in place of the usual ones. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** By verb; `GREETING` and `CONTENT` are the greeting and the answer to a message. */
export type Replies = Readonly<Record<string, string>>;

const usual: Replies = {
  GREETING: '220 raw',
  EHLO: '250 raw',
  DATA: '354 go on',
  CONTENT: '250 2.0.0 queued',
  QUIT: '221 2.0.0 bye',
};

/** Runs `use` with the port of such a server, and closes it. */
export async function withRawServer<T>(replies: Replies, use: (port: number) => Promise<T>): Promise<T> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    converse(socket, { ...usual, ...replies });
  });
  await once(server.listen(0, 'localhost'), 'listening');
  try {
    // a server that listens on TCP has an address of this kind
    return await use((server.address() as AddressInfo).port);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

function converse(socket: Socket, replies: Replies): void {
  const say = (key: string): boolean => socket.write(`${replies[key] ?? '250 2.0.0 ok'}\r\n`);
  let inContent = false;
  let text = '';
  say('GREETING');
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf('\r\n'); end >= 0; end = text.indexOf('\r\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 2);
      if (inContent) {
        if (line !== '.') continue;
        inContent = false;
        say('CONTENT');
        continue;
      }
      const [verb = ''] = line.toUpperCase().split(/[ :]/);
      say(verb);
      inContent = verb === 'DATA' && (replies.DATA ?? '').startsWith('354');
      if (verb === 'QUIT') socket.end();
    }
  });
}
