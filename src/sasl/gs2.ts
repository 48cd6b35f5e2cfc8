/** What SCRAM and OAUTHBEARER share of GS2 (RFC 5801 §4): the header that names the channel and the identity. */

/** `=` and `,` may not stand in a saslname (RFC 5802 §5.1). */
export function saslname(text: string): string {
  return text.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/** `n,,`, `y,a=someone,`, `p=tls-exporter,,`. */
export function gs2Header(flag: string, authzid: string | undefined): string {
  return `${flag},${authzid === undefined ? '' : `a=${saslname(authzid)}`},`;
}
