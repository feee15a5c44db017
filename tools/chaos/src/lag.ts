import { instant } from './random.js'

/** How often it is looked, in milliseconds. */
const every = 20

/** A look that comes later than this is no fault of the cache's, in milliseconds. */
const late = 80

/**
 * Tells of times in which this process did not get to run: a machine with too much to do. News cannot be heard then, and the
 * proxies of the process that has them pass nothing on. Answers how to stop.
 */
export function watchLag(tell: (begin: number, end: number) => void): () => void {
  let before = instant()
  const timer = setInterval(() => {
    const now = instant()
    if (now - before > every + late) tell(before, now)
    before = now
  }, every)
  return () => clearInterval(timer)
}
