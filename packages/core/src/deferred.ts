/** A promise, and what settles it: a value, or another promise. */
export interface Deferred<T> {
  readonly promise: Promise<T>
  readonly resolve: (value: T | PromiseLike<T>) => void
}

export function deferred<T>(): Deferred<T> {
  let resolve!: Deferred<T>['resolve']
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
