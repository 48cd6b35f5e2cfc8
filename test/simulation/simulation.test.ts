/** Two thousand worlds, and the proof that they would notice. More by `npm run test:long`, any by `npm run simulate`. */
import { SmtpClient } from 'smtpump';
import { Random } from 'smtpump/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Connection } from '../../src/core/connection.ts';
import { Content } from '../../src/core/content.ts';
import { Deadlines } from '../../src/core/deadlines.ts';
import { Ledger } from '../../src/core/ledger.ts';
import { Opening } from '../../src/core/opening.ts';
import { Outbox } from '../../src/core/outbox.ts';
import { Transactions } from '../../src/core/transactions.ts';
import { runSeed, runSeeds } from './simulate.ts';

const seeds = process.env.SMTPUMP_LONG === undefined ? 2000 : 40_000;
const share = seeds / 4;

afterEach(() => void vi.restoreAllMocks());

describe('S13 S18 S20 §8: whatever happens, the truths hold', () => {
  it.each([0, 1, 2, 3])('in the worlds of quarter %i', async (quarter) => {
    const { failed, met } = await runSeeds(1 + quarter * share, share);
    expect(failed.map(({ seed, wrong }) => ({ seed, wrong }))).toEqual([]);
    // they are not all over before they have begun
    expect(met.CONNECTED).toBeGreaterThan(share / 3);
    expect(met.EOM_ACK).toBeGreaterThan(share / 3);
    expect(met.copies).toBeGreaterThan(share / 100);
    for (const name of [
      'TIMEOUT',
      'SECURE_FAIL',
      'AUTH_FAIL',
      'SERVER_ERROR',
      'SERVER_RETRY',
      'DRAIN',
      'RESET',
    ])
      expect(met[name], name).toBeGreaterThan(share / 100);
  });

  it('§8.6: another seed is another world', async () => {
    const [one, other] = [await runSeed(1, true), await runSeed(2, true)];
    expect(one.digest).not.toBe(other.digest);
  });
});

/** Flaws planted into the client, with what the worlds must say of them. */
const flaws: Readonly<Record<string, { plant(): void; noticed: RegExp }>> = {
  'an octet of the content is lost': {
    plant() {
      const { put } = Content.prototype;
      vi.spyOn(Content.prototype, 'put').mockImplementation(function (this: Content, chunk) {
        put.call(this, chunk.length > 3 ? chunk.subarray(1) : chunk);
      });
    },
    noticed: /content is/,
  },
  'a good verdict is not told': {
    plant() {
      const { tell } = Outbox.prototype;
      vi.spyOn(Outbox.prototype, 'tell').mockImplementation(function (this: Outbox, event) {
        if (event.name !== 'EOM_ACK') tell.call(this, event);
      });
    },
    noticed: /no result/,
  },
  'the end is told twice': {
    plant() {
      const { tell } = Outbox.prototype;
      vi.spyOn(Outbox.prototype, 'tell').mockImplementation(function (this: Outbox, event) {
        tell.call(this, event);
        if (event.name === 'DISCONNECTED') tell.call(this, event);
      });
    },
    noticed: /2 DISCONNECTED/,
  },
  'that the end has left is forgotten': {
    plant: () => void vi.spyOn(Transactions.prototype, 'endLeft').mockImplementation(() => {}),
    noticed: /unsent, and the server has it/,
  },
  'a line that is lost loses no message': {
    plant: () => void vi.spyOn(Transactions.prototype, 'lose').mockImplementation(() => []),
    noticed: /no result/,
  },
  'no deadline comes': {
    plant: () => void vi.spyOn(Deadlines.prototype, 'next').mockReturnValue(Number.POSITIVE_INFINITY),
    noticed: /it hangs/,
  },
  'deadlines are not saved': {
    plant: () => void vi.spyOn(Deadlines.prototype, 'load').mockImplementation(() => {}),
    noticed: /restored/,
  },
  'answers go to the newest command': {
    plant() {
      const { settle } = Ledger.prototype;
      let nth = 0;
      vi.spyOn(Ledger.prototype, 'settle').mockImplementation(function (this: Ledger) {
        if (++nth % 40 !== 0) settle.call(this);
      });
    },
    noticed: /./,
  },
  'the line is taken for secure': {
    plant() {
      const { hear } = Opening.prototype;
      vi.spyOn(Opening.prototype, 'hear').mockImplementation(function (this: Opening, reply) {
        const tls = { protocol: '', cipher: '', authorized: true, servername: undefined, resumed: false };
        return hear.call(this, reply, tls);
      });
    },
    noticed: /credentials in clear/,
  },
  'a refused recipient is not told': {
    plant() {
      const { tell } = Outbox.prototype;
      vi.spyOn(Outbox.prototype, 'tell').mockImplementation(function (this: Outbox, event) {
        if (!('step' in event && event.step === 'sendRecipient')) tell.call(this, event);
      });
    },
    noticed: /rejected/,
  },
  'a listener is called by a step': {
    plant() {
      const { noop } = SmtpClient.prototype;
      vi.spyOn(SmtpClient.prototype, 'noop').mockImplementation(function (this: SmtpClient) {
        noop.call(this);
        this.emit('event', { name: 'DRAIN' });
      });
    },
    noticed: /outside execute/,
  },
  'a step rings nobody': {
    plant() {
      const { sendEom } = SmtpClient.prototype;
      vi.spyOn(SmtpClient.prototype, 'sendEom').mockImplementation(function (this: SmtpClient) {
        this.setAsyncCallback(undefined);
        sendEom.call(this);
      });
    },
    noticed: /wake-up was lost/,
  },
  'another says whether a step is legal': {
    plant() {
      const { can } = SmtpClient.prototype;
      vi.spyOn(SmtpClient.prototype, 'can').mockImplementation(function (this: SmtpClient, step) {
        return step === 'reset' ? true : can.call(this, step);
      });
    },
    noticed: /can\('reset'\) is true/,
  },
  'chance comes from elsewhere': {
    plant() {
      const { bytes } = Random.prototype;
      let nth = 0;
      vi.spyOn(Random.prototype, 'bytes').mockImplementation(function (this: Random, count) {
        return bytes.call(this, count).fill(++nth & 0xff);
      });
    },
    noticed: /twice the same seed differs/,
  },
  'the transport is written to behind the back of the connection': {
    plant() {
      const { drain } = Connection.prototype;
      vi.spyOn(Connection.prototype, 'drain').mockImplementation(function (this: Connection, transport) {
        drain.call(this, transport);
        if (this.ledger.oldest?.kind === 'data') transport.write(Buffer.from('NOOP\r\n'));
      });
    },
    noticed: /broke a rule/,
  },
};

describe('they notice when', () => {
  it.each(Object.entries(flaws))('%s', async (_, { plant, noticed }) => {
    plant();
    const said = new Set<string>();
    for (let seed = 1; seed <= 2000 && said.size === 0; seed += 50) {
      const { failed } = await runSeeds(seed, 50, 10);
      for (const { wrong } of failed) for (const text of wrong) if (noticed.test(text)) said.add(text);
    }
    expect([...said].length).toBeGreaterThan(0);
  });
});
