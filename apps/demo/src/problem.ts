/** Something that whoever asked can put right. Its message says what is wrong and what to do. */
export class Problem extends Error {
  override readonly name: string = 'Problem'
}

/** Nothing was to be run, and the cache has not what it takes. */
export class NotCached extends Problem {
  override readonly name = 'NotCached'
}
