/**
 * The far end of a line, by hand: what the client writes becomes a list of commands that wait for their answers, and
 * each answer is given when the test says so. It minds what no client may say (RFC 5321 §4.1.4, RFC 3030 §2), and
 * knows no clock.
 */
import type { Transport, TransportEvent } from '../../src/transport/transport.ts';

/** One MAIL and what came with it. */
interface Passage {
  readonly sender: string;
  text: string;
  /** RCPTs that were answered, and those of them with yes. */
  asked: number;
  /** RCPTs that have come. */
  recipients: number;
  accepted: number;
  /** Its sender or one of its chunks was refused: nothing of it can be taken any more. */
  dead: boolean;
  /** Its end has come. */
  ended: boolean;
  /** Its verdict has gone, by LMTP the last one. */
  judged: boolean;
}

interface Due {
  readonly verb: string;
  readonly passage: Passage | undefined;
}

export class HandServer {
  /** Between 354 and the end of the content. */
  inContent = false;
  /** Ends of content that were answered with yes. */
  delivered = 0;
  closed = false;
  /** What no client may say. */
  readonly wrongs: string[] = [];
  readonly passages: Passage[] = [];
  readonly lmtp: boolean;
  readonly pipelining: boolean;
  #due: Due[] = [];
  /** MAIL was accepted, and this is what it began. */
  #open: Passage | undefined;
  /** By LMTP: verdicts that are to follow the next one. */
  #verdicts = 0;
  /** Octets of a chunk that are to come, and whether it is the last one. */
  #chunk: { readonly octets: number; readonly last: boolean } | undefined;
  #text = '';
  #arrivals: TransportEvent[] = [];

  constructor(lmtp: boolean, pipelining: boolean) {
    this.lmtp = lmtp;
    this.pipelining = pipelining;
  }

  readonly transport: Transport = {
    open: () => this.#arrivals.push({ type: 'open' }),
    secure: () => {},
    close: () => {
      this.closed = true;
      this.#arrivals = [];
    },
    poll: () => this.#arrivals.shift(),
    onReady: undefined,
    write: (bytes) => {
      this.#text += Buffer.from(bytes).toString('latin1');
      this.#read();
      return true;
    },
  };

  /** Commands that wait for their answer, oldest first; `.` is the end of content, by LMTP once a recipient. */
  get due(): readonly string[] {
    return this.#due.map(({ verb }) => verb);
  }

  /** Messages that have come whole, and may still be taken. */
  get undecided(): number {
    const open = ({ asked, recipients, accepted }: Passage): boolean => asked < recipients || accepted > 0;
    return this.passages.filter((one) => one.ended && !one.judged && !one.dead && open(one)).length;
  }

  /** All that tells two states of the server apart. */
  get key(): unknown {
    const numbers = this.passages.map((one) => [one.asked, one.accepted, one.dead, one.ended, one.judged]);
    const open = this.#open && this.passages.indexOf(this.#open);
    return [this.due, numbers, open, this.#verdicts, this.inContent, this.#chunk];
  }

  say(text: string): void {
    this.#arrivals.push({ type: 'bytes', bytes: Buffer.from(`${text}\r\n`) });
  }

  lose(): void {
    this.#arrivals.push({ type: 'lost', during: 'line' });
  }

  /** What has come so far needs no answer. */
  forget(): void {
    this.#due = [];
  }

  /** May a server say yes to the oldest command? It may say no to all. */
  get mayAgree(): boolean {
    const [verb] = this.due;
    // 354 for nobody, or without a sender, is what some servers say
    if (verb === 'RCPT') return this.#open !== undefined;
    if (verb === 'BDAT' || verb === '.') return this.#open?.dead === false && this.#open.accepted > 0;
    return true;
  }

  /** May a server say no to it? To RSET and QUIT none does. */
  get mayRefuse(): boolean {
    return !['RSET', 'QUIT'].includes(this.due[0] ?? '');
  }

  answer(yes: boolean, no = '550 no'): void {
    const due = this.#due.shift();
    if (due === undefined) throw new Error('nothing is due');
    this.say(yes ? (due.verb === 'DATA' ? '354 go on' : '250 yes') : no);
    this.#carryOut(due, yes);
  }

  #carryOut({ verb, passage }: Due, yes: boolean): void {
    switch (verb) {
      case 'MAIL':
        if (!yes && passage) passage.dead = true;
        if (!yes) return;
        if (this.#open !== undefined) this.wrongs.push('MAIL inside a transaction');
        this.#open = passage;
        return;
      case 'RCPT':
        if (passage === undefined) return;
        passage.asked++;
        if (yes) passage.accepted++;
        return;
      case 'DATA':
        if (!yes) return;
        if (this.#due.length > 0) this.wrongs.push(`${this.due.join()} after DATA in a group`);
        this.inContent = true;
        return this.#read();
      case 'BDAT':
        if (!yes && passage) passage.dead = true;
        return;
      case '.':
        return this.#judge(passage, yes);
      case 'RSET':
        this.#open = undefined;
        return;
      case 'QUIT':
        this.lose();
    }
  }

  #judge(passage: Passage | undefined, yes: boolean): void {
    if (yes) this.delivered++;
    const told = `Subject: ${passage?.sender}\r\n`;
    if (yes && passage?.text.includes(told) !== true)
      this.wrongs.push(`not the content of ${passage?.sender}`);
    // only a transaction that was good to its end has a verdict for each recipient
    if (this.lmtp && this.#verdicts === 0 && this.#open === passage && passage?.dead === false)
      this.#verdicts = Math.max(1, passage.accepted);
    if (this.#verdicts > 1) {
      this.#verdicts--;
      this.#due.unshift({ verb: '.', passage });
      return;
    }
    this.#verdicts = 0;
    if (passage) passage.judged = true;
    // after a chunk that was refused only RSET helps (RFC 3030 §2)
    if (passage?.dead !== true || passage.accepted === 0) this.#open = undefined;
  }

  #read(): void {
    for (let more = true; more; ) {
      if (this.#chunk !== undefined) more = this.#readChunk(this.#chunk);
      else if (this.inContent) more = this.#readContent();
      else more = this.#readLine();
    }
  }

  #readLine(): boolean {
    const end = this.#text.indexOf('\r\n');
    if (end < 0) return false;
    const line = this.#take(end + 2).slice(0, -2);
    const [verb = '', argument = ''] = line.split(' ');
    if (verb === 'BDAT') {
      this.#chunk = { octets: Number(argument), last: line.endsWith(' LAST') };
      return true;
    }
    if (!/^(EHLO|LHLO|MAIL|RCPT|DATA|RSET|QUIT)$/.test(verb)) this.wrongs.push(`a command "${line}"`);
    if (verb === 'MAIL') {
      const sender = /<(.*?)@/.exec(line)?.[1] ?? '';
      // a message goes again only when all that had left of it is answered
      if (this.#due.some(({ passage }) => passage?.sender === sender)) this.wrongs.push(`${line}, too soon`);
      const fresh = { text: '', asked: 0, recipients: 0, accepted: 0 };
      this.passages.push({ sender, ...fresh, dead: false, ended: false, judged: false });
    }
    const passage = this.passages.at(-1);
    if (verb === 'RCPT' && passage) passage.recipients++;
    this.#ask({ verb, passage: /^(MAIL|RCPT|DATA)$/.test(verb) ? passage : undefined });
    return true;
  }

  #readContent(): boolean {
    const end = /(?:^|\r\n)\.\r\n/.exec(this.#text);
    if (end === null) return false;
    this.inContent = false;
    this.#endText(this.#take(end.index + end[0].length));
    return true;
  }

  #readChunk({ octets, last }: { readonly octets: number; readonly last: boolean }): boolean {
    if (this.#text.length < octets) return false;
    this.#chunk = undefined;
    const text = this.#take(octets);
    const passage = this.passages.at(-1);
    if (last) this.#endText(text);
    else {
      if (passage) passage.text += text;
      this.#ask({ verb: 'BDAT', passage });
    }
    return true;
  }

  #endText(text: string): void {
    const passage = this.passages.at(-1);
    if (passage) {
      passage.text += text;
      passage.ended = true;
    }
    this.#ask({ verb: '.', passage });
  }

  #ask(due: Due): void {
    if (!this.pipelining && this.#due.length > 0) this.wrongs.push(`${due.verb} behind ${this.due.join()}`);
    this.#due.push(due);
  }

  #take(octets: number): string {
    const taken = this.#text.slice(0, octets);
    this.#text = this.#text.slice(octets);
    return taken;
  }
}
