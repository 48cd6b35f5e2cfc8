/**
 * A server that does as it is told and no more, for tests that play a man in the middle: what it answers to each verb
 * is octets in segments, and TLS begins when the test says so. It keeps what it heard, in clear and under TLS apart.
 */
import type { Handshake, SimLine, SimServer } from 'smtpump/testing';

/** Octets that leave as segments of their own; `tls`: the handshake is expected next; `end`: the server hangs up. */
export interface Move {
  readonly say?: readonly string[];
  readonly tls?: Handshake;
  readonly end?: boolean;
}

export interface Plan {
  readonly greeting?: string;
  /** TLS from the first octet on. */
  readonly implicit?: boolean;
  /** By verb; for `EHLO` under TLS there is `EHLO!`. What is not here is answered `250 ok`. */
  readonly moves?: Readonly<Record<string, Move>>;
}

export class Attacker implements SimServer {
  /** Command lines; those under TLS begin with `!`. */
  readonly heard: string[] = [];
  lines = 0;
  #line: SimLine | undefined;
  readonly #plan: Plan;

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  accept(line: SimLine): void {
    this.lines++;
    this.#line = line;
    let rest = '';
    let content = false;
    const { greeting = '220 mx.example.test\r\n', implicit } = this.#plan;
    line.onBytes = (bytes) => {
      rest += Buffer.from(bytes).toString('latin1');
      for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
        const text = rest.slice(0, end).replace(/\r$/, '');
        rest = rest.slice(end + 1);
        if (content && text !== '.') continue;
        this.heard.push(line.secure ? `!${text}` : text);
        content = this.#move(line, text);
      }
    };
    if (implicit) {
      line.startTls();
      line.onSecure = () => void line.write(greeting);
    } else line.write(greeting);
  }

  /** Octets out of turn. */
  say(text: string): void {
    this.#line?.write(text);
  }

  /** Is what follows the text of a message? */
  #move(line: SimLine, text: string): boolean {
    const { moves = {} } = this.#plan;
    const verb = text.split(' ')[0] ?? '';
    const {
      say = ['250 ok\r\n'],
      tls,
      end,
    } = (line.secure ? moves[`${verb}!`] : undefined) ?? moves[verb] ?? {};
    for (const segment of say) line.write(segment);
    if (tls !== undefined) line.startTls(tls);
    if (end) line.end();
    return say[0]?.startsWith('354') === true;
  }
}
