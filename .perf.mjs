import { SmtpClient } from 'smtpump';
import { VirtualClock } from 'smtpump/testing';
import { MemorySink } from './bench/sink/memory.mjs';
const headers = process.argv[2] === 'headers'; const inFlight = +(process.argv[3] ?? 64); const chunk = process.argv[4] !== 'data';
const counts = { messages: 0, octets: 0 };
const clock = new VirtualClock();
const client = new SmtpClient({ host: 'h', localName: 'c.example', tls: 'never', clock, transport: new MemorySink(counts, chunk), pump: 'manual', messagesInFlight: inFlight });
const body = Buffer.from(headers ? 'x'.repeat(62).concat('\r\n').repeat(12) : 'From: a@b.example\r\nTo: c@d.example\r\nSubject: hi\r\nDate: x\r\nMessage-ID: <a@b>\r\n\r\n' + 'x'.repeat(62).concat('\r\n').repeat(14));
let heard = 0, ended = 0, sent = 0;
client.on('SENDER_ACK', () => heard++); client.on('RECIPIENT_ACK', () => heard++); client.on('BOM_ACK', () => heard++);
const send = () => { sent++; client.sendSender('from@sender.example'); client.sendRecipient('to@receiver.example'); client.sendBom(headers ? { subject: 'Hello there' } : { raw: true }); client.sendBody(body); client.sendEom(); };
client.on('EOM_ACK', () => { ended++; send(); });
client.on('CONNECTED', () => { for (let i = 0; i < inFlight * 2; i++) send(); });
client.connect();
const run = (n) => { const end = ended + n; while (ended < end) client.execute(1000); };
run(50000);
for (let r = 0; r < 3; r++) { const t = process.cpuUsage(); run(100000); const u = process.cpuUsage(t); console.log(headers ? 'headers' : 'raw', inFlight, chunk ? 'bdat' : 'data', ((u.user + u.system) / 100000).toFixed(2), 'us/msg'); }
