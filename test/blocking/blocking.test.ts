/** The blocking steps in virtual time: what they return, what they throw, and what is left afterwards. */
import { BlockingClient, connect } from 'smtpump/blocking';
import { ScriptedServer, type ServerOptions, SimNetwork, VirtualClock } from 'smtpump/testing';
import { describe, expect, test } from 'vitest';

function world(
  serverOptions: ServerOptions = {},
  more: ConstructorParameters<typeof BlockingClient>[0] = {},
) {
  const clock = new VirtualClock();
  const network = new SimNetwork({ clock, latencyMs: 10 });
  const server = new ScriptedServer(serverOptions);
  network.listen('mx.example', server);
  const options = { host: 'mx.example', clock, transport: network.transport(), ...more };
  return { clock, server, network, options };
}

function mail(client: BlockingClient, body = 'Hello.\r\n', to = ['you@receiver.example']) {
  client.sendSender('me@sender.example');
  for (const address of to) client.sendRecipient(address);
  client.sendBom({ subject: 'Hi' });
  client.sendBody(body);
  return client.sendEom();
}

describe('each call returns when the server has answered [TK51]', () => {
  test('connect with what was found, the steps with the reply, the end with the recipients', () => {
    const { options, server } = world();
    const client = new BlockingClient(options);
    const found = client.connect();
    expect(found).toMatchObject({ reply: { code: 250 }, secure: false, tls: undefined });
    expect(found.capabilities).toBe(client.capabilities);
    expect(client.sendSender('me@sender.example').code).toBe(250);
    expect(client.sendRecipient('you@receiver.example').code).toBe(250);
    expect(client.sendBom({ subject: 'Hi' })?.code).toBe(354);
    expect(client.sendBody('Grüße\r\n')).toBe(9);
    const { reply, accepted, rejected } = client.sendEom();
    expect(reply.code).toBe(250);
    expect(accepted.map(({ address }) => address)).toEqual(['you@receiver.example']);
    expect(rejected).toEqual([]);
    expect(client.noop().code).toBe(250);
    expect(client.reset().code).toBe(250);
    expect(client.disconnect()?.code).toBe(221);
    expect(client.state).toBe('disconnected');
    expect(client.disconnect()).toBeUndefined();
    expect(server.violations).toEqual([]);
    expect(server.messages).toHaveLength(1);
  });

  test('many mails on one connection, and another connection after it', () => {
    const { options, server } = world();
    const client = connect(options);
    mail(client);
    mail(client);
    client.disconnect();
    client.connect();
    mail(client);
    client.disconnect();
    expect(server.messages).toHaveLength(3);
  });
});
