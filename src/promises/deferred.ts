/** A promise that somebody else settles. It knows no mail. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (reason: Error) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  /** Who has waited hears of it elsewhere: a rejection that nobody handles is no crash. */
  mute(): this {
    this.promise.catch(() => {});
    return this;
  }
}
