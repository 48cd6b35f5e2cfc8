// @ts-check
/**
 * Measures one client on one connection: warms up, then counts messages, wall time and the CPU time of this process.
 * Every client is a module in clients/ with `open(spec)` that gives `pour(more)` and `close()`.
 */

/** @param {{ client: string, milliseconds: number, warmUp?: number }} spec */
export async function measure({ client, milliseconds, warmUp = 500, ...spec }) {
  const { open } = await import(`../clients/${client}.mjs`);
  const mailer = await open(spec);
  await mailer.pour(during(warmUp));
  const heard = mailer.heard?.();
  const cpu = process.cpuUsage();
  const start = performance.now();
  const messages = await mailer.pour(during(milliseconds));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const events = (mailer.heard?.() - heard) / messages;
  await mailer.close();
  const peakMegabytes = process.resourceUsage().maxRSS / 1024;
  return {
    perSecond: messages / seconds,
    cpuMicroseconds: (user + system) / messages,
    events,
    peakMegabytes,
  };
}

/** @param {number} milliseconds */
function during(milliseconds) {
  const end = performance.now() + milliseconds;
  return () => performance.now() < end;
}
