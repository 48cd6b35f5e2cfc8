/**
 * The error of a line: an `Error` with a `code` as node:net and node:tls give it. It knows no SMTP.
 */

/** What arrived before a handshake began belongs to nobody (CVE-2011-0411). */
export function clearBytes(): LineError {
  return new LineError('ERR_SSL_WRONG_VERSION_NUMBER', 'clear bytes came where a TLS handshake was due');
}

export class LineError extends Error {
  override readonly name = 'LineError';
  /** For example `ECONNRESET`. */
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(`${message} (${code})`, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  /** One that was saved as a plain error with the same fields. */
  static again({ message, ...fields }: Error): LineError {
    const error = new LineError('code' in fields ? String(fields.code) : '', '', fields.cause);
    error.message = message;
    return error;
  }
}
