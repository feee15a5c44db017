import { wrong } from './checks.js'
import { ignored } from './ignored.js'

/** What a function of the options answered. A promise would be a yes, whatever it brings: it is a `TypeError`. */
export function yesOrNo(answer: unknown, name: string): boolean {
  if (!(answer instanceof Promise)) return Boolean(answer)
  ignored(answer)
  return wrong(`what ${name} answers`, 'a boolean, at once', answer)
}
