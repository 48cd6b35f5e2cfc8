/** reset() in every phase: what it takes back, what it costs, what is told. */
import type { ScriptedReply } from 'smtpump/testing';
import { describe, expect, it } from 'vitest';
import { type Bench, bench, connected, last, late, replies, sendMail, steps, verbs } from './support.ts';

function nextMailGoes({ client, server, settle, news }: Bench, id: number): void {
  sendMail(client);
  settle();
  expect(news()).toEqual([`SENDER_ACK ${id}`, `RECIPIENT_ACK ${id} b`, `BOM_ACK ${id}`, `EOM_ACK ${id} b/`]);
  expect(server.violations).toEqual([]);
}

describe('reset()', () => {
  it('TK19: with nothing to withdraw it is a plain RSET, and RESET is told once, with the reply', () => {
    const { client, server, settle, news, events } = connected();
    client.reset();
    settle();
    expect(news()).toEqual(['RESET']);
    expect(last(events, 'RESET').reply.code).toBe(250);
    expect(verbs(server.commands)).toEqual(['RSET']);
    expect(client.state).toBe('ready');
  });

  it('TK18: after RCPT it withdraws: state ready, no timer, and a new transaction works', () => {
    const made = connected();
    const { client, server, settle, news } = made;
    steps(client, 'recipient');
    settle();
    news();
    client.reset();
    expect(client.state).toBe('ready');
    settle();
    expect(news()).toEqual(['RESET']);
    expect(client.readTimer()).toBe(Number.POSITIVE_INFINITY);
    expect(verbs(server.commands)).toEqual(['MAIL', 'RCPT', 'RSET']);
    nextMailGoes(made, 2);
    expect(verbs(server.commands)).toEqual(['MAIL', 'RCPT', 'RSET', 'MAIL', 'RCPT', 'DATA']);
  });

  it('TK18: while a reply is due the reply is waited for, told to nobody, and RESET follows', () => {
    const made = connected({
      server: replies({ MAIL: (_, nth) => (nth === 1 ? late('250 ok') : undefined) }),
    });
    const { client, settle, news } = made;
    steps(client, 'recipient');
    client.execute();
    client.reset();
    settle();
    expect(news()).toEqual(['RESET']);
    nextMailGoes(made, 2);
  });

  it('what has not left is never sent', () => {
    const made = connected();
    const { client, server, settle, news } = made;
    steps(client, 'bom');
    client.reset();
    settle();
    expect(verbs(server.commands)).toEqual(['RSET']);
    expect(news()).toEqual(['RESET']);
    nextMailGoes(made, 2);
    expect(verbs(server.commands)).toEqual(['RSET', 'MAIL', 'RCPT', 'DATA']);
  });

  it('while connecting it is sent when mail can be', () => {
    const { client, server, settle, told } = bench();
    client.connect();
    steps(client, 'body');
    client.reset();
    settle();
    expect(told).toEqual(['CONNECTED', 'RESET']);
    expect(verbs(server.commands)).toEqual(['RSET']);
  });

  it('a refused RSET is SERVER_ERROR', () => {
    const { client, settle, news } = connected({ server: replies({ RSET: '500 what?' }) });
    client.reset();
    settle();
    expect(news()).toEqual(['SERVER_ERROR reset 500']);
  });

  it('while DATA content is open the line is closed: unsent, EABORTED, nothing after it', () => {
    const { client, server, settle, news, events } = connected();
    steps(client, 'body');
    settle();
    news();
    client.reset();
    settle();
    expect(news()).toEqual(['DISCONNECTED EABORTED 1:unsent']);
    expect(last(events, 'DISCONNECTED').reason).toMatchObject({ code: 'EABORTED', phase: 'body' });
    expect(verbs(server.commands)).toEqual(['MAIL', 'RCPT', 'DATA']);
    expect(server.messages).toEqual([]);
    expect(client.state).toBe('disconnected');
  });

  it('DATA on the wire and not answered: 354 closes the line, unsent, EABORTED', () => {
    const { client, server, settle, news } = connected({ server: replies({ DATA: late('354 go') }) });
    steps(client, 'body');
    client.execute();
    client.reset();
    settle();
    expect(news()).toEqual(['DISCONNECTED EABORTED 1:unsent']);
    expect(verbs(server.commands)).toEqual(['MAIL', 'RCPT', 'DATA']);
    expect(server.violations).toEqual([]);
  });

  it('DATA on the wire and then refused: nothing to close, RESET', () => {
    const made = connected({
      server: replies({ DATA: (_, nth) => (nth === 1 ? late('451 later') : undefined) }),
    });
    const { client, settle, news } = made;
    steps(client, 'body');
    client.execute();
    client.reset();
    settle();
    expect(news()).toEqual(['RESET']);
    nextMailGoes(made, 2);
  });

  it('DATA on the wire, nobody accepted and 354: a lone dot, RESET', () => {
    const first = (reply: ScriptedReply) => (_: unknown, nth: number) => (nth === 1 ? reply : undefined);
    const made = connected({
      server: replies({ RCPT: first(late('550 no')), DATA: first('354 go'), CONTENT: first('554 nothing') }),
    });
    const { client, server, settle, news } = made;
    steps(client, 'body');
    client.execute();
    client.reset();
    settle();
    expect(server.log).toContain('C: <text of 0 octets>');
    expect(news()).toEqual(['RESET']);
    nextMailGoes(made, 2);
  });

  it('ended messages keep their verdicts: EOM_ACK, then RESET', () => {
    const made = connected();
    const { client, settle, news } = made;
    steps(client, 'eom');
    client.reset();
    settle();
    expect(news()).toEqual(['SENDER_ACK 1', 'RECIPIENT_ACK 1 b', 'BOM_ACK 1', 'EOM_ACK 1 b/', 'RESET']);
    nextMailGoes(made, 2);
  });

  it('only the newest message is withdrawn, the ended one before it is delivered', () => {
    const { client, server, settle, news } = connected({ server: replies({ CONTENT: late('250 mine') }) });
    steps(client, 'eom');
    steps(client, 'recipient');
    client.execute();
    client.reset();
    settle();
    expect(news()).toEqual(['SENDER_ACK 1', 'RECIPIENT_ACK 1 b', 'BOM_ACK 1', 'EOM_ACK 1 b/', 'RESET']);
    expect(server.delivered).toBe(1);
  });

  it('after a refusal it is sent and told', () => {
    const { client, server, settle, news } = connected({ server: replies({ DATA: '451 later' }) });
    steps(client, 'eom');
    settle();
    news();
    client.reset();
    settle();
    expect(news()).toEqual(['RESET']);
    client.sendSender('a@example.test');
    settle();
    // the one RSET serves both ends
    expect(verbs(server.commands).filter((verb) => verb === 'RSET')).toHaveLength(1);
  });
});
