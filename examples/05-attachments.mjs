// @ts-check
/**
 * A MIME mail with attachments. With `mime: true` the client writes From, To, Subject, Date and Message-ID and leaves
 * the header open; nodemailer's MailComposer writes the MIME fields, the blank line and the parts behind them.
 */
import { pipeline } from 'node:stream/promises';
import MailComposer from 'nodemailer/lib/mail-composer';
import PostalMime from 'postal-mime';
import { printable, SmtpClient } from 'smtpump';
import { startServer } from './support/server.mjs';

const mime = new MailComposer({
  text: 'The log and the picture are attached.',
  html: '<p>The log and the <b>picture</b> are attached.</p>',
  attachments: [
    { filename: 'größe.log', content: 'one line of many\n'.repeat(1000) },
    { filename: 'picture.png', content: Buffer.alloc(1_000_000, 0x89) },
  ],
}).compile();
// The composer writes these two of its own accord, and the client has written them already.
const build = mime.buildHeaders.bind(mime);
mime.buildHeaders = () => build().replace(/^(Date|Message-ID):.*(\r\n[ \t].*)*\r\n/gim, '');

const server = await startServer();
const client = new SmtpClient({ host: server.host, port: server.port });
client.on('EOM_ACK', () => client.disconnect());
client.on('SERVER_ERROR', ({ error }) => {
  console.error(error.message);
  client.disconnect();
});
const disconnected = new Promise((resolve) => client.on('DISCONNECTED', resolve));

client.connect();
client.sendSender({ address: 'device@sender.example', name: 'Device 7' });
client.sendRecipient({ address: 'ann@receiver.example', name: 'Ann' });
client.sendBom({ subject: 'Größe und Bild', mime: true });
// The stream waits where the line is slow; its end is the end of the message.
await pipeline(mime.createReadStream(), client.bodyStream());
await disconnected;
server.close();

const mail = await PostalMime.parse(server.messages[0] ?? '');
show(`from     ${mail.from?.name} <${mail.from?.address}>`);
show(`subject  ${mail.subject}`);
show(`text     ${mail.text?.trim()}`);
for (const { filename, mimeType, content } of mail.attachments) {
  const octets = content instanceof ArrayBuffer ? content.byteLength : 0;
  show(`part     ${filename}, ${mimeType}, ${octets} octets`);
}
for (const name of ['from', 'to', 'subject', 'date', 'message-id', 'mime-version', 'content-type']) {
  const times = mail.headers.filter(({ key }) => key === name).length;
  if (times !== 1) console.error(`${name} stands ${times} times`);
}

/** What has come over a wire is shown without its control characters. @param {string} text */
function show(text) {
  console.log(printable(text));
}
