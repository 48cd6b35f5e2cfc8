/** What a client keeps of its messages when its connections are over: nothing. Counted on the heap, so by itself. */
import * as v8 from 'node:v8';
import { expect, it } from 'vitest';
import { Content } from '../../src/core/content.ts';
import { Mail } from '../../src/core/mail.ts';
import { World } from './world.ts';

it.skipIf(!('queryObjects' in v8))(
  'S11: clients whose connections are over keep no message and no content',
  () => {
    const clients: World['client'][] = [];
    for (let seed = 1; seed <= 200; seed++) {
      const world = new World(seed);
      if (world.ticks) continue;
      for (const _ of world.run());
      clients.push(world.client);
    }
    const begun = clients.flatMap(({ lives }) => lives.flatMap((life) => life.begun));
    expect(begun.length).toBeGreaterThan(100);
    expect(v8.queryObjects(Mail, { format: 'count' })).toBe(0);
    expect(v8.queryObjects(Content, { format: 'count' })).toBe(0);
    expect(clients.every((client) => client.state === 'disconnected')).toBe(true);
  },
);
