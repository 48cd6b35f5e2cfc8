/**
 * The RCPT lines of one message: each is checked when it is added and encoded when it leaves. Nearly all are an
 * ordinary address and nothing more; no object is made of those, and any number of them is one text. It must not know
 * when a line may be sent.
 */
import { isOrdinary, type PathRules, parsePath } from './address.ts';
import { type Command, commands, type RecipientParameters } from './command.ts';

/** One whose address or parameters are out of the ordinary. */
interface Other {
  readonly parameters: RecipientParameters;
  readonly command: Command;
}

const mayBePostmaster: PathRules = { allowPostmaster: true };
const noParameters: RecipientParameters = {};
const start = 'RCPT TO:<';
const end = '>\r\n';
const between = end + start;

export class RecipientLines {
  // Private, so that what is in here has been checked, and stays so.
  #addresses: string[] | undefined = undefined;
  #others: Map<number, Other> | undefined = undefined;

  get length(): number {
    return this.#addresses?.length ?? 0;
  }

  /**
   * Checks one and puts it behind the others.
   * @returns the address, as it goes between `<` and `>`
   * @throws SmtpUsageError EINVAL, naming for example `recipient.address`; then nothing was added
   */
  add(address: string, parameters: RecipientParameters): string {
    const { notify, orcpt } = parameters;
    if (notify === undefined && orcpt === undefined && isOrdinary(address)) return this.#push(address);
    const path = parsePath(address, 'recipient.address', mayBePostmaster);
    const other = { parameters, command: commands.rcpt(path, parameters) };
    this.#others ??= new Map();
    this.#others.set(this.length, other);
    return this.#push(path.address);
  }

  /** How many from this one on can be one text, if so many are enough: ordinary ones side by side, or one that is not. */
  together(at: number, most: number): number {
    const others = this.#others;
    if (others === undefined) return most;
    if (others.has(at)) return 1;
    let count = 1;
    while (count < most && !others.has(at + count)) count++;
    return count;
  }

  /** So many that are {@link together}, as they go on the wire. */
  text(at: number, count: number): string {
    const other = this.#others?.get(at);
    if (other !== undefined) return other.command.text;
    const addresses = this.#addresses ?? [];
    if (count === 1) return start + addresses[at] + end;
    return start + addresses.slice(at, at + count).join(between) + end;
  }

  /** How many octets such a text has. */
  octets(at: number, text: string): number {
    return this.#others?.get(at)?.command.octets ?? text.length;
  }

  parameters(at: number): RecipientParameters {
    return this.#others?.get(at)?.parameters ?? noParameters;
  }

  /** Throws RangeError where there is none. */
  command(at: number): Command {
    const address = this.#addresses?.[at];
    if (address === undefined) throw new RangeError(`there is no recipient ${at + 1}`);
    return this.#others?.get(at)?.command ?? commands.rcpt(parsePath(address, 'recipient'), noParameters);
  }

  #push(address: string): string {
    // a list of one takes less room than one that grows
    if (this.#addresses === undefined) this.#addresses = [address];
    else this.#addresses.push(address);
    return address;
  }
}
