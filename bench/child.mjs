// @ts-check
/**
 * One measurement in a process of its own: `node bench/child.mjs MODULE SPEC` runs measure/MODULE's `measure(SPEC)` and sends
 * what it returns to the parent, or prints it where there is none. By hand it can be profiled or debugged.
 */
const [, , module, spec = '{}'] = process.argv;

const { measure } = await import(`./measure/${module}.mjs`);
const result = await measure(JSON.parse(spec));
if (process.send === undefined) {
  console.log(result);
  process.exit();
}
process.send(result, () => process.exit());
