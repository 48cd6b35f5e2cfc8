// @ts-check
/**
 * A freezer that mails when its door stays open: the firmware in `fw.c` on a simulated RP2040. The flags are those of
 * `../firmware-support/run.mjs`: `node examples/firmware-rp2040/freezer.mjs --pace free`.
 */
import { ConsoleLogger, LogLevel, Simulator } from 'rp2040js';
import { loadHex } from '../firmware-support/hex.mjs';
import { run } from '../firmware-support/run.mjs';

const flashAt = 0x1000_0000;
const { rp2040, clock } = new Simulator();
const { core, uart, gpio, flash } = rp2040;
rp2040.logger = new ConsoleLogger(LogLevel.Error);
loadHex(new URL('fw.hex', import.meta.url), flash, flashAt);
// there is no boot ROM: the image begins with its vector table
core.VTOR = flashAt;
core.reset();

const [uart0] = uart;
const door = gpio[15];
if (uart0 === undefined || door === undefined) throw new Error('an RP2040 has both');
const nanosACycle = 1e9 / clock.frequency;

/** Octets for the UART, whose FIFO holds 32. @type {number[]} */
const waiting = [];
const hasRoom = () => uart0.enabled && (uart0.flags & 0x40) === 0; // RXFF

/** @type {import('../firmware-support/run.mjs').Board} */
const board = {
  now: () => clock.nanos / 1e6,
  step(until) {
    while (waiting.length > 0 && hasRoom()) uart0.feedByte(waiting.shift() ?? 0);
    if (core.waiting) {
      const left = Math.ceil((until - board.now()) * 1e6);
      clock.tick(Math.min(left, clock.nanosToNextAlarm || left));
    } else {
      clock.tick(core.executeInstruction() * nanosACycle);
    }
    door.setInputValue(board.now() > 500);
  },
  hear: (octets) => waiting.push(...octets),
  say: undefined,
};
uart0.onByte = (octet) => board.say?.(octet);

run(board);
