import { Presets, SingleBar } from 'cli-progress'
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

function bar(stream: NodeJS.WriteStream): Progress {
  const shown = new SingleBar(
    {
      stream,
      format: ' {doing} {bar} {percentage} %',
      barsize: 30,
      fps: 20,
      hideCursor: true,
      clearOnComplete: true,
      linewrap: false,
      gracefulExit: false, // Ctrl-C is ours
    },
    Presets.shades_classic,
  )
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
