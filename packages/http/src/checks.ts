/** Refuses what people gave, with a `TypeError` that names it and says what it must be. */
export function wrong(name: string, wanted: string, value: unknown): never {
  const shown = typeof value === 'string' ? `'${value.slice(0, 40)}'` : value === null ? 'null' : typeof value
  throw new TypeError(`${name} must be ${wanted}, got ${shown}`)
}

export function checkFunction(value: unknown, name: string): void {
  if (typeof value !== 'function') wrong(name, 'a function', value)
}

/** A whole number from `least` on, or an error that names it. */
export function checkCount(value: number, least: number, name: string): number {
  if (typeof value !== 'number') wrong(name, 'a number', value)
  if (Number.isInteger(value) && value >= least) return value
  throw new RangeError(`${name} must be a whole number of at least ${least}, got ${value}`)
}

/** Refuses options nobody knows: a misspelt one would be ignored in silence. */
export function checkNames(options: object, known: readonly string[], where: string): void {
  if (typeof options !== 'object' || options === null) wrong('options', 'an object', options)
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new TypeError(`unknown option '${name}' in ${where}; known are ${known.join(', ')}`)
    }
  }
}

/** Refuses what is no `Request`. Not by its class: a platform may have more than one. */
export function checkRequest(value: unknown): void {
  const { url, method, headers } = (value ?? {}) as Partial<Request>
  if (typeof url !== 'string' || typeof method !== 'string' || typeof headers?.get !== 'function')
    wrong('request', 'a Request', value)
}

/** The handler's answer, if it is a `Response`. */
export function checkResponse(value: unknown): Response {
  const { status, headers } = (value ?? {}) as Partial<Response>
  if (typeof status !== 'number' || typeof headers?.get !== 'function')
    wrong('what the handler answers', 'a Response', value)
  return value as Response
}
