/**
 * Lists that mostly stay empty, or have a member or two: they cost nothing until then. An array that grows makes room
 * for many. It knows nothing of what is listed.
 */

/** The empty list of all. */
export const nothing: readonly never[] = Object.freeze([]);

/** The list with one more. What came out of here is the owner's own, and grows in place. */
export function added<T>(list: readonly T[], item: T): readonly T[] {
  if (list.length === 0) return [item];
  const [first] = list;
  if (list.length === 1 && first !== undefined) return [first, item];
  (list as T[]).push(item);
  return list;
}

/** Puts another member in the place of one. */
export function change<T>(list: readonly T[], at: number, item: T): void {
  (list as T[])[at] = item;
}
