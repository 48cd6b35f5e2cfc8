/**
 * The diagrams are made from the charts and checked in; here they are made again and compared. After a change of a
 * chart: `npm run diagram`.
 */
import { connectionMachine, mailMachine } from 'smtpump/machines';
import { expect, test } from 'vitest';
import { readChart } from '../support/diagram/chart.ts';
import { draw } from '../support/diagram/drawing.ts';
import { layOut } from '../support/diagram/layout.ts';
import { markdown } from '../support/diagram/markdown.ts';
import { svg } from '../support/diagram/svg.ts';

const connection = draw(readChart(connectionMachine), ['hangingUp']);
const mail = draw(
  readChart(mailMachine),
  ['unsent', 'withdrawing', 'leaving', 'stuck'].map((name) => `answered.${name}`),
);

const heading = `# The charts

Every protocol decision of smtpump is one of these edges. The charts are XState machines, published as
\`smtpump/machines\`. This page is generated from them by \`npm run diagram\` and compared with them by a test.

An arrow bears the words that take it, each with its guard in brackets. Where many arrows would end, the word is
written into the box instead, above the \`▸\` and its target. In the tables, *do* is what the core then carries out and
*tell* the event that the caller hears; words in one row come to the same. An inner state's row goes before an outer
one's.`;

const connectionText = `One for each client, from \`connect()\` to \`DISCONNECTED\`, over and over. NOOP and RSET move nothing, since any
number of them can be under way at once.`;
const mailText = `One for each message, in two regions. \`asked\` is what the caller has issued and decides which step is legal;
\`answered\` is what the server has said and decides the outcome. Whatever hangs on a count is a word of its own:
\`data.go\` with a recipient, \`data.goNobody\` without, \`settled\` when no answer is due any more.`;

test('machines/README.md shows the charts as they are', async () => {
  const text = markdown(heading, [
    { title: 'The connection', text: connectionText, picture: 'connection.svg', drawing: connection },
    { title: 'A mail transaction', text: mailText, picture: 'mail.svg', drawing: mail },
  ]);
  await expect(text).toMatchFileSnapshot('../../machines/README.md');
});

test.each([
  ['connection', 'The life of a connection', connection],
  ['mail', 'The life of one mail transaction', mail],
] as const)('machines/%s.svg shows the chart as it is', async (name, title, drawing) => {
  await expect(svg(title, await layOut(drawing))).toMatchFileSnapshot(`../../machines/${name}.svg`);
});
