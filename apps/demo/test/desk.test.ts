import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { InMemoryCache } from '@flow-cache/memory'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Answer } from '../src/answer.js'
import { Desk, type DeskOptions } from '../src/desk.js'
import type { BriefPart } from '../src/brief-parts.js'
import { NotCached, Problem } from '../src/problem.js'
import type { StepName } from '../src/steps.js'
import { tagOf } from '../src/desk-nodes.js'
import { handbook } from './handbook.js'
import { temporaryTree } from './temporary-tree.js'

function deskIn(dir: string, options: Partial<DeskOptions> = {}): Desk {
  const cache = options.cache ?? cacheForTest()
  return new Desk({ dir, ...options, cache })
}

function cacheForTest(): InMemoryCache {
  const cache = new InMemoryCache({ maxEntries: 1000, ttl: '1d' })
  onTestFinished(() => cache.close())
  return cache
}

function from(answer: Answer): Partial<Record<StepName, string>> {
  return Object.fromEntries(answer.steps.map(({ name, from }) => [name, from]))
}

const allRan = {
  question: 'ran',
  scan: 'ran',
  chunk: 'ran',
  index: 'ran',
  retrieve: 'ran',
  rerank: 'ran',
  brief: 'ran',
}
const allKept = { question: 'cache', chunk: 'cache', index: 'cache', brief: 'cache' }
const question = 'How long is the pause between retries?'

describe('Desk', () => {
  it('answers from the documents, with every step run the first time', async () => {
    const answer = await deskIn(handbook).ask(question)
    expect(answer.brief.sentences.map(({ text }) => text).join(' ')).toContain(
      'The pause doubles with every attempt',
    )
    expect(answer.brief.sources[0]).toMatchObject({ file: 'README.md', headings: ['ferry', 'Retries'] })
    expect(from(answer)).toEqual(allRan)
    expect(answer.steps.every(({ savedMs }) => savedMs === 0)).toBe(true)
  })

  it('the same question again costs no chunking, no index and no brief, and tells what that saved', async () => {
    const desk = deskIn(handbook)
    const first = await desk.ask(question)
    const again = await desk.ask(question)
    expect(from(again)).toEqual({ ...allRan, ...allKept })
    expect(again.brief).toEqual(first.brief)
    expect(again.steps.find(({ name }) => name === 'index')?.savedMs).toBeGreaterThan(0)
  })

  it('another wording of the question is the same question', async () => {
    const desk = deskIn(handbook)
    await desk.ask('How do I repeat a job?')
    expect(from(await desk.ask('how to  repeat the JOBS'))).toMatchObject({ brief: 'cache' })
  })

  it('another question shares chunks and index, and gets a brief of its own', async () => {
    const desk = deskIn(handbook)
    await desk.ask(question)
    expect(from(await desk.ask('Is a rename atomic?'))).toEqual({ ...allRan, chunk: 'cache', index: 'cache' })
  })

  it('other parameters get another brief, also from a shared cache', async () => {
    const cache = cacheForTest()
    await deskIn(handbook, { cache, sentences: 3 }).ask(question)
    const answer = await deskIn(handbook, { cache, sentences: 1 }).ask(question)
    expect(from(answer)).toMatchObject({ index: 'cache', brief: 'ran' })
    expect(answer.brief.sentences).toHaveLength(1)
  })

  it('an edited file is chunked again and no other, and index and brief follow', async () => {
    const dir = temporaryTree({
      'a.md': '# Apples\n\nAn apple keeps for months in a cool cellar.',
      'b.md': '# Pears\n\nA pear keeps for a few weeks at most, even in a cellar.',
      'c.md': '# Plums\n\nA plum has to be eaten within days of the harvest.',
    })
    const desk = deskIn(dir)
    await desk.ask('How long does a pear keep?')
    writeFileSync(join(dir, 'b.md'), '# Pears\n\nA pear keeps for a whole year once it is dried.')
    const edited = await desk.ask('How long does a pear keep?')
    expect(from(edited)).toEqual({ ...allRan, question: 'cache', chunk: 'both' })
    expect(edited.steps.find(({ name }) => name === 'chunk')?.note).toBe('1 file anew, 2 files as before')
    expect(edited.brief.sentences[0]?.text).toBe('A pear keeps for a whole year once it is dried.')
  })

  it('an edit that is taken back costs nothing: the old entries still answer', async () => {
    const text = '# Apples\n\nAn apple keeps for months in a cool cellar.'
    const dir = temporaryTree({ 'a.md': text, 'b.md': '# Pears\n\nA pear keeps for a few weeks at most.' })
    const desk = deskIn(dir)
    await desk.ask('apples')
    writeFileSync(join(dir, 'a.md'), `${text} Or in a fridge.`)
    await desk.ask('apples')
    writeFileSync(join(dir, 'a.md'), text)
    expect(from(await desk.ask('apples'))).toEqual({ ...allRan, ...allKept })
  })

  it('twenty people with one question at once cost one brief', async () => {
    const desk = deskIn(handbook)
    const answers = await Promise.all(Array.from({ length: 20 }, () => desk.ask(question)))
    const ran = (name: StepName): number => answers.filter((answer) => from(answer)[name] === 'ran').length
    expect({ index: ran('index'), brief: ran('brief') }).toEqual({ index: 1, brief: 1 })
    for (const { brief } of answers) expect(brief).toEqual(answers[0]?.brief)
  })

  it('a brief streams: its parts come one by one, from a run and from the cache alike', async () => {
    const desk = deskIn(handbook)
    const [live, again]: BriefPart[][] = [[], []]
    const { brief } = await desk.ask(question, { onPart: (part) => live!.push(part) })
    await desk.ask(question, { onPart: (part) => again!.push(part) })
    expect(again).toEqual(live)
    expect(live!.filter(({ type }) => type === 'sentence')).toHaveLength(brief.sentences.length)
    expect(live!.at(-1)).toMatchObject({ type: 'end', weighed: brief.weighed })
  })

  it('no tenant gets the brief of another; what is keyed by content is shared', async () => {
    const desk = deskIn(handbook)
    await desk.ask(question, { tenant: 'a' })
    const other = await desk.ask(question, { tenant: 'b' })
    expect(from(other)).toEqual({ ...allRan, ...allKept, brief: 'ran' })
    expect(from(await desk.ask(question, { tenant: 'a' }))).toMatchObject({ brief: 'cache' })
    await expect(desk.ask(question, { tenant: '' })).rejects.toThrow('scope.tenant')
  })

  it('refreshing runs every step, and keeps what comes', async () => {
    const desk = deskIn(handbook)
    await desk.ask(question)
    expect(from(await desk.ask(question, { mode: 'refresh' }))).toEqual(allRan)
    expect(from(await desk.ask(question))).toEqual({ ...allRan, ...allKept })
  })

  it('where nothing may be made, a hit answers and a miss is a problem of its own', async () => {
    const desk = deskIn(handbook)
    await expect(desk.ask(question, { mode: 'only-if-cached' })).rejects.toThrow(NotCached)
    await desk.ask(question)
    const again = await desk.ask(question, { mode: 'only-if-cached' })
    expect(from(again)).toEqual({ ...allRan, ...allKept })
  })

  it('another version of the brief makes briefs anew, and nothing else', async () => {
    const cache = cacheForTest()
    await deskIn(handbook, { cache }).ask(question)
    const answer = await deskIn(handbook, { cache, briefVersion: '2' }).ask(question)
    expect(from(answer)).toEqual({ ...allRan, ...allKept, brief: 'ran' })
  })

  it('what a package says ends with its tag: the briefs that quote it are written anew, no other', async () => {
    const cache = cacheForTest()
    const desk = deskIn(handbook, { cache })
    await desk.ask(question)
    await cache.namespace('brief').invalidateTags([tagOf('another')])
    expect(from(await desk.ask(question))).toMatchObject({ brief: 'cache' })
    await cache.namespace('brief').invalidateTags([tagOf('handbook')])
    expect(from(await desk.ask(question))).toMatchObject({ index: 'cache', brief: 'ran' })
  })

  it('reports what caching each node brought, runs and hits', async () => {
    const desk = deskIn(handbook)
    for (let i = 0; i < 3; i++) await desk.ask(question)
    const reports = new Map(desk.reports().map((report) => [report.name, report]))
    expect([...reports.keys()]).toEqual(['question', 'chunk', 'index', 'brief'])
    const { savedMs, overheadMs, netSavedMs, ...counts } = reports.get('index')!
    expect(counts).toMatchObject({ hits: 2, misses: 1 })
    // How much it is depends on the machine: on a busy one, finding may take longer than making did.
    expect(savedMs).toBeGreaterThan(0)
    expect(netSavedMs).toBeCloseTo(savedMs - overheadMs)
  })

  it('tells how far it is, and not of what is only replayed', async () => {
    const seen = new Set<StepName>()
    const desk = deskIn(handbook)
    await desk.ask(question, { onProgress: (step) => seen.add(step) })
    expect([...seen]).toEqual(expect.arrayContaining(['scan', 'chunk', 'index', 'brief']))
    seen.clear()
    await desk.ask(question, { onProgress: (step) => seen.add(step) })
    expect([...seen]).toEqual(['scan'])
  })

  it('a cancelled question ends where it is, and the next one starts over', async () => {
    const desk = deskIn(handbook)
    const controller = new AbortController()
    const onProgress = (step: StepName): void => {
      if (step === 'index') controller.abort()
    }
    await expect(desk.ask(question, { signal: controller.signal, onProgress })).rejects.toThrow('aborted')
    expect(from(await desk.ask(question))).toMatchObject({ chunk: 'cache', index: 'ran', brief: 'ran' })
  })

  it.each([
    ['a question of filler', 'how do I?', 'has no word to look for'],
    ['words that no document has', 'plutonium', 'No document here says anything about "plutonium".'],
    ['a word that is nearly known', 'shceduling', 'Did you mean "scheduling"?'],
  ])('%s is a problem that says what to do', async (_, text, message) => {
    await expect(deskIn(handbook).ask(text)).rejects.toThrow(message)
    await expect(deskIn(handbook).ask(text)).rejects.toThrow(Problem)
  })

  it('a folder without documentation is a problem', async () => {
    await expect(deskIn(temporaryTree({ 'a.txt': 'x' })).ask('x-ray')).rejects.toThrow(
      'There are no Markdown files in',
    )
    await expect(deskIn(temporaryTree({ 'LICENSE.md': 'x' })).survey()).rejects.toThrow(
      'licences and the like',
    )
  })
})
