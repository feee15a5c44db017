/** How many lines are looked at to tell a log from a list of keys. */
const sample = 50

/** Whether these are lines of an access log: most of the first ones have its form. */
export function isAccessLog(lines: readonly string[]): boolean {
  const first = lines.slice(0, sample)
  return 2 * first.filter((line) => keyOfLogLine(line) !== undefined).length > first.length
}

/** Method and target in a line of the common log format and what extends it; a quote inside is escaped. */
const request = /^\S+ \S+ .*?\[[^\]]*\] "([A-Z]+) ((?:[^"\\ ]|\\.)+)(?: HTTP\/[\d.]+)?"/

/**
 * What a line of an access log asks for: the target of a GET or HEAD, query included. `null` for other methods, and
 * `undefined` for a line in another format than the common or the combined one of Apache and nginx.
 */
export function keyOfLogLine(line: string): string | null | undefined {
  const found = request.exec(line)
  if (found === null) return undefined
  return found[1] === 'GET' || found[1] === 'HEAD' ? found[2] : null
}
