/** The boards are run as their reader would run them: what they mail arrives, and the same run is the same each time. */
import PostalMime from 'postal-mime';
import { describe, expect, test } from 'vitest';
import { type Outcome, runNode } from '../support/run-node.ts';
import { MailServer } from './mail-server.ts';

/** `freeze`, `free`: the SHA-256 of all that happens. Another one means that bytes, events or times are others. */
const boards = [
  {
    board: 'firmware-thermostat/thermostat',
    mail: { from: 'thermostat@sender.example', subject: 'Too warm', text: 'It is 30 C.\n' },
    freeze: 'ea8ffe2d9bdc1a0a17a1e807e3310776032fecff609f02cdcf938d783ab12506',
    free: '12f6a62a18678042f7dc68f262dbc7b9a51a13af03a39c9dda96c9e4ce7ded8b',
  },
  {
    board: 'firmware-rp2040/freezer',
    mail: { from: 'freezer@sender.example', subject: 'Door', text: 'The door is open.\n' },
    freeze: '686c001a69f7cefe4f6f8cdb96cf70b591a8b61c86970456cc260a96d78fbcff',
    free: 'c332c5274248e9485189e46c5b9074d8fc541da4a93be7a177b8ef775512c636',
  },
];

const run = (board: string, ...flags: string[]): Promise<Outcome> =>
  runNode([`examples/${board}.mjs`, ...flags]);

interface Line {
  readonly board: number;
  readonly pump: number;
  readonly who: string;
  readonly text: string;
}

const linesOf = ({ stdout }: Outcome): Line[] =>
  [...stdout.matchAll(/^ *([\d.]+) +([\d.]+) {2}(\S+) +(.*)$/gm)].map(
    ([, board, pump, who = '', text = '']) => ({
      board: Number(board),
      pump: Number(pump),
      who,
      text,
    }),
  );

/** What the board said while it waited for each of its answers, and how much of its time went by meanwhile. */
function waits(lines: readonly Line[]): { asked: string; ms: number; said: string[] }[] {
  const found: { asked: string; ms: number; said: string[] }[] = [];
  const said = lines.filter(({ who }) => who === 'board' || who === 'modem');
  said.forEach((answer, i) => {
    if (answer.who !== 'modem') return;
    const from = said.findLastIndex(
      ({ who, text }, at) => at < i && who === 'board' && !text.startsWith('#'),
    );
    const asked = said[from];
    if (asked === undefined) throw new Error(`nothing was asked before ${answer.text}`);
    const between = said.slice(from + 1, i).map(({ text }) => text);
    found.push({ asked: asked.text, ms: answer.board - asked.board, said: between });
  });
  return found;
}

async function read(raw: string): Promise<{ from: string; to: string[]; subject: string; text: string }> {
  const { from, to, subject, text } = await PostalMime.parse(raw);
  const addresses = to?.map(({ address }) => address ?? '') ?? [];
  return { from: from?.address ?? '', to: addresses, subject: subject ?? '', text: text ?? '' };
}

describe.concurrent.each(boards)('$board', ({ board, mail, ...digests }) => {
  test.each(['freeze', 'free'] as const)(
    'with the server in memory, %s: the same trace in each run',
    async (pace) => {
      const [one, two] = await Promise.all([run(board, '--pace', pace), run(board, '--pace', pace)]);
      expect(one).toEqual({ code: 0, stdout: expect.any(String), stderr: '' });
      expect(two).toEqual(one);
      expect(/^sha256 (.*)$/m.exec(one.stdout)?.[1], one.stdout).toBe(digests[pace]);
      const [, raw = ''] = /\n\n(From: .*)\n\nsha256/s.exec(one.stdout) ?? [];
      expect(await read(raw)).toEqual({ ...mail, to: ['ann@receiver.example'] });
    },
  );

  test('freeze: what it waits for costs it no time, and the server its own', async () => {
    const lines = linesOf(await run(board, '--pace', 'freeze'));
    const all = waits(lines);
    expect(all.map(({ asked }) => asked.split(' ')[0])).toEqual([
      'CONNECT',
      'FROM',
      'TO',
      'DATA',
      mail.text.split(' ')[0],
      '.',
      'QUIT',
    ]);
    for (const { ms, said } of all) {
      expect(ms).toBeLessThan(0.01); // the instruction at hand
      expect(said).toEqual([]);
    }
    const last = lines.at(-1);
    // five round trips, the line's own, and a second for the mail
    expect((last?.pump ?? 0) - (last?.board ?? 0)).toBeGreaterThan(1400);
  });

  test('free: it runs on, and measures while its mail is under way', async () => {
    const lines = linesOf(await run(board, '--pace', 'free'));
    const all = waits(lines);
    expect(all).toHaveLength(7);
    expect(all.filter(({ ms }) => ms >= 80)).toHaveLength(6); // but for the text, which is only taken
    expect(all.find(({ asked }) => asked === '.')?.said.length).toBeGreaterThan(0);
    for (const { board: boardMs, pump } of lines) expect(Math.abs(boardMs - pump)).toBeLessThan(1.1);
  });

  test.each(['freeze virtual', 'freeze real', 'free real'])(
    'with a server on a socket, %s: the mail arrives',
    async (flags) => {
      const [pace = '', clock = ''] = flags.split(' ');
      const server = new MailServer();
      await server.listen();
      const where = ['--server', `localhost:${server.port}`];
      const { code, stderr } = await run(board, ...where, '--pace', pace, '--clock', clock);
      await server.close();
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(server.messages).toHaveLength(1);
      expect(await read(server.messages[0] ?? '')).toEqual({ ...mail, to: ['ann@receiver.example'] });
    },
  );

  test('where nobody listens it tries again, and the run ends', async () => {
    const flags = '--server localhost:1 --clock virtual --seconds 20'.split(' ');
    const { code, stdout, stderr } = await run(board, ...flags);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "no mail in 20 seconds of the board's time\n" });
    expect(stdout.match(/ERR ECONNECTION/g)).toHaveLength(2);
  });
});

test.concurrent.each([['--server', 'x'], ['--pace', 'x'], ['--clock', 'x'], ['--seconds', 'x'], ['--x']])(
  '%s %s: says which flags there are',
  async (...flags) => {
    const { code, stdout, stderr } = await run('firmware-thermostat/thermostat', ...flags);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('flags: [--server memory | HOST:PORT]');
  },
);
