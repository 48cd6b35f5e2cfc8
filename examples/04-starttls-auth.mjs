// @ts-check
/**
 * TLS and a login. `tls: 'always'` sends STARTTLS even where it is not offered, so that nobody on the way can take
 * the offer out; the certificate and its name are verified; the password leaves after that only.
 */
import { printable, SmtpClient } from 'smtpump';
import { password, startServer, user } from './support/server.mjs';

const server = await startServer({ login: true });

const client = new SmtpClient({
  host: server.host,
  port: server.port,
  tls: 'always',
  // The server's certificate is signed by itself. It is given as an authority; verification stays on.
  tlsOptions: { ca: server.ca },
  auth: { user, password },
});

client.on('SECURE_OK', ({ tls }) => console.log(`secure: ${tls.protocol}, verified: ${tls.authorized}`));
client.on('SECURE_FAIL', ({ error }) => console.error(error.message));
client.on('AUTH_OK', ({ mechanism }) => console.log(`logged in by ${mechanism}`));
client.on('AUTH_FAIL', ({ error }) => {
  console.error(error.message);
  client.disconnect();
});
client.on('EOM_ACK', ({ reply }) => {
  console.log(`accepted: ${reply.code} ${printable(reply.text)}`);
  client.disconnect();
});
client.on('DISCONNECTED', ({ reason }) => {
  if (reason !== undefined) console.error(reason.message);
  server.close();
});

// Called ahead: the steps leave when the connection is up, secure and logged in.
client.connect();
client.sendSender({ address: 'device@sender.example', name: 'Device 7' });
client.sendRecipient({ address: 'ann@receiver.example', name: 'Ann' });
client.sendBom({ subject: 'Over TLS' });
client.sendBody('Nobody on the way has read this.\r\n');
client.sendEom();
