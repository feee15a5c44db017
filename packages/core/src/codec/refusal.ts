import { CacheError } from '../errors.js'

/** Where in a container: an index, the name of a property, or how a part of a map or a set is reached. */
export type Step = number | string | { readonly text: string }

/** How many containers may be nested in each other. */
export const deepest = 1_000

/** The error for a value that cannot be kept: where, what is wrong there, and what to do. */
export function refusal(
  steps: readonly Step[],
  problem: string,
  remedy: string,
  key: string,
  cause?: unknown,
): CacheError {
  return new CacheError('ERR_VALUE', `${pathOf(steps)} ${problem}: ${remedy}`, {
    key,
    ...(cause === undefined ? {} : { cause }),
  })
}

/** The error for a value that is too deep. */
export function tooDeep(steps: readonly Step[], key: string): CacheError {
  return refusal(steps, `is nested deeper than ${deepest} levels`, 'pick fewer fields', key)
}

/** The error for an object that is neither plain data nor built in. */
export function foreign(steps: readonly Step[], value: object, key: string): CacheError {
  if (typeof value === 'function') return refusal(steps, 'is a function', 'leave it out', key)
  const name = nameOf(value)
  const what = name === undefined ? 'is an object with a prototype of its own' : `is an instance of ${name}`
  return refusal(steps, what, remedyFor(name), key)
}

/** The error for a value of which reading a part failed. */
export function unreadable(steps: readonly Step[], key: string, cause: unknown): CacheError {
  return refusal(steps, 'cannot be read', 'the cause says why', key, cause)
}

/** A step into a map at a key: by the key if it is a simple one, else by its place. */
export function stepAt(key: unknown, index: number): Step {
  if (typeof key === 'string') return { text: `.get(${JSON.stringify(short(key))})` }
  return { text: typeof key === 'number' ? `.get(${key})` : `.values()[${index}]` }
}

const plainName = /^[A-Za-z_$][\w$]*$/
const longest = 400

function pathOf(steps: readonly Step[]): string {
  const path = steps.reduce<string>((path, step) => {
    if (typeof step === 'number') return `${path}[${step}]`
    if (typeof step === 'object') return path + step.text
    return plainName.test(step) && step.length <= 64
      ? `${path}.${step}`
      : `${path}[${JSON.stringify(short(step))}]`
  }, 'value')
  return path.length <= longest ? path : `${path.slice(0, longest / 2)}…${path.slice(-longest / 2)}`
}

const short = (name: string): string => (name.length <= 64 ? name : `${name.slice(0, 63)}…`)

function nameOf(value: object): string | undefined {
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: unknown } } | null
  const name = prototype?.constructor?.name
  return typeof name === 'string' && name !== '' && name !== 'Object' ? name : undefined
}

function remedyFor(name: string | undefined): string {
  switch (name) {
    case 'Promise':
      return 'await it first'
    case 'Blob':
    case 'File':
    case 'Response':
    case 'Request':
      return 'await its content first'
    case 'ReadableStream':
    case 'Readable':
      return 'read it first'
    case 'RegExp':
      return 'keep its source and flags'
    case 'URL':
      return 'keep its href'
    case 'URLSearchParams':
      return 'keep its text'
    case 'SharedArrayBuffer':
      return 'keep a copy of its bytes'
    case 'String':
    case 'Number':
    case 'Boolean':
    case 'BigInt':
    case 'Symbol':
      return 'keep the primitive'
    default:
      return name?.endsWith('Error') ? 'keep its name and message' : 'pick the fields that matter'
  }
}
