// @ts-check
/**
 * A thermostat that mails: the firmware in `fw.c` on a simulated ATmega328P, in a room that grows warmer. The flags
 * are those of `../firmware-support/run.mjs`: `node examples/firmware-thermostat/thermostat.mjs --pace free`.
 */
import {
  AVRADC,
  AVRTimer,
  AVRUSART,
  adcConfig,
  avrInstruction,
  CPU,
  timer1Config,
  usart0Config,
} from 'avr8js';
import { loadHex } from '../firmware-support/hex.mjs';
import { run } from '../firmware-support/run.mjs';

const hertz = 1_000_000;
const flash = new Uint16Array(0x4000);
loadHex(new URL('fw.hex', import.meta.url), new Uint8Array(flash.buffer));

const cpu = new CPU(flash, 2048);
const usart = new AVRUSART(cpu, usart0Config, hertz);
const adc = new AVRADC(cpu, adcConfig);
new AVRTimer(cpu, timer1Config);

/** Octets for the UART. It has no FIFO: the next may come when the one before was fetched. @type {number[]} */
const waiting = [];
const fetched = () => !usart.rxBusy && usart.rxEnable && ((cpu.data[usart0Config.UCSRA] ?? 0) & 0x80) === 0; // RXC0

/** @type {import('../firmware-support/run.mjs').Board} */
const board = {
  now: () => cpu.cycles / (hertz / 1000),
  step() {
    const [octet] = waiting;
    if (octet !== undefined && fetched()) {
      usart.writeByte(octet);
      waiting.shift();
    }
    avrInstruction(cpu);
    cpu.tick();
  },
  hear: (octets) => waiting.push(...octets),
  say: undefined,
};
usart.onByteTransmit = (octet) => board.say?.(octet);

/** The room: 26 °C, and 2 °C more each second. The sensor gives 10 mV for each. */
function warm() {
  adc.channelValues[0] = (26 + (2 * board.now()) / 1000) / 100;
  cpu.addClockEvent(warm, hertz / 10);
}
warm();

run(board);
