// @ts-check
/** `node leaves.mjs TRANSPORT PORT OCTETS`: writes them, closes gently and has nothing more to do. */
import { tcp, worker } from 'smtpump';

const [, , how, port, octets] = process.argv;
const transport = how === 'tcp' ? tcp({ closeMs: 60_000 }) : worker({ closeMs: 60_000 });
transport.onReady = () => {
  if (transport.poll()?.type !== 'open') return;
  transport.write(new Uint8Array(Number(octets)));
  transport.close(true);
  console.log('closed');
};
transport.open({ host: '127.0.0.1', port: Number(port) });
