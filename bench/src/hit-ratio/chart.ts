const width = 50

/** A bar for each size and its hit ratio in percent; the line stands where every request but a key's first is a hit. */
export function chartOf(points: readonly (readonly [size: number, ratio: number])[], most: number): string {
  const labels = points.map(([size]) => size.toLocaleString('en'))
  const wide = Math.max(...labels.map((label) => label.length), 'entries'.length)
  const limit = Math.round((most / 100) * width)
  const lines = points.map(([, ratio], i) => {
    const bar = '█'.repeat(Math.round((ratio / 100) * width))
    const line = bar.length >= limit ? bar : `${bar.padEnd(limit)}│`
    return `${labels[i]!.padStart(wide)}  ${ratio.toFixed(2).padStart(6)} %  ${line}`
  })
  return [
    `${'entries'.padStart(wide)}   hits`,
    ...lines,
    most === 0
      ? 'No key is asked for twice: no cache helps here.'
      : `At most ${most.toFixed(2)} %: the first request for a key is a miss.${enough(points, most)}`,
  ].join('\n')
}

/** The answer in words: the least size that has nine tenths of what can be had. */
function enough(points: readonly (readonly [size: number, ratio: number])[], most: number): string {
  const found = points.find(([, ratio]) => ratio >= 0.9 * most)
  return found === undefined
    ? ' None of these sizes has nine tenths of that.'
    : ` Nine tenths of that take ${found[0].toLocaleString('en')} entries, of the sizes shown.`
}
