/** Every fault that the server, the line, the time or the caller can bring, each with a name. */

import type { Hold } from './reach.ts';
import type { Rig } from './rig.ts';

export interface Fault {
  readonly name: string;
  readonly hold: Hold;
  /** Needs the server's end of the line. */
  readonly needsSession?: boolean;
  /** The server says what is not so. */
  readonly lying?: boolean;
  readonly strike: (rig: Rig) => void;
}

function server(name: string, strike: (rig: Rig) => void, lying = false): Fault {
  return { name, hold: 'silent', needsSession: true, lying, strike };
}

const says = (name: string, text: string | Uint8Array, lying = false): Fault =>
  server(name, (rig) => rig.session?.say(text), lying);

/** Both with a server that goes on after a minute, and with one that has fallen silent. */
function caller(name: string, strike: (rig: Rig) => void): readonly Fault[] {
  return [
    { name: `${name}, and no answer`, hold: 'silent', strike },
    { name: `${name}, and a late answer`, hold: 'late', strike },
  ];
}

export const faults: readonly Fault[] = [
  server('the line ends in an orderly way', (rig) => rig.session?.line.end()),
  server('the line is reset', (rig) => rig.session?.line.reset()),
  server('nothing ever arrives again', (rig) => rig.session?.line.stall()),
  { name: 'silence', hold: 'silent', strike() {} },
  says('421', '421 4.3.2 going down\r\n'),
  server('421 and the end of the line', (rig) => {
    rig.session?.say('421-4.3.2 going\r\n421 4.3.2 down\r\n');
    rig.session?.line.end();
  }),
  says('garbage', 'hello, is it me?\r\n'),
  says('a TLS record', Uint8Array.of(0x16, 3, 1, 0, 4, 1, 0, 0, 0)),
  says('two codes in one reply', '250-a\r\n550 b\r\n'),
  says('NUL', '250 a\0b\r\n\0\0\0', true),
  says('a reply that is not finished', '250-a\r\n250-b\r\n'),
  server('half a reply and the end of the line', (rig) => {
    rig.session?.say('250-a\r\n25');
    rig.session?.line.end();
  }),
  says('354', '354 go on\r\n', true),
  says('220', '220 go on\r\n', true),
  says('235', '235 you are in\r\n', true),
  says('250', '250 yes\r\n', true),
  says('334', '334 \r\n', true),
  says('451', '451 4.3.0 later\r\n'),
  says('535', '535 5.7.8 no\r\n'),
  says('three replies', '250 a\r\n250 b\r\n250 c\r\n', true),
  says('a flood of replies', '250 ok\r\n'.repeat(500), true),
  ...caller('abort()', ({ client }) => client.abort()),
  ...caller('disconnect()', ({ client }) => client.disconnect()),
  ...caller('disconnect() and abort()', ({ client }) => {
    client.disconnect();
    client.abort();
  }),
  ...caller('disconnect(), a turn and abort()', (rig) => {
    rig.client.disconnect();
    rig.settle();
    if (rig.client.can('abort')) rig.client.abort();
  }),
  ...caller('reset()', ({ client }) => void (client.can('reset') && client.reset())),
  ...caller('reset() and disconnect()', ({ client }) => {
    if (client.can('reset')) client.reset();
    if (client.can('disconnect')) client.disconnect();
  }),
  ...caller('reset(), a turn and abort()', (rig) => {
    if (rig.client.can('reset')) rig.client.reset();
    rig.settle();
    if (rig.client.can('abort')) rig.client.abort();
  }),
  ...caller('noop() twice', ({ client }) => {
    if (!client.can('noop')) return;
    client.noop();
    client.noop();
  }),
  ...caller('a listener that always throws', ({ client }) => {
    client.afterEvent = (event) => {
      throw new Error(`the listener of ${event.name} throws`);
    };
  }),
];
