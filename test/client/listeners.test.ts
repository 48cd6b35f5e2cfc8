/** Listeners that throw keep no other from hearing; they are removed by the function that was given. */
import type { SmtpEvent } from 'smtpump';
import { describe, expect, it } from 'vitest';
import { type Bench, connected, sendMail } from './support.ts';

/** What comes out of execute() until nothing more is to be done. */
function thrownBy({ client, clock }: Bench): unknown[] {
  const thrown: unknown[] = [];
  for (let turn = 0; turn < 1000; turn++) {
    try {
      if (client.execute() !== 'more' && clock.next > clock.now()) return thrown;
    } catch (error) {
      thrown.push(error);
    }
    clock.advance(0);
  }
  throw new Error('it never comes to rest');
}

const fail = (text: string) => (): never => {
  throw new Error(text);
};

describe('S20: several listeners of one event', () => {
  it('the first throws: the second hears it, `event` too, and the error comes out of execute() once', () => {
    const made = connected();
    const { client, news } = made;
    const heard: string[] = [];
    client.on('NOOP_ACK', fail('a bug'));
    client.on('NOOP_ACK', ({ name, reply }) => heard.push(`${name} ${reply.code}`));
    client.on('event', ({ name }) => heard.push(`event ${name}`));
    client.noop();
    expect(thrownBy(made).map(String)).toEqual(['Error: a bug']);
    expect(heard).toEqual(['NOOP_ACK 250', 'event NOOP_ACK']);
    expect(news()).toEqual(['NOOP_ACK']);
    client.noop();
    expect(thrownBy(made)).toHaveLength(1);
  });

  it('the very error comes out, whatever was thrown', () => {
    const made = connected();
    const mine = { not: 'an Error' };
    made.client.once('NOOP_ACK', () => {
      throw mine;
    });
    made.client.noop();
    expect(thrownBy(made)[0]).toBe(mine);
  });

  it('two throw: an AggregateError of both, in order; of `event` as well', () => {
    const made = connected();
    const heard: string[] = [];
    made.client.on('NOOP_ACK', fail('one'));
    made.client.on('NOOP_ACK', ({ name }) => heard.push(name));
    made.client.on('NOOP_ACK', fail('two'));
    made.client.on('event', fail('three'));
    made.client.noop();
    const [error, ...others] = thrownBy(made);
    expect(others).toEqual([]);
    expect(error).toBeInstanceOf(AggregateError);
    // it was looked at
    expect((error as AggregateError).errors.map(String)).toEqual([
      'Error: one',
      'Error: two',
      'Error: three',
    ]);
    expect(String(error)).toMatch(/3 listeners threw/);
    expect(heard).toEqual(['NOOP_ACK']);
    expect(made.news()).toEqual(['NOOP_ACK']);
  });

  it('a listener of COMMAND, REPLY or STATE that throws neither', () => {
    for (const name of ['COMMAND', 'REPLY', 'STATE'] as const) {
      const made = connected();
      let heard = 0;
      made.client.on(name, fail(name));
      made.client.on(name, () => heard++);
      sendMail(made.client);
      const thrown = thrownBy(made);
      expect(thrown.length, name).toBe(heard);
      expect(heard, name).toBeGreaterThan(3);
      expect(made.news().at(-1), name).toBe('EOM_ACK 1 b/');
    }
  });

  it('what a thrower called before it threw is sent, and each error comes with its own event', () => {
    const made = connected();
    let left = 3;
    made.client.on('NOOP_ACK', () => {
      if (--left > 0) made.client.noop();
      throw new Error(`${left}`);
    });
    made.client.noop();
    expect(thrownBy(made).map(String)).toEqual(['Error: 2', 'Error: 1', 'Error: 0']);
    expect(made.server.commands.filter((line) => line === 'NOOP')).toHaveLength(3);
  });
});

describe('a listener is removed as it was given', () => {
  const ways = ['off', 'removeListener'] as const;

  it.each(ways)('by %s(), whether on() or addListener() or once() gave it', (way) => {
    for (const add of ['on', 'addListener', 'once'] as const) {
      const made = connected();
      const heard: string[] = [];
      const listener = ({ name }: SmtpEvent): void => void heard.push(name);
      made.client[add]('NOOP_ACK', listener);
      made.client.on('RESET', listener);
      expect(made.client.listenerCount('NOOP_ACK')).toBe(1);
      made.client[way]('NOOP_ACK', listener);
      expect(made.client.listenerCount('NOOP_ACK')).toBe(0);
      made.client.noop();
      made.client.reset();
      made.settle();
      expect(heard, add).toEqual(['RESET']);
    }
  });

  it.each(ways)('by %s() without a listener all go; a stranger takes nobody along', (way) => {
    const made = connected();
    const heard: number[] = [];
    made.client.on('NOOP_ACK', () => heard.push(1));
    made.client.on('NOOP_ACK', () => heard.push(2));
    made.client[way]('NOOP_ACK', () => {});
    made.client.noop();
    made.settle();
    expect(heard).toEqual([1, 2]);
    made.client[way]('NOOP_ACK');
    made.client.noop();
    made.settle();
    expect(heard).toEqual([1, 2]);
  });

  it('once() hears one event, also when it throws', () => {
    const made = connected();
    let heard = 0;
    made.client.once('NOOP_ACK', () => {
      heard++;
      throw new Error('once');
    });
    made.client.noop();
    made.client.noop();
    expect(thrownBy(made).map(String)).toEqual(['Error: once']);
    expect(heard).toBe(1);
    expect(made.news()).toEqual(['NOOP_ACK', 'NOOP_ACK']);
  });

  it('added twice it hears twice, and off() takes both, as in eventemitter3', () => {
    const made = connected();
    let heard = 0;
    const listener = (): void => void heard++;
    made.client.on('NOOP_ACK', listener);
    made.client.on('NOOP_ACK', listener);
    made.client.noop();
    made.settle();
    expect(heard).toBe(2);
    made.client.off('NOOP_ACK', listener);
    made.client.noop();
    made.settle();
    expect(heard).toBe(2);
  });

  it('`this` is the context that was given, and off() with another context leaves it', () => {
    const made = connected();
    const mine = { heard: 0 };
    function count(this: typeof mine): void {
      this.heard++;
    }
    made.client.on('NOOP_ACK', count, mine);
    made.client.off('NOOP_ACK', count, {});
    made.client.noop();
    made.settle();
    expect(mine.heard).toBe(1);
    made.client.off('NOOP_ACK', count, mine);
    expect(made.client.listenerCount('NOOP_ACK')).toBe(0);
  });

  it('from within itself, and while it throws', () => {
    const made = connected();
    let heard = 0;
    const listener = (): never => {
      heard++;
      made.client.off('NOOP_ACK', listener);
      throw new Error('and gone');
    };
    made.client.on('NOOP_ACK', listener);
    made.client.noop();
    made.client.noop();
    expect(thrownBy(made)).toHaveLength(1);
    expect(heard).toBe(1);
  });

  it('what is no function is refused when it is given', () => {
    const made = connected();
    // wrong on purpose
    expect(() => made.client.on('NOOP_ACK', 5 as never)).toThrow(/function/);
    expect(() => made.client.once('NOOP_ACK', undefined as never)).toThrow(/function/);
  });
});
