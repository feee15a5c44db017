import { Presets, SingleBar } from 'cli-progress'
import type { Progress as WarmProgress } from '@flow-cache/warmer'
import { duration } from './layout.js'
import type { StepName } from './steps.js'

/** Shows on standard error how far the work is. */
export interface Progress {
  /** A step has come so far, from 0 to 1. */
  readonly at: (step: StepName, share: number) => void
  /** Nothing is under way any more; whatever was shown goes. */
  readonly end: () => void
}

const doing: Readonly<Record<StepName, string>> = {
  question: 'reading the question',
  scan: 'reading files',
  chunk: 'splitting documents',
  index: 'indexing',
  retrieve: 'searching',
  rerank: 'ranking',
  brief: 'writing the brief',
}

const long: ReadonlySet<StepName> = new Set(['chunk', 'index', 'brief'])

/** A bar that moves on a terminal; on anything else one line for each long step. */
export function progressOn(stream: NodeJS.WriteStream, plain: boolean): Progress {
  return stream.isTTY && !plain ? bar(stream) : lines(stream)
}

/** The same for warming: a bar on a terminal, on anything else a line for each key. */
export function warmingOn(
  stream: NodeJS.WriteStream,
  plain: boolean,
): { readonly at: (progress: WarmProgress) => void; readonly end: () => void } {
  const { at, end } = stream.isTTY && !plain ? warmingBar(stream) : warmingLines(stream)
  return { at, end }
}

function warmingBar(stream: NodeJS.WriteStream): ReturnType<typeof warmingOn> {
  const shown = barOn(stream, ' warming {bar} {value} of {total} · {left}')
  let running = false
  return {
    at({ done, total = 0, leftMs }) {
      const payload = { left: leftMs === undefined || done === 0 ? '' : `${duration(leftMs)} left` }
      if (!running) shown.start(total, done, payload)
      running = true
      shown.update(done, payload)
    },
    end() {
      if (running) shown.stop()
    },
  }
}

function warmingLines(stream: NodeJS.WritableStream): ReturnType<typeof warmingOn> {
  let told = 0
  return {
    at({ done, total }) {
      if (done > told) stream.write(`warming: ${done} of ${total} ...\n`)
      told = done
    },
    end() {},
  }
}

function barOn(stream: NodeJS.WriteStream, format: string): SingleBar {
  const options = {
    stream,
    format,
    barsize: 30,
    fps: 20,
    hideCursor: true,
    clearOnComplete: true,
    linewrap: false,
    gracefulExit: false, // Ctrl-C is ours
  }
  return new SingleBar(options, Presets.shades_classic)
}

function bar(stream: NodeJS.WriteStream): Progress {
  const shown = barOn(stream, ' {doing} {bar} {percentage} %')
  const widest = Math.max(...Object.values(doing).map((text) => text.length))
  let running = false
  return {
    at(step, share) {
      const payload = { doing: doing[step].padEnd(widest) }
      if (!running) shown.start(100, share * 100, payload)
      running = true
      shown.update(share * 100, payload)
    },
    end() {
      if (running) shown.stop()
      running = false
    },
  }
}

function lines(stream: NodeJS.WritableStream): Progress {
  const told = new Set<StepName>()
  return {
    at(step) {
      if (told.has(step) || !long.has(step)) return
      told.add(step)
      stream.write(`${doing[step]} ...\n`)
    },
    end() {
      told.clear()
    },
  }
}
