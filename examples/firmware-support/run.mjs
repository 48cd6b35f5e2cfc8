// @ts-check
/**
 * The loop of a simulator with a board that mails: it runs the board, turns the pump and keeps the time of both. It
 * never returns to Node's event loop. It knows a board only as {@link Board}.
 *
 *     --server memory      a scripted server, 40 ms away, that thinks for a second about each mail (default)
 *     --server HOST:PORT   yours
 *     --pace freeze        the board stands still while it waits for an answer: mail costs it no time (default)
 *     --pace free          it runs on
 *     --clock virtual      the pump's time is the board's (default with `--server memory`)
 *     --clock real         the board is held to the machine's time (default with a server of yours)
 *     --seconds N          give up when the board has run for so long, in its own time (default 30)
 */
import { SmtpClient, worker } from 'smtpump';
import { Random, ScriptedServer, SimNetwork, trace } from 'smtpump/testing';
import { readFlags } from './flags.mjs';
import { Log } from './log.mjs';
import { Modem } from './modem.mjs';
import { PumpTime } from './pump-time.mjs';

/**
 * @typedef Board
 * @property {() => number} now milliseconds of its own time
 * @property {(until: number) => void} step runs an instruction, or sleeps, but not beyond `until`
 * @property {(octets: Uint8Array) => void} hear octets for its UART, which takes them when it can
 * @property {((octet: number) => void) | undefined} say called with each octet that it sends
 */

/** How long the board runs between two turns of the pump. */
const sliceMs = 1;

/** Until the board says `# mailed`. @param {Board} board */
export function run(board) {
  const flags = readFlags();
  const line = flags.target && worker();
  const time = new PumpTime(flags.clock, line);
  const log = new Log(board, time);
  const server = new ScriptedServer({
    reply: ({ verb }) => (verb === 'CONTENT' ? { delayMs: 1000 } : undefined),
  });
  const network = new SimNetwork({ clock: time.clock, latencyMs: 40 }).listen('*', server);
  const random = new Random(1);
  const client = new SmtpClient({
    pump: 'manual',
    clock: time.clock,
    transport: trace(line ?? network.transport(), (traced) => log.wire(traced)),
    random: line ? undefined : (n) => random.bytes(n),
    localName: 'board.sender.example',
    ...flags.target,
  });
  client.on('event', ({ name }) => log.line('event', name));

  let mailed = false;
  const modem = new Modem(client, say, (text) => {
    log.line('board', text);
    mailed ||= text === '# mailed';
  });
  board.say = (octet) => modem.receive(octet);
  const stands = () => flags.pace === 'freeze' && modem.busy;

  while (!mailed && board.now() < flags.seconds * 1000) {
    const verdict = client.execute();
    if (!stands()) {
      const until = board.now() + sliceMs;
      while (board.now() < until && !stands()) board.step(until);
      time.follow(board.now());
    } else if (verdict === 'pending') {
      time.wait(Math.min(time.clock.next - time.clock.now(), client.readTimer()));
    }
  }

  if (client.can('abort')) client.abort();
  client.execute();
  for (const { data } of server.messages) console.log(`\n${Buffer.from(data).toString().trimEnd()}\n`);
  if (line === undefined && flags.clock === 'virtual') console.log(`sha256 ${log.digest()}`);
  if (!mailed) console.error(`no mail in ${flags.seconds} seconds of the board's time`);
  process.exitCode = mailed ? 0 : 1;

  /** @param {string} text */
  function say(text) {
    log.line('modem', text);
    board.hear(Buffer.from(`${text}\r\n`));
  }
}
