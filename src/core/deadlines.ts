/**
 * Every moment that something must have happened by, with its reason. One small table; time is an argument.
 */

/** What is waited for. */
export type DeadlineName = 'open' | 'secure' | 'token' | 'reply' | 'drain' | 'total' | 'message';

const names: readonly DeadlineName[] = ['open', 'secure', 'token', 'reply', 'drain', 'total', 'message'];

export class Deadlines {
  #at: Record<DeadlineName, number> = none();

  set(name: DeadlineName, at: number): void {
    this.#at[name] = at;
  }

  clear(name: DeadlineName): void {
    this.#at[name] = Infinity;
  }

  clearAll(): void {
    this.#at = none();
  }

  /** As times left. */
  save(now: number): Record<DeadlineName, number> {
    return moved(this.#at, -now);
  }

  load(left: Record<DeadlineName, number>, now: number): void {
    this.#at = moved(left, now);
  }

  /** The earliest moment, or Infinity. */
  next(): number {
    const at = this.#at;
    return Math.min(at.open, at.secure, at.token, at.reply, at.drain, at.total, at.message);
  }

  /** The earliest that has come, with its reason. */
  due(now: number): DeadlineName | undefined {
    const next = this.next();
    return next <= now ? names.find((name) => this.#at[name] === next) : undefined;
  }
}

function moved(at: Record<DeadlineName, number>, by: number): Record<DeadlineName, number> {
  const to = none();
  for (const name of names) to[name] = at[name] + by;
  return to;
}

function none(): Record<DeadlineName, number> {
  return {
    open: Infinity,
    secure: Infinity,
    token: Infinity,
    reply: Infinity,
    drain: Infinity,
    total: Infinity,
    message: Infinity,
  };
}
