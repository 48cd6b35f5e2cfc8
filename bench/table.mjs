// @ts-check
/**
 * What a row returns, medians of it, and how it looks on a terminal.
 *
 * @typedef {{ key: string, title: string, digits?: number }} Column
 * @typedef {{ text: string, value: number, met: boolean }} Target
 * @typedef {{ title: string, columns: Column[], results: Record<string, string | number | undefined>[],
 *   targets?: Target[], notes?: string[] }} RowResult
 * @typedef {{ processes: import('./processes.mjs').Processes, milliseconds: number, rounds: number }} Bench
 */

/** @param {number[]} values */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : (high + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

/**
 * The median of each number that the runs have.
 * @param {Record<string, number>[]} runs
 * @returns {Record<string, number>}
 */
export function medians(runs) {
  const keys = Object.keys(runs[0] ?? {});
  return Object.fromEntries(keys.map((key) => [key, median(runs.map((run) => run[key] ?? Number.NaN))]));
}

/** @param {string} text @param {number} value @param {(value: number) => boolean} fits @returns {Target} */
export function target(text, value, fits) {
  return { text, value, met: fits(value) };
}

/** @param {string} name @param {RowResult} row */
export function printRow(name, { title, columns, results, targets = [], notes = [] }) {
  console.log(`[${name}] ${title}`);
  const lines = [
    columns.map((column) => column.title),
    ...results.map((result) => columns.map((column) => cell(result[column.key], column.digits))),
  ];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => line[i]?.length ?? 0)));
  for (const line of lines) {
    const padded = line.map((text, i) =>
      i === 0 ? text.padEnd(widths[i] ?? 0) : text.padStart(widths[i] ?? 0),
    );
    console.log(`  ${padded.join('  ')}`);
  }
  for (const note of notes) console.log(`  ${note}`);
  for (const { text, value, met } of targets)
    console.log(`  ${met ? 'met   ' : 'MISSED'} ${text}: ${number(value)}`);
  console.log();
}

/** @param {string | number | undefined} value @param {number | undefined} digits */
function cell(value, digits) {
  return typeof value === 'number' ? number(value, digits) : (value ?? '');
}

/** @param {number} value @param {number} [digits] */
function number(value, digits) {
  if (!Number.isFinite(value)) return '–';
  const places = digits ?? (value >= 100 || Number.isInteger(value) ? 0 : value >= 10 ? 1 : 2);
  return value.toLocaleString('en', { minimumFractionDigits: places, maximumFractionDigits: places });
}
