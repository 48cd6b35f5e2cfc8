/**
 * Every option and argument of the client that a text can be put into, as data: where it goes and which hostile texts
 * are legal there, with the reason. The types make sure that a new option cannot be forgotten here.
 */
import type { BomOptions, RecipientOptions, SenderOptions, SmtpClientOptions, Timeouts } from 'smtpump';

export const payloads = {
  'CR LF': 'x\r\nRCPT TO:<evil@example.test>\r\nX-Evil: yes',
  CR: 'x\rX-Evil: yes',
  LF: 'x\nRCPT TO:<evil@example.test>',
  NUL: 'x\0y',
  ESC: 'x\x1b[2Jy',
  DEL: 'x\x7fy',
  'U+0085': 'x\u0085y',
  'U+2028': 'x\u2028y',
  'U+2029': 'x\u2029y',
  'a lone surrogate': 'x\ud800y',
  'U+010D U+010A': 'x\u010d\u010aRCPT TO:<evil@example.test>',
  'U+010D U+010A in a word': 'x\u010d\u010ay',
  'more than ASCII': 'xüy',
  overlong: 'x'.repeat(100_000),
} as const;

export type PayloadName = keyof typeof payloads;

/** Something that is given a text. It must throw SmtpUsageError. */
export interface Probe {
  /** What the error must name; the end of its `option`. */
  readonly option: string;
  /** Or this, where two are wrong at once. */
  readonly or?: string;
  readonly client?: (text: string) => object;
  readonly sender?: (text: string) => object;
  readonly recipient?: (text: string) => object;
  readonly bom?: (text: string) => object;
  /** Texts that are legal: they go through, and do no harm. */
  readonly legal?: readonly PayloadName[];
}

const unicode: readonly PayloadName[] = ['U+010D U+010A', 'U+010D U+010A in a word', 'more than ASCII'];
/** Free text in the header: encoded and folded, however long. */
const freeText: readonly PayloadName[] = [...unicode, 'overlong'];

const inClient = (option: string, legal?: readonly PayloadName[]): readonly Probe[] => [
  { option, client: (text) => ({ [option]: text }), ...(legal && { legal }) },
];

/** A number, a flag or a word of a list: no text is legal, in any part of it. */
const wordOf = (key: string, word: string): readonly Probe[] => [
  { option: key, client: (text) => ({ [key]: text }) },
  { option: key, client: (text) => ({ [key]: word + text }) },
];

const credential = (key: string, legal?: readonly PayloadName[]): readonly Probe[] => [
  {
    option: `auth.${key}`,
    client: (text) => ({ tls: 'always', auth: { user: 'ann', password: 'secret', [key]: text } }),
    ...(legal && { legal }),
  },
];

const limitNames: Readonly<Record<keyof Timeouts, true>> = {
  connectMs: true,
  secureMs: true,
  greetingMs: true,
  commandMs: true,
  dataMs: true,
  bodyMs: true,
  verdictMs: true,
  quitMs: true,
  totalMs: true,
  messageMs: true,
};

const limits = Object.keys(limitNames).map(
  (key): Probe => ({ option: `timeouts.${key}`, client: (text) => ({ timeouts: { [key]: text } }) }),
);

const auth: Readonly<Record<keyof NonNullable<SmtpClientOptions['auth']>, readonly Probe[]>> = {
  user: credential('user', unicode),
  password: credential('password', unicode),
  token: [
    { option: 'auth.token', client: (text) => ({ tls: 'always', auth: { user: 'ann', token: text } }) },
  ],
  authzid: credential('authzid', unicode),
  mechanism: credential('mechanism'),
  mechanisms: [
    {
      option: 'auth.mechanisms',
      client: (text) => ({ auth: { user: 'a', password: 'b', mechanisms: ['PLAIN', text] } }),
    },
    {
      option: 'auth.mechanisms',
      client: (text) => ({ auth: { user: 'a', password: 'b', mechanisms: text } }),
    },
  ],
  allowPlaintext: credential('allowPlaintext'),
};

export const clientProbes: Readonly<Record<keyof SmtpClientOptions, readonly Probe[]>> = {
  host: [
    {
      option: 'host',
      client: (text) => ({ host: text }),
      legal: ['U+010D U+010A in a word', 'more than ASCII'],
    },
    {
      option: 'host',
      client: (text) => ({ host: `mx${text}.example.test` }),
      legal: ['U+010D U+010A in a word', 'more than ASCII'],
    },
  ],
  port: [...wordOf('port', '25'), ...wordOf('port', '')],
  // never on the wire: the file system takes anything but NUL
  path: [{ option: 'path', client: (text) => ({ path: text.includes('\0') ? text : `${text}\0` }) }],
  auth: Object.values(auth).flat(),
  tls: wordOf('tls', 'never'),
  tlsOptions: [
    { option: 'tlsOptions', client: (text) => ({ tlsOptions: text }) },
    {
      option: 'tlsOptions.servername',
      client: (text) => ({ tlsOptions: { servername: text } }),
      legal: ['U+010D U+010A in a word', 'more than ASCII'],
    },
  ],
  localName: [
    {
      option: 'localName',
      client: (text) => ({ localName: text }),
      legal: ['U+010D U+010A in a word', 'more than ASCII'],
    },
    {
      option: 'localName',
      client: (text) => ({ localName: `a${text}.example.test` }),
      legal: ['U+010D U+010A in a word', 'more than ASCII'],
    },
    { option: 'localName', client: (text) => ({ localName: `[192.0.2.1${text}]` }) },
  ],
  protocol: wordOf('protocol', 'smtp'),
  pipelining: inClient('pipelining'),
  chunking: inClient('chunking'),
  messagesInFlight: wordOf('messagesInFlight', '1'),
  timeouts: [{ option: 'timeouts', client: (text) => ({ timeouts: text }) }, ...limits],
  pump: wordOf('pump', 'manual'),
  bareLineEnds: wordOf('bareLineEnds', 'refuse'),
  bodyBufferBytes: wordOf('bodyBufferBytes', '1'),
  transport: inClient('transport'),
  clock: inClient('clock'),
  random: inClient('random'),
};

export const senderProbes: Readonly<Record<keyof SenderOptions, readonly Probe[]>> = {
  address: [
    { option: 'sender.address', sender: (text) => ({ address: text }) },
    {
      option: 'sender.address',
      sender: (text) => ({ address: `${text}@example.test` }),
      legal: ['U+010D U+010A in a word', 'more than ASCII'],
    },
    {
      option: 'sender.smtputf8',
      or: 'sender.address',
      sender: (text) => ({ address: `ü${text}@example.test`, smtputf8: false }),
    },
    { option: 'sender.address', sender: (text) => ({ address: `"${text}"@example.test` }), legal: unicode },
    {
      option: 'sender.address',
      sender: (text) => ({ address: `a@${text}.test` }),
      legal: ['U+010D U+010A in a word', 'more than ASCII'],
    },
    { option: 'sender.address', sender: (text) => ({ address: `a@[192.0.2.1${text}]` }) },
  ],
  name: [{ option: 'sender.name', sender: (name) => ({ address: 'a@example.test', name }), legal: freeText }],
  replyTo: [
    {
      option: 'sender.replyTo',
      sender: (text) => ({ address: 'a@example.test', replyTo: `${text}@example.test` }),
    },
    {
      option: 'sender.replyTo',
      sender: (text) => ({ address: 'a@example.test', replyTo: { address: text } }),
    },
    {
      option: 'sender.replyTo.name',
      sender: (name) => ({ address: 'a@example.test', replyTo: { address: 'r@example.test', name } }),
      legal: freeText,
    },
  ],
  size: [
    { option: 'sender.size', sender: (size) => ({ address: 'a@example.test', size }) },
    {
      option: 'sender.size',
      sender: (text) => ({ address: 'a@example.test', size: { toString: () => `1 ${text}` } }),
    },
  ],
  body: [
    { option: 'sender.body', sender: (body) => ({ address: 'a@example.test', body }) },
    { option: 'sender.body', sender: (text) => ({ address: 'a@example.test', body: `7bit${text}` }) },
  ],
  smtputf8: [{ option: 'sender.smtputf8', sender: (smtputf8) => ({ address: 'a@example.test', smtputf8 }) }],
  ret: [
    { option: 'sender.ret', sender: (ret) => ({ address: 'a@example.test', ret }) },
    { option: 'sender.ret', sender: (text) => ({ address: 'a@example.test', ret: `full${text}` }) },
  ],
  envid: [{ option: 'sender.envid', sender: (envid) => ({ address: 'a@example.test', envid }) }],
};

export const recipientProbes: Readonly<Record<keyof RecipientOptions, readonly Probe[]>> = {
  address: [
    { option: 'recipient.address', recipient: (text) => ({ address: text }) },
    { option: 'recipient.address', recipient: (text) => ({ address: `${text}@example.test` }) },
    { option: 'recipient.address', recipient: (text) => ({ address: `"${text}"@example.test` }) },
    {
      option: 'recipient.address',
      recipient: (text) => ({ address: `b@${text}.test` }),
      legal: ['U+010D U+010A in a word', 'more than ASCII'],
    },
    { option: 'recipient.address', recipient: (text) => ({ address: `Postmaster${text}` }) },
  ],
  name: [
    { option: 'recipient.name', recipient: (name) => ({ address: 'b@example.test', name }), legal: freeText },
  ],
  type: [
    { option: 'recipient.type', recipient: (type) => ({ address: 'b@example.test', type }) },
    { option: 'recipient.type', recipient: (text) => ({ address: 'b@example.test', type: `cc${text}` }) },
  ],
  notify: [
    { option: 'recipient.notify', recipient: (notify) => ({ address: 'b@example.test', notify }) },
    {
      option: 'recipient.notify',
      recipient: (text) => ({ address: 'b@example.test', notify: ['success', text] }),
    },
  ],
  orcpt: [
    {
      option: 'recipient.orcpt',
      recipient: (text) => ({ address: 'b@example.test', orcpt: `rfc822;${text}@x` }),
    },
    {
      option: 'recipient.orcpt',
      recipient: (text) => ({ address: 'b@example.test', orcpt: text }),
      legal: unicode,
    },
    {
      option: 'recipient.orcpt',
      recipient: (text) => ({ address: 'b@example.test', orcpt: `utf-8;${text}` }),
      legal: unicode,
    },
    {
      option: 'recipient.orcpt',
      recipient: (text) => ({ address: 'b@example.test', orcpt: `${text};b@x` }),
      legal: unicode,
    },
  ],
};

export const bomProbes: Readonly<Record<keyof BomOptions, readonly Probe[]>> = {
  subject: [{ option: 'subject', bom: (subject) => ({ subject }), legal: freeText }],
  date: [{ option: 'date', bom: (date) => ({ date }) }],
  headers: [
    { option: 'headers', bom: (name) => ({ headers: { [name]: 'value' } }) },
    { option: 'headers', bom: (name) => ({ headers: [[name, 'value']] }) },
    { option: 'headers.X-Test', bom: (text) => ({ headers: { 'X-Test': text } }), legal: freeText },
    { option: 'headers.X-Test', bom: (text) => ({ headers: [['X-Test', text]] }), legal: freeText },
    { option: 'headers.References', bom: (text) => ({ headers: { References: `<${text}@x>` } }) },
    { option: 'headers.From', bom: (text) => ({ headers: { From: `${text} <a@example.test>` } }) },
    { option: 'headers', bom: (headers) => ({ headers }) },
  ],
  mime: [{ option: 'bom.mime', bom: (mime) => ({ mime }) }],
  raw: [{ option: 'bom.raw', bom: (raw) => ({ raw }) }],
};
