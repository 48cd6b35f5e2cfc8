/**
 * The error of a line: an `Error` with a `code` as node:net and node:tls give it. It knows no SMTP.
 */
export class LineError extends Error {
  override readonly name = 'LineError';
  /** For example `ECONNRESET`. */
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(`${message} (${code})`, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
