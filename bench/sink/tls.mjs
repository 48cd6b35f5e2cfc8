// @ts-check
/** The sink behind STARTTLS: one context for all connections, so that tickets are good for the next. */
import { createServer } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { listen, noCounts } from './listen.mjs';
import { greeting, SinkSession } from './session.mjs';

/** @type {{ key: string, cert: string, maxVersion?: import('node:tls').SecureVersion }} */
const options = JSON.parse(process.argv[2] ?? '{}');
const secureContext = createSecureContext(options);
const counts = noCounts();

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => socket.destroy());
  socket.write(greeting);
  socket.on('data', (bytes) => {
    const line = String(bytes).toUpperCase();
    if (line.startsWith('EHLO')) socket.write('250-sink.example\r\n250-PIPELINING\r\n250 STARTTLS\r\n');
    else if (line.startsWith('STARTTLS')) {
      socket.removeAllListeners('data');
      socket.write('220 go ahead\r\n');
      serve(new TLSSocket(socket, { isServer: true, secureContext }));
    } else socket.end('221 bye\r\n');
  });
});

/** @param {TLSSocket} socket */
function serve(socket) {
  const session = new SinkSession(counts, true);
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => {
    const replies = session.take(bytes);
    if (session.quit) socket.end(replies);
    else if (replies !== '') socket.write(replies);
  });
}

listen(server, counts);
