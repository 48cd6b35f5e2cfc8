// @ts-check
/** A mail server for the examples: nodemailer's `smtp-server` on a free port of this machine. */
import { once } from 'node:events';
import { SMTPServer } from 'smtp-server';
import { selfSigned } from './certificate.mjs';

export const user = 'device';
export const password = 'correct horse';

/**
 * @param {{ login?: boolean }} [options] `login`: STARTTLS is offered, and mail is taken after a login only
 */
export async function startServer({ login = false } = {}) {
  const { key, cert } = selfSigned('localhost');
  /** @type {Buffer[]} */
  const messages = [];
  const server = new SMTPServer({
    banner: 'example server',
    name: 'localhost',
    key,
    cert,
    authOptional: !login,
    disabledCommands: login ? [] : ['STARTTLS', 'AUTH'],
    onAuth: (auth, _session, done) =>
      auth.username === user && auth.password === password
        ? done(null, { user })
        : done(new Error('no such user, or another password')),
    async onData(stream, _session, done) {
      messages.push(Buffer.concat(await stream.toArray()));
      done();
    },
  });
  server.on('error', (error) => console.error(`server: ${error.message}`));
  server.listen(0, 'localhost');
  await once(server.server, 'listening');
  const bound = server.server.address();
  const { address, port } = typeof bound === 'object' && bound !== null ? bound : { address: '', port: 0 };
  return {
    host: 'localhost',
    /** For those who do not look names up. */
    address,
    port,
    /** Whoever trusts this certificate can verify the server. */
    ca: cert,
    messages,
    close: () => server.close(() => {}),
  };
}
