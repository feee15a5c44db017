import type { CacheInfo } from '@flow-cache/node'
import { type BriefPart, briefOf } from './brief-parts.js'
import type { Chunked, Indexed } from './desk-nodes.js'
import { count } from './layout.js'
import type { Corpus } from './scan.js'
import type { StepName } from './steps.js'

/** What a step did, in a few words for people. */
export function noteOf(name: StepName, output: unknown, items: CacheInfo['items']): string {
  switch (name) {
    case 'question':
      return 'takes less to read than to look up'
    case 'scan':
      return describe(output as Corpus)
    case 'chunk': {
      const { documents } = output as Chunked
      if (items === undefined || items.hits === 0 || items.misses === 0) return count(documents, 'file')
      return `${count(items.misses, 'file')} anew, ${count(items.hits, 'file')} as before`
    }
    case 'index': {
      const { chunks, termIds } = (output as Indexed).index
      return `${count(chunks.length, 'section')}, ${count(termIds.size, 'term')}`
    }
    case 'brief':
      return `LexRank over ${count(briefOf(output as readonly BriefPart[]).weighed, 'sentence')}`
    default:
      return 'not cached: soon made again'
  }
}

function describe({ documents, found, duplicates, older, legal, large, left }: Corpus): string {
  const passed = [
    older > 0 ? `${number(older)} of older versions` : '',
    duplicates > 0 ? count(duplicates, 'duplicate') : '',
    legal > 0 ? count(legal, 'licence') : '',
    large > 0 ? `${number(large)} too large` : '',
    left > 0 ? `${number(left)} over the limit` : '',
  ].filter((part) => part !== '')
  return [`${number(documents.length)} of ${count(found, 'file')}`, ...passed].join(', ')
}

function number(value: number): string {
  return value.toLocaleString('en')
}
