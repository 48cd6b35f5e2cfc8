/** A server that is named by its address, with real TLS over real sockets: what exactly is verified (S4). */

import { SmtpClient, type SmtpEvent, type TlsOptions } from 'smtpump';
import { describe, expect, it } from 'vitest';
import { certificate } from '../support/certificates.ts';
import { atEnd, listen, serveTls } from '../transport/loopback.ts';

/** Connects to 127.0.0.1 with a certificate for these names; the events up to CONNECTED or the end. */
async function call(tls: 'implicit' | 'always', names: readonly string[], tlsOptions: TlsOptions = {}) {
  const { key, cert, ca } = certificate({ names });
  const { port } = await listen((socket) => {
    const greet = (out: { write(text: string): unknown }): void => void out.write('220 hello\r\n');
    const secure = (): void => {
      const inner = serveTls(socket, { key, cert });
      if (tls === 'implicit') greet(inner);
      inner.on('data', () => inner.write('250 mx.example.test\r\n'));
    };
    if (tls === 'implicit') return secure();
    greet(socket);
    socket.on('data', function clear(line: Buffer) {
      if (!line.includes('STARTTLS')) return void socket.write('250-mx\r\n250 STARTTLS\r\n');
      socket.off('data', clear);
      socket.write('220 go\r\n', secure);
    });
  });
  const client = new SmtpClient({ host: '127.0.0.1', port, tls, tlsOptions: { ca, ...tlsOptions } });
  const events: SmtpEvent[] = [];
  atEnd(() => void (client.can('abort') && client.abort()));
  await new Promise<void>((resolve) => {
    client.on('event', (event) => {
      events.push(event);
      if (event.name === 'CONNECTED' || event.name === 'DISCONNECTED') resolve();
    });
    client.connect();
  });
  return events.map(({ name }) => name);
}

describe.each(['implicit', 'always'] as const)('S4: tls %s, host 127.0.0.1', (tls) => {
  it('a certificate for that address is good', async () => {
    expect(await call(tls, ['IP:127.0.0.1'])).toEqual(['SECURE_OK', 'CONNECTED']);
  });

  it.each(['DNS:localhost', 'IP:127.0.0.2', 'DNS:127.0.0.1', 'DNS:mx.example.test'])(
    'one for %s is not',
    async (name) => {
      expect(await call(tls, [name])).toEqual(['SECURE_FAIL', 'DISCONNECTED']);
    },
  );

  it('a servername that is asked for is what is verified', async () => {
    expect(await call(tls, ['DNS:a.example.test'], { servername: 'a.example.test' })).toEqual([
      'SECURE_OK',
      'CONNECTED',
    ]);
    expect(await call(tls, ['IP:127.0.0.1'], { servername: 'a.example.test' })).toEqual([
      'SECURE_FAIL',
      'DISCONNECTED',
    ]);
  });

  it('an empty servername does not make any name good', async () => {
    expect(await call(tls, ['DNS:localhost'], { servername: '' })).toEqual(['SECURE_FAIL', 'DISCONNECTED']);
    expect(await call(tls, ['IP:127.0.0.1'], { servername: '' })).toEqual(['SECURE_OK', 'CONNECTED']);
  });
});
