// @ts-check
// Asks the desk and shows its answer as it streams. No framework, nothing to build.

/** @template {Element} E @param {string} id @param {new () => E} type @returns {E} */
function part(id, type) {
  const found = document.getElementById(id)
  if (!(found instanceof type)) throw new Error(`the page has no ${type.name} '${id}'`)
  return found
}

const form = part('ask', HTMLFormElement)
const status = part('status', HTMLParagraphElement)
const progress = part('progress', HTMLProgressElement)
const answer = part('answer', HTMLElement)
const steps = part('steps', HTMLTableElement)
const nodes = part('nodes', HTMLTableElement)
const crowd = part('crowd', HTMLButtonElement)

/** @type {EventSource | undefined} */
let asking

/** @type {Record<string, string>} */
const doing = {
  question: 'Reading the question',
  scan: 'Reading files',
  chunk: 'Splitting documents',
  index: 'Indexing',
  retrieve: 'Searching',
  rerank: 'Ranking',
  brief: 'Writing the brief',
}

/** @param {number} ms */
function duration(ms) {
  const size = Math.abs(ms)
  if (size >= 1000) return `${(ms / 1000).toFixed(2)} s`
  return size >= 10 ? `${ms.toFixed(0)} ms` : `${ms.toFixed(size >= 0.1 ? 1 : 2)} ms`
}

const number = new Intl.NumberFormat('en')

/** The parts of a quoted sentence: what stands in backticks is code. @param {string} text */
function quoted(text) {
  return text
    .split(/`([^`]+)`/)
    .map((part, i) =>
      i % 2 === 0 ? part : Object.assign(document.createElement('code'), { textContent: part }),
    )
}

/** @param {string} text @param {string} [kind] */
function say(text, kind = '') {
  status.textContent = text
  status.className = kind
}

/** @param {HTMLTableElement} table @param {readonly string[]} cells @param {string} [kind] */
function addRow(table, cells, kind = '') {
  const row = document.createElement('tr')
  row.className = kind
  for (const cell of cells) row.append(Object.assign(document.createElement('td'), { textContent: cell }))
  table.tBodies[0]?.append(row)
}

/** @param {HTMLTableElement} table */
function empty(table) {
  table.tBodies[0]?.replaceChildren()
}

function query() {
  const fields = [...new FormData(form)].map(([name, value]) => [
    name,
    typeof value === 'string' ? value : '',
  ])
  return new URLSearchParams(fields)
}

form.addEventListener('submit', (event) => {
  event.preventDefault()
  asking?.close()
  answer.replaceChildren()
  answer.setAttribute('aria-busy', 'true')
  empty(steps)
  steps.hidden = true
  say('Asking …')
  const sentences = document.createElement('ul')
  const sources = document.createElement('ol')
  answer.append(sentences, sources)
  const events = new EventSource(`/ask?${query()}`)
  asking = events
  const end = () => {
    events.close()
    progress.hidden = true
    answer.setAttribute('aria-busy', 'false')
  }
  /** @param {string} name @param {(data: any) => void} listener */
  const on = (name, listener) => {
    events.addEventListener(name, (event) => {
      if (asking === events) listener(JSON.parse(event.data))
    })
  }
  on('progress', ({ step, share }) => {
    say(`${doing[step]} …`)
    progress.hidden = false
    progress.value = share
  })
  on('step', ({ name, from, ms, savedMs, note }) => {
    progress.hidden = true
    steps.hidden = false
    const kind = from === 'cache' || from === 'shared' ? 'cache' : ''
    addRow(steps, [name, from, duration(ms), savedMs === 0 ? '' : duration(savedMs), note], kind)
  })
  on('part', (told) => {
    if (told.type === 'sentence') {
      const item = document.createElement('li')
      const source = Object.assign(document.createElement('sup'), { textContent: ` ${told.source}` })
      item.append(...quoted(told.text), source)
      sentences.append(item)
    } else if (told.type === 'source') {
      const where = told.headings.length === 0 ? '' : `: ${told.headings.slice(-2).join(' › ')}`
      const text = `${`${told.package} ${told.version}`.trim()}, ${told.file}${where}`
      sources.append(Object.assign(document.createElement('li'), { textContent: text }))
    } else if (told.coverage < 0.5) say('Little is written about this here.')
  })
  on('answer', ({ ms, corpus, steps: all, nodes: reports }) => {
    end()
    const saved = all.reduce((/** @type {number} */ sum, /** @type {any} */ step) => sum + step.savedMs, 0)
    say(
      `Answered from ${number.format(corpus.documents)} documents in ${duration(ms)}; the cache saved ${duration(saved)}.`,
    )
    empty(nodes)
    nodes.hidden = false
    for (const { name, hits, stale, shared, misses, bypass, netSavedMs } of reports) {
      const counts = [hits + stale, shared, misses + bypass].map((count) => number.format(count))
      const pays = netSavedMs >= 0
      const cells = [name, ...counts, duration(netSavedMs), pays ? 'pays' : 'does not pay']
      addRow(nodes, cells, pays ? '' : 'loses')
    }
  })
  on('problem', ({ message }) => {
    end()
    say(message, 'problem')
  })
  events.addEventListener('error', () => {
    if (asking !== events || events.readyState === EventSource.CLOSED) return
    end()
    say('The desk does not answer. Is it still running?', 'problem')
  })
})

crowd.addEventListener('click', async () => {
  crowd.disabled = true
  say('Fifty users ask …')
  try {
    const response = await fetch(`/crowd?users=50&${query()}`, { method: 'POST' })
    const told = await response.json()
    if (!response.ok) say(told.message, 'problem')
    else {
      const few = ['no brief was written', 'one brief was written']
      const written = few[told.briefsWritten] ?? `${told.briefsWritten} briefs were written`
      say(`${told.users} users were answered in ${duration(told.ms)}; ${written}.`)
    }
  } catch {
    say('The desk does not answer. Is it still running?', 'problem')
  } finally {
    crowd.disabled = false
  }
})

// On a phone the page scrolls as a whole, and nothing scrolls within it: what shows the cache takes the height it needs.
const cache = part('cache', HTMLIFrameElement)
const isNarrow = matchMedia('(width < 64rem)')
function fit() {
  const inside = cache.contentDocument?.documentElement
  cache.style.height = isNarrow.matches && inside ? `${inside.offsetHeight}px` : ''
}
function watchHeight() {
  const inside = cache.contentDocument?.documentElement
  if (inside) new ResizeObserver(fit).observe(inside)
}
isNarrow.addEventListener('change', fit)
cache.addEventListener('load', watchHeight)
watchHeight()
