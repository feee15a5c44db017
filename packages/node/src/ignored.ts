/** Lets nobody hear what a promise rejects with: a function of the caller's gave it where an answer was wanted. */
export function ignored(answer: unknown): void {
  if (answer instanceof Promise) answer.catch(() => {})
}
