/** Would a text betray the password of these worlds, as it is, in base64, or in the base64 of that? */
import { password } from './draw.ts';

/** What stands of a text in the base64 of whatever holds it, at each of the three places where it may begin. */
const inBase64 = (text: string): string[] =>
  [0, 1, 2].map((before) =>
    Buffer.from(`${'.'.repeat(before)}${text}`)
      .toString('base64')
      .slice(before === 0 ? 0 : before + 1, -4),
  );
const secrets = [password, ...inBase64(password), ...inBase64(password).flatMap(inBase64)];

export const leaks = (text: string): boolean => secrets.some((secret) => text.includes(secret));
