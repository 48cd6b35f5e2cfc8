/** Where C takes a pointer to write through: an object with the value inside. */
export interface Box<T> {
  value: T;
}

/** A null pointer takes nothing. */
export function put<T>(box: Box<T> | null | undefined, value: T): void {
  if (box !== null && box !== undefined) box.value = value;
}
