/**
 * xtext (RFC 3461 §4) and its kin for internationalised addresses (RFC 6533 §3): how free text becomes the value
 * of a parameter. It must not know which parameter, nor decide what text is allowed in it.
 */
import { isControl } from './characters.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/** xtext: `+`, `=` and all that is no visible ASCII character become `+XX`, one for each octet of UTF-8. */
export function encodeXtext(text: string): string {
  let out = '';
  for (const octet of encoder.encode(text)) {
    const plain = octet > 0x20 && octet < 0x7f && octet !== 0x2b && octet !== 0x3d;
    out += plain ? String.fromCharCode(octet) : `+${octet.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return out;
}

/** The text, or undefined where it is no xtext or no UTF-8. Small hexadecimal digits are refused as the RFC says. */
export function decodeXtext(xtext: string): string | undefined {
  const bytes: number[] = [];
  for (let i = 0; i < xtext.length; i++) {
    const code = xtext.charCodeAt(i);
    if (code === 0x2b) {
      const digits = xtext.slice(i + 1, i + 3);
      if (!/^[0-9A-F]{2}$/.test(digits)) return undefined;
      bytes.push(Number.parseInt(digits, 16));
      i += 2;
    } else if (code <= 0x20 || code >= 0x7f || code === 0x3d) {
      return undefined;
    } else {
      bytes.push(code);
    }
  }
  try {
    return decoder.decode(Uint8Array.from(bytes));
  } catch {
    return undefined;
  }
}

/** utf-8-addr-xtext, which is ASCII: `\x{10D}` for what is no visible ASCII character, and for `+`, `=`, `\`. */
export function encodeUtf8AddressXtext(address: string): string {
  return escapeAddress(address, (code) => code > 0x7e);
}

/** utf-8-addr-unitext: the same, but what is not ASCII stays. For servers with SMTPUTF8. */
export function encodeUtf8AddressUnitext(address: string): string {
  return escapeAddress(address, isControl);
}

function escapeAddress(address: string, escapes: (code: number) => boolean): string {
  let out = '';
  for (const char of address) {
    const code = char.codePointAt(0) ?? 0;
    const plain = code > 0x20 && char !== '+' && char !== '=' && char !== '\\' && !escapes(code);
    out += plain ? char : `\\x{${code.toString(16).toUpperCase().padStart(2, '0')}}`;
  }
  return out;
}
