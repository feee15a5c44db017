// @ts-check
// Shows what a cache does, as the server tells. No framework, nothing to build.
import UPlot from './uplot.js'

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id))
/** @param {string} name */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()

/** How many seconds the charts go back, at least and at most, and how many moments they have at most. */
const least = 60
const most = 300

/** What was told so far: the time in seconds, hit ratio in percent, reads and loads a second. */
/** @type {[number[], (number | null)[], number[], number[]]} */
const history = [[], [], [], []]

/** @type {any} */
let before

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const short = new Intl.NumberFormat('en', { notation: 'compact' })

/** All and none are said of all and none alone. @param {number} share */
function percent(share) {
  const rounded = (100 * share).toFixed(1)
  if (share < 1 && rounded === '100.0') return '> 99.9 %'
  if (share > 0 && rounded === '0.0') return '< 0.1 %'
  return `${rounded} %`
}

/** @param {number} ms */
function duration(ms) {
  if (ms >= 7_200_000) return `${(ms / 3_600_000).toFixed(1)} h`
  if (ms >= 120_000) return `${(ms / 60_000).toFixed(1)} min`
  if (ms >= 1_000) return `${(ms / 1_000).toFixed(2)} s`
  if (ms >= 1) return `${ms.toFixed(ms >= 10 ? 0 : 1)} ms`
  if (ms === 0) return '0 ms'
  return `${(ms * 1_000).toFixed(ms >= 0.01 ? 0 : 1)} µs`
}

/** @param {string} tag @param {string} text @param {string} [kind] */
function element(tag, text, kind) {
  const made = document.createElement(tag)
  made.textContent = text
  if (kind !== undefined) made.className = kind
  return made
}

/** @param {string} id @param {readonly (readonly string[])[]} rows */
function fill(id, rows) {
  const table = /** @type {HTMLTableElement} */ (byId(id))
  const shown = rows.map((cells) => {
    const row = document.createElement('tr')
    row.append(...cells.map((cell) => element('td', cell)))
    return row
  })
  table.tBodies[0]?.replaceChildren(...shown)
  if (shown.length > 0) return
  const none = /** @type {HTMLTableCellElement} */ (element('td', 'Nothing so far.', 'quiet'))
  none.colSpan = table.tHead?.rows[0]?.cells.length ?? 1
  table.tBodies[0]?.insertRow().append(none)
}

/** @param {any} report @param {string} where */
function showTiles({ total, saved, caches }, where) {
  const all = Object.values(caches)
  const tiles = [
    ['Hit ratio', total.reads === 0 ? '–' : percent(total.hitRatio)],
    ['Reads', number.format(total.reads)],
    ['Loads avoided', number.format(total.loadsAvoided)],
    ['Loads', number.format(total.loads)],
    ['Under way', number.format(all.reduce((sum, { loading }) => sum + loading, 0))],
    ['Time saved', duration(saved.ms)],
    ['Efficiency', total.reads === 0 ? '–' : percent(total.efficiency)],
  ]
  if (saved.usd > 0) tiles.push(['Money saved', `$${saved.usd.toFixed(2)}`])
  if (saved.tokens > 0) tiles.push(['Tokens saved', number.format(saved.tokens)])
  byId(where).replaceChildren(
    ...tiles.map(([name, value]) => {
      const tile = document.createElement('div')
      tile.append(element('dt', name ?? ''), element('dd', value ?? ''))
      return tile
    }),
  )
}

/** @param {any} report */
function showTables({ caches }) {
  const entries = Object.entries(caches)
  /** @param {string} cache @param {string} what */
  const named = (cache, what) => (entries.length === 1 ? what : `${cache}: ${what}`)
  /** @param {any} latency */
  const times = ({ count, p50, p90, p99, p999 }) => [
    number.format(count),
    ...[p50, p90, p99, p999].map((ms) => (count === 0 ? '–' : duration(ms))),
  ]
  fill(
    'tiers',
    entries.flatMap(([cache, { tiers, latency }]) => [
      ...tiers.map((/** @type {any} */ tier) => {
        const [, ...rest] = times(tier.latency)
        return [named(cache, `hits in ${tier.name}`), number.format(tier.hits), ...rest]
      }),
      [named(cache, 'loads'), ...times(latency.load)],
    ]),
  )
  fill(
    'spaces',
    entries.flatMap(([cache, { namespaces }]) =>
      Object.entries(namespaces)
        .filter(([, { reads, sets, loads }]) => reads + sets + loads > 0)
        .map(([name, counts]) => [
          named(cache, name === '' ? 'the root' : name),
          number.format(counts.reads),
          percent(counts.hitRatio),
          number.format(counts.loads),
          number.format(counts.loadErrors),
          number.format(counts.evictions),
          duration(counts.savedMs),
        ]),
    ),
  )
}

/** @param {any[]} keys */
function showKeys(keys) {
  fill(
    'keys',
    keys.map(({ namespace, key, count, error }) => [
      namespace === '' ? key : `${namespace} › ${key}`,
      error === 0 ? number.format(count) : `${number.format(count)} ± ${number.format(error)}`,
    ]),
  )
}

/** @param {Record<string, any[] | null>} curves */
function showCurves(curves) {
  const shown = Object.entries(curves).map(([cache, points]) => {
    if (points === null) return element('p', 'Off: give CacheMetrics the option curve.', 'quiet')
    const table = document.createElement('table')
    if (Object.keys(curves).length > 1) table.append(element('caption', cache))
    else table.setAttribute('aria-labelledby', 'curve-title')
    const head = table.createTHead().insertRow()
    for (const name of ['entries', 'size', 'hit ratio']) {
      head.append(Object.assign(element('th', name), { scope: 'col' }))
    }
    const body = table.createTBody()
    for (const { entries, factor, hitRatio } of points) {
      const row = body.insertRow()
      const size = factor === undefined ? '' : factor === 1 ? 'as now' : `${factor}×`
      row.append(element('td', number.format(entries)), element('td', size))
      const cell = element('td', percent(hitRatio))
      const bar = document.createElement('progress')
      bar.value = hitRatio
      bar.ariaHidden = 'true'
      cell.prepend(bar, ' ')
      row.append(cell)
    }
    return table
  })
  byId('curves').replaceChildren(...shown)
}

/** @param {any[]} events @param {number} left */
function showEvents(events, left) {
  if (events.length === 0) return
  const list = byId('events')
  for (const { at, name, text } of events) {
    const item = document.createElement('li')
    const bad = ['loadError', 'error', 'poisoned'].includes(name) || text === 'open'
    item.append(
      element('time', new Date(at).toLocaleTimeString()),
      element('span', name, bad ? 'name bad' : 'name'),
      text,
    )
    list.prepend(item)
  }
  if (left > 0) list.prepend(element('li', `and ${number.format(left)} more`, 'quiet'))
  while (list.children.length > 200) list.lastElementChild?.remove()
}

/** @param {any} report */
function remember({ at, total }) {
  const seconds = before === undefined ? 0 : (at - before.at) / 1_000
  const reads = before === undefined ? 0 : total.reads - before.total.reads
  const hits = before === undefined ? 0 : total.hits - before.total.hits
  const loads = before === undefined ? 0 : total.loads - before.total.loads
  before = { at, total }
  if (seconds <= 0) return
  history[0].push(at / 1_000)
  history[1].push(reads === 0 ? null : (100 * hits) / reads)
  history[2].push(reads / seconds)
  history[3].push(loads / seconds)
  for (const values of history) if (values.length > most) values.shift()
  byId('ratio-text').textContent =
    reads === 0 ? 'No reads in the last second.' : `${percent(hits / reads)} of the last reads.`
  byId('rate-text').textContent =
    `${number.format(reads / seconds)} reads and ${number.format(loads / seconds)} loads a second.`
}

/** @type {readonly (readonly [any, () => any])[]} */
let charts = []

/** How long ago each moment was, in seconds, below 0. */
const ages = () => history[0].map((at) => at - (history[0].at(-1) ?? 0))

/** @param {unknown} _ @param {readonly number[]} seconds */
const ago = (_, seconds) =>
  seconds.map((at) => (at === 0 ? 'now' : at % 60 === 0 ? `${-at / 60} min ago` : `${-at} s ago`))

/** From when on the charts show: as far as is known. */
const span = () => /** @type {const} */ ([-Math.max(least, Math.min(most, -(ages()[0] ?? 0))), 0])

/** What a chart may take of its place: several lines have a legend below. @param {HTMLElement} place @param {number} lines */
const sizeOf = ({ clientWidth, clientHeight }, lines) => ({
  width: clientWidth,
  height: lines > 1 ? clientHeight - 30 : clientHeight,
})

/** Draws the charts anew: their colours are those of the scheme. */
function draw() {
  for (const [chart] of charts) chart.destroy()
  const axis = { stroke: colour('quiet'), grid: { stroke: colour('line'), width: 1 }, ticks: { show: false } }
  /** @param {string} id @param {readonly any[]} series @param {() => any} data @param {any} scale @param {(value: number) => string} say */
  const chart = (id, series, data, scale, say) => {
    const unit = (/** @type {unknown} */ _, /** @type {number[]} */ values) => values.map(say)
    const target = byId(id)
    const options = {
      ...sizeOf(target, series.length),
      scales: { x: { time: false, range: span }, y: scale },
      axes: [
        // As many as there is room for.
        { ...axis, size: 30, values: ago, incrs: [10, 20, 30, 60, 120, 300], space: 75 },
        { ...axis, size: 50, values: unit },
      ],
      series: [{}, ...series],
      cursor: { show: false },
      legend: { show: series.length > 1, live: false },
    }
    return /** @type {const} */ ([new UPlot(/** @type {any} */ (options), data(), target), data])
  }
  charts = [
    chart(
      'ratio',
      [{ label: 'hit ratio, %', stroke: colour('mark'), width: 2 }],
      () => [ages(), history[1]],
      {
        range: [0, 100],
      },
      (value) => `${value} %`,
    ),
    chart(
      'rate',
      [
        { label: 'reads', stroke: colour('mark'), width: 2 },
        { label: 'loads', stroke: colour('second'), width: 2, dash: [6, 4] },
      ],
      () => [ages(), history[2], history[3]],
      {
        range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ max) => [
          0,
          Math.max(1, max),
        ],
      },
      (value) => short.format(value),
    ),
  ]
}

draw()
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw)
new ResizeObserver(() => {
  for (const [chart] of charts) {
    const target = chart.root.parentElement
    if (target.clientWidth > 0 && target.clientWidth !== chart.width) {
      chart.setSize(sizeOf(target, chart.series.length - 1))
    }
  }
}).observe(document.body)

const state = byId('state')

/** Whether anything was told so far. */
let isTold = false

/** Shows what the server told, or that it does not answer. @param {string | undefined} data */
function show(data) {
  isTold = true
  if (data === undefined) {
    state.className = 'bad'
    state.textContent = 'The server does not answer. Trying again …'
    return
  }
  const { report, topKeys, curves, events: told = [], left = 0 } = JSON.parse(data)
  const open = Object.entries(report.caches).filter(([, { circuit }]) => circuit !== 'closed')
  state.className = open.length === 0 ? '' : 'bad'
  const says =
    open.length === 0
      ? 'Live'
      : `Live. The store is given up for now: ${open.map(([name]) => name).join(', ')}`
  if (state.textContent !== says) state.textContent = says
  remember(report)
  showTiles(report, 'tiles')
  showTables(report)
  showKeys(topKeys)
  showCurves(curves)
  showEvents(told, left)
  for (const [chart, values] of charts) chart.setData(values())
}

/** Asks the server for all there is to tell, for good. @param {(data: string | undefined) => void} tell */
function listen(tell) {
  const events = new EventSource('events')
  events.addEventListener('message', ({ data }) => tell(data))
  events.addEventListener('error', () => {
    tell(undefined)
    // After an answer that is no stream, such as one of a proxy's, the browser does not try again by itself.
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 3_000, tell)
  })
}

/**
 * Listens, in one of the pages that this browser has of it, and passes on what is told to the others: a stream keeps a
 * connection, and a browser opens six to a server. When that page goes, another one takes over.
 */
function listenTogether() {
  const name = `flow-cache ${location.pathname}`
  const others = new BroadcastChannel(name)
  others.addEventListener('message', ({ data }) => show(data))
  void navigator.locks.request(name, () => {
    listen((data) => {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- that is a window's: a channel has none
      others.postMessage(data)
      show(data)
    })
    return new Promise(() => {})
  })
}

/** Shows what there is, for whoever has to wait until the next is told. */
async function begin() {
  const response = await fetch('report')
  const data = await response.text()
  if (response.ok && !isTold) show(data)
}

// Locks are for pages of this machine, or over HTTPS.
if (navigator.locks === undefined) listen(show)
else {
  listenTogether()
  begin().catch(() => show(undefined))
}

const said = byId('said')

/** @param {string} name @param {string} input @param {HTMLButtonElement} button */
async function act(name, input, button) {
  // Not `disabled`, which would take the focus away from whoever uses the keyboard.
  if (button.ariaDisabled === 'true') return
  button.ariaDisabled = 'true'
  said.className = ''
  said.textContent = `${button.textContent} …`
  try {
    const response = await fetch(`actions/${name}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input }),
    })
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true
    said.textContent = isJson ? (await response.json()).message : await response.text()
    if (!response.ok) said.className = 'bad'
  } catch {
    said.className = 'bad'
    said.textContent = 'The server does not answer.'
  } finally {
    button.ariaDisabled = 'false'
  }
}

/** Brings the buttons, if anything may be done. */
async function offer() {
  const form = /** @type {HTMLFormElement} */ (byId('actions'))
  form.addEventListener('submit', (event) => event.preventDefault())
  const offered = await (await fetch('actions')).json()
  for (const { name, label, input } of offered) {
    const button = /** @type {HTMLButtonElement} */ (element('button', label))
    button.type = 'button'
    const group = document.createElement('div')
    /** @type {HTMLInputElement | undefined} */
    let field
    if (input !== undefined) {
      field = document.createElement('input')
      field.id = `input-${name}`
      field.setAttribute('list', `list-${name}`)
      const list = document.createElement('datalist')
      list.id = `list-${name}`
      list.append(...input.suggestions.map((/** @type {string} */ value) => new Option(value, value)))
      const title = /** @type {HTMLLabelElement} */ (element('label', input.label))
      title.htmlFor = field.id
      field.addEventListener('keydown', ({ key }) => key === 'Enter' && button.click())
      group.append(title, field, list)
    }
    button.addEventListener('click', () => void act(name, field?.value ?? '', button))
    group.append(button)
    form.append(group)
  }
  form.hidden = offered.length === 0
}
void offer()
