import type { Awaitable } from './store.js'

/** Whether an answer comes later. */
export function isPromise<T>(value: Awaitable<T>): value is PromiseLike<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/** `next` of the value: at once where it is there, so that a store in this process costs no turn. */
export function chain<T, U>(value: Awaitable<T>, next: (value: T) => Awaitable<U>): Awaitable<U> {
  return isPromise(value) ? value.then(next) : next(value)
}

/** Like {@link chain}, with an answer for a failure, thrown or rejected. */
export function attempt<T, U>(
  call: () => Awaitable<T>,
  next: (value: T) => Awaitable<U>,
  failed: (error: unknown) => Awaitable<U>,
): Awaitable<U> {
  let value: Awaitable<T>
  try {
    value = call()
  } catch (error) {
    return failed(error)
  }
  return isPromise(value) ? value.then(next, failed) : next(value)
}

/** The answers, at once where all of them are there. */
export function together<T>(answers: readonly Awaitable<T>[]): Awaitable<readonly T[]> {
  return answers.some(isPromise) ? Promise.all(answers) : (answers as readonly T[])
}

/** The answer as a promise, and what is thrown as a rejected one. */
export function promised<T>(call: () => Awaitable<T>): Promise<T> {
  try {
    return Promise.resolve(call())
  } catch (error) {
    return Promise.reject(error)
  }
}

/** For a promise whose failure somebody else tells of. */
export const ignore = (): void => {}
