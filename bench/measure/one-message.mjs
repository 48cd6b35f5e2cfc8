// @ts-check
/** Sends one message with one client and leaves; what it took is counted at the sink. */

/** @param {{ client: string }} spec */
export async function measure({ client, ...spec }) {
  const { open } = await import(`../clients/${client}.mjs`);
  const mailer = await open(spec);
  let left = 1;
  const messages = await mailer.pour(() => left-- > 0);
  await mailer.close();
  return { messages };
}
