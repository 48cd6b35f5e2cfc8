// @ts-check
/** Reads an image in Intel HEX. It knows no chip. */
import { readFileSync } from 'node:fs';

/**
 * @param {URL} file
 * @param {Uint8Array} memory
 * @param {number} [base] the address of its first octet
 */
export function loadHex(file, memory, base = 0) {
  let upper = 0;
  for (const line of readFileSync(file, 'ascii').trim().split(/\r?\n/)) {
    const record = Buffer.from(line.slice(1), 'hex');
    const data = record.subarray(4, -1);
    if (record[3] === 0) memory.set(data, upper + record.readUInt16BE(1) - base);
    else if (record[3] === 2) upper = data.readUInt16BE() * 0x10;
    else if (record[3] === 4) upper = data.readUInt16BE() * 0x10000;
  }
}
