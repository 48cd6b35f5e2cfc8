/**
 * The diagrams are made from the charts and checked in; here they are made again and compared. After a change of a
 * chart: `npm run diagram`.
 */
import { connectionMachine, mailMachine } from 'smtpump/machines';
import { expect, test } from 'vitest';
import { readChart } from '../support/diagram/chart.ts';
import { layOut } from '../support/diagram/layout.ts';
import { markdown } from '../support/diagram/markdown.ts';
import { svg } from '../support/diagram/svg.ts';

const connection = readChart(connectionMachine);
const mail = readChart(mailMachine);

const heading = `# The charts

Generated from \`connection.ts\`, \`opening.ts\` and \`mail.ts\` by \`npm run diagram\`; do not edit.`;

const connectionText = 'The life of a connection.';
const mailText = 'The life of one mail transaction.';

test('machines/README.md shows the charts as they are', async () => {
  const text = markdown(heading, [
    { title: 'The connection', text: connectionText, chart: connection },
    { title: 'A mail transaction', text: mailText, chart: mail },
  ]);
  await expect(text).toMatchFileSnapshot('../../machines/README.md');
});

test.each([
  ['connection', 'The life of a connection', connection, ['hangingUp']],
  [
    'mail',
    'The life of one mail transaction',
    mail,
    ['answered.unsent', 'answered.withdrawing', 'answered.leaving', 'answered.stuck'],
  ],
] as const)('machines/%s.svg shows the chart as it is', async (name, title, chart, written) => {
  await expect(svg(title, await layOut(chart, written))).toMatchFileSnapshot(`../../machines/${name}.svg`);
});
