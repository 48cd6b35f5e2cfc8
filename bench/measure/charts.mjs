// @ts-check
/**
 * Measures the charts, with or without the ledger, through the words of one message, exactly those that the client
 * asks for it: legality of each step first, then the step, then the answers. No bytes, no parsing, no events.
 * Beside it the same words asked of XState's `transition()`, of an actor, and looked up in a bare table.
 */
import { createActor, initialTransition, transition } from 'xstate';
import { inside } from '../inside.mjs';

const { charts, ledger: ledgers, machines } = await inside();
const { connectionChart, connectionWords, mailChart, mailWords } = charts;
const { entry, Ledger } = ledgers;
const { connectionMachine, mailMachine } = machines;

/** @typedef {'walked' | 'walkedLedger' | 'table' | 'transition' | 'actor'} Way */

const opening = [
  { type: 'step.connect', tls: 'never', auth: false, token: false, lmtp: false },
  { type: 'opened' },
  { type: 'greeting.ok' },
  { type: 'ehlo.ok', starttls: false, auth: false },
];
/** `asked` is legality alone; `walked` moves. */
const asked = ['step.next', 'step.recipient', 'step.bom', 'step.eom'];
const walked = [
  'step.sender',
  'step.recipient',
  'step.bom',
  'step.eom',
  'mail.ok',
  'rcpt.ok',
  'data.go',
  'end.left',
  'content.ok',
];
/** Each of the five steps asks the connection whether messages may go on. */
const stepsOfMessage = 5;
const words = stepsOfMessage + asked.length + walked.length;
const batch = 256;

/** @type {Record<Way, () => () => number>} each gives a function that takes one message through, and counts effects */
const ways = {
  walked: () => {
    const ready = readyPosition();
    return () => message(ready, undefined);
  },
  walkedLedger: () => {
    const ready = readyPosition();
    const ledger = new Ledger();
    return () => message(ready, ledger);
  },
  table,
  transition: () => {
    let ready = initialTransition(connectionMachine)[0];
    for (const word of opening) [ready] = transition(connectionMachine, ready, event(word));
    let before = mailOf(walked);
    return () => {
      let effects = 0;
      for (let i = 0; i < stepsOfMessage; i++) {
        effects += transition(connectionMachine, ready, event({ type: 'step.message' }))[1].length;
      }
      let [mail] = initialTransition(mailMachine);
      effects += Number(before.can(event({ type: 'step.next' })));
      for (const type of walked) {
        if (asked.includes(type)) effects += Number(mail.can(event({ type })));
        const [next, actions] = transition(mailMachine, mail, event({ type }));
        mail = next;
        effects += actions.length;
      }
      before = mail;
      return effects;
    };
  },
  actor: () => {
    const connection = createActor(connectionMachine).start();
    for (const word of opening) connection.send(event(word));
    let before = createActor(mailMachine).start();
    for (const type of walked) before.send(event({ type }));
    return () => {
      for (let i = 0; i < stepsOfMessage; i++) connection.send(event({ type: 'step.message' }));
      const mail = createActor(mailMachine).start();
      let effects = Number(before.getSnapshot().can(event({ type: 'step.next' })));
      for (const type of walked) {
        if (asked.includes(type)) effects += Number(mail.getSnapshot().can(event({ type })));
        mail.send(event({ type }));
      }
      before = mail;
      return effects;
    };
  },
};

/** @param {{ way: Way, milliseconds: number }} spec */
export function measure({ way, milliseconds }) {
  const once = ways[way]();
  run(once, 200);
  const cpu = process.cpuUsage();
  const messages = run(once, milliseconds);
  const { user, system } = process.cpuUsage(cpu);
  const microseconds = (user + system) / messages;
  return { microseconds, nanosecondsAWord: (1000 * microseconds) / words };
}

/** @param {() => number} once @param {number} milliseconds */
function run(once, milliseconds) {
  const end = performance.now() + milliseconds;
  let messages = 0;
  let effects = 0;
  for (; performance.now() < end; messages += batch) for (let i = 0; i < batch; i++) effects += once();
  if (effects === 0) throw new Error('the charts did nothing');
  return messages;
}

function readyPosition() {
  let { start: position } = connectionChart;
  for (const word of opening) {
    // the words are known to the chart's own type, and written here as data
    const edge = connectionChart.step(position, connectionChart.word(event(word)));
    if (edge === undefined) throw new Error(`the chart does not take ${word.type}`);
    position = edge.to;
  }
  return position;
}

/** What the client asks and the core walks for one message that goes well. @param {any} ready @param {any} ledger */
function message(ready, ledger) {
  let effects = 0;
  let position = mailChart.start;
  const mayGoOn = () => {
    if (connectionChart.step(ready, connectionWords['step.message']) === undefined)
      throw new Error('not legal');
  };
  const can = (/** @type {any} */ word) => {
    if (mailChart.step(position, word) === undefined) throw new Error('not legal');
  };
  const walk = (/** @type {any} */ word) => {
    const edge = mailChart.step(position, word);
    if (edge === undefined) throw new Error('not legal');
    position = edge.to;
    effects += edge.effects.length;
  };
  mayGoOn();
  walk(mailWords['step.sender']);
  ledger?.push(entry('mail'));
  mayGoOn();
  can(mailWords['step.recipient']);
  walk(mailWords['step.recipient']);
  ledger?.push(entry('rcpt'));
  mayGoOn();
  can(mailWords['step.bom']);
  walk(mailWords['step.bom']);
  ledger?.push(entry('data'));
  ledger?.push(entry('content'));
  mayGoOn();
  if (!position.tags.has('contentOpen')) throw new Error('not legal');
  mayGoOn();
  can(mailWords['step.eom']);
  walk(mailWords['step.eom']);
  leave(ledger, 3);
  answer(ledger);
  walk(mailWords['mail.ok']);
  answer(ledger);
  walk(mailWords['rcpt.ok']);
  answer(ledger);
  walk(mailWords['data.go']);
  leave(ledger, 1);
  walk(mailWords['end.left']);
  answer(ledger);
  walk(mailWords['content.ok']);
  can(mailWords['step.next']);
  return effects;
}

/** @param {any} ledger @param {number} entries */
function leave(ledger, entries) {
  if (ledger === undefined) return;
  for (let i = 0; i < entries; i++) {
    if (ledger.next(true) === undefined) throw new Error('nothing may leave');
    ledger.depart(0);
  }
  if (ledger.next(true) !== undefined) throw new Error('more may leave than should');
}

/** @param {any} ledger */
function answer(ledger) {
  if (ledger === undefined) return;
  if (ledger.oldest === undefined) throw new Error('nothing is due');
  ledger.settle();
}

/** The least that a decision can cost: one array of next states, indexed by state and word. */
function table() {
  const states = walked.length + 1;
  const next = new Int32Array(states * walked.length).fill(-1);
  for (let i = 0; i < walked.length; i++) next[i * walked.length + i] = i + 1;
  return () => {
    let state = 0;
    let effects = 0;
    for (let word = 0; word < walked.length; word++) {
      // legality, and then the step
      for (let again = 0; again < words / walked.length; again++) {
        if ((next[state * walked.length + word] ?? -1) < 0) throw new Error('not legal');
      }
      state = next[state * walked.length + word] ?? 0;
      effects++;
    }
    return effects;
  };
}

/** @param {string[]} types */
function mailOf(types) {
  let [snapshot] = initialTransition(mailMachine);
  for (const type of types) [snapshot] = transition(mailMachine, snapshot, event({ type }));
  return snapshot;
}

/** The words stand here as data; the charts' types know them one by one. @param {{ type: string }} word @returns {any} */
function event(word) {
  return word;
}
