/** The content encoders once more, so simply that they can be seen to be right. Strings hold one octet a character. */

/** Every line end is CRLF, and the last line has one. */
export function chunked(text: string): string {
  const normal = text.replace(/\r\n|\r|\n/g, '\r\n');
  return normal === '' || normal.endsWith('\r\n') ? normal : `${normal}\r\n`;
}

export function stuffed(text: string): string {
  const lines = chunked(text).split('\r\n');
  return `${lines.map((line) => (line.startsWith('.') ? `.${line}` : line)).join('\r\n')}.\r\n`;
}

/** What a server makes of DATA (RFC 5321 §4.5.2). */
export function unstuffed(data: string): string {
  const lines = data.slice(0, data.indexOf('\r\n.\r\n') + 2).split('\r\n');
  return lines.map((line) => (line.startsWith('.') ? line.slice(1) : line)).join('\r\n');
}
