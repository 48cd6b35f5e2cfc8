/** A plain mail server for the examples that are told where to send. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export class MailServer {
  /** As received. */
  readonly messages: string[] = [];
  readonly #server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    onData: async (stream, _session, done) => {
      this.messages.push(Buffer.concat(await stream.toArray()).toString());
      done();
    },
  });

  get port(): number {
    // a server that listens on TCP has an address of this kind
    return (this.#server.server.address() as AddressInfo).port;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, 'localhost');
    await once(this.#server.server, 'listening');
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
