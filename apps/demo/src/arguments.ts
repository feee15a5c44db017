import { parseArgs } from 'node:util'
import { closest, distance } from 'fastest-levenshtein'
import { Problem } from './problem.js'

/** What somebody asked for on the command line. */
export interface Arguments {
  /** Absent: ask the sample questions. */
  readonly question: string | undefined
  /** Absent: the nearest `node_modules`. */
  readonly dir: string | undefined
  readonly maxDocuments: number
  readonly top: number
  readonly sentences: number
  /** Absent: memory alone. */
  readonly redis: string | undefined
  /** `false` if colour is not wanted; `true` leaves it to the terminal. */
  readonly color: boolean
  readonly plain: boolean
  /** Whose briefs they are. */
  readonly tenant: string
  /** Absent: the code's own. */
  readonly briefVersion: string | undefined
  readonly refresh: boolean
  readonly onlyIfCached: boolean
  readonly explain: boolean
  /** Answer in a browser instead of here. */
  readonly serve: boolean
  /** Answer sample questions before anybody asks. */
  readonly warm: boolean
  /** Whether to open the browser, where there is a terminal. */
  readonly open: boolean
  /** 0: any that is free. */
  readonly port: number
  readonly help: boolean
  readonly version: boolean
}

export const help = `docs-desk: ask the documentation of your own dependencies

Usage: demo [options] ["question"]

Finds the Markdown in node_modules, indexes it, and answers with sentences quoted from it: an extractive
brief, no language model, no network. Every question is asked twice, so that the second time shows what the
cache is good for. Without a question it asks three of its own.

Options:
  --dir <folder>         a node_modules, or any folder of Markdown (default: the nearest node_modules)
  --sentences <n>        the most sentences in an answer, 1 to 12 (default: 5)
  --top <n>              how many sections an answer is written from, 1 to 1000 (default: 400)
  --max-documents <n>    the most documents to read (default: 1000)
  --redis <url>          share the cache with a second process, through this Redis; with --serve also "start",
                         for one of the demo's own that the page can stop and start
  --tenant <name>        whose answers they are; nobody gets another one's (default: local)
  --refresh              make everything anew the first time, whatever the cache has
  --only-if-cached       make nothing: answer from what is in Redis, or say what is not there
  --brief-version <v>    as if the code that writes briefs had changed: nothing else is made anew
  --explain              say of each step what the cache knows of it: key, age, why it had to run
  --serve                answer in a browser, on this machine only
  --warm                 with --serve: answer sample questions before anybody asks
  --no-open              with --serve: do not open the browser
  --port <n>             where --serve listens (default: 4280; 0: any that is free)
  --plain                no colour, no progress bar, ASCII only
  --no-color             no colour; so does the environment variable NO_COLOR
  --help, -h             this text
  --version, -v          the version

Exit codes: 0 answered, 1 something broke, 2 cannot be answered as it stands, 3 --only-if-cached found
nothing, 130 stopped with Ctrl-C.
`

const options = {
  dir: { type: 'string' },
  sentences: { type: 'string' },
  redis: { type: 'string' },
  top: { type: 'string' },
  'max-documents': { type: 'string' },
  tenant: { type: 'string' },
  'brief-version': { type: 'string' },
  refresh: { type: 'boolean' },
  'only-if-cached': { type: 'boolean' },
  explain: { type: 'boolean' },
  serve: { type: 'boolean' },
  warm: { type: 'boolean' },
  'no-open': { type: 'boolean' },
  port: { type: 'string' },
  plain: { type: 'boolean' },
  'no-color': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const

/** Reads the command line. What it cannot read is a {@link Problem} that names it. */
export function readArguments(argv: readonly string[]): Arguments {
  // Package managers pass a leading `--` on.
  const args = argv[0] === '--' ? argv.slice(1) : [...argv]
  const { values, positionals } = parse(args)
  const question = positionals.length === 0 ? undefined : positionals.join(' ').trim()
  if (question === '') throw new Problem('The question is empty. Leave it out to ask the sample questions.')
  if (values.tenant === '') throw new Problem('--tenant needs a name.')
  if (values['brief-version'] === '') throw new Problem('--brief-version needs a version.')
  if (values.refresh === true && values['only-if-cached'] === true)
    throw new Problem('--refresh makes everything anew, and --only-if-cached makes nothing. Leave one out.')
  if (values.serve === true && question !== undefined)
    throw new Problem(
      'With --serve the question is asked in the browser. Leave it out, or leave --serve out.',
    )
  if (values.warm === true && values.serve !== true)
    throw new Problem('--warm is for --serve: here every question is asked twice anyway.')
  if (values.redis === 'start' && values.serve !== true)
    throw new Problem('"--redis start" is for --serve. Give the URL of a Redis that runs, or leave it out.')
  if (values.dir === '') throw new Problem('--dir needs a folder.')
  return {
    question,
    dir: values.dir,
    maxDocuments: whole('--max-documents', values['max-documents'], 1000, 1_000_000),
    top: whole('--top', values.top, 400, 1000),
    sentences: whole('--sentences', values.sentences, 5, 12),
    redis: values.redis,
    color: values['no-color'] !== true && values.plain !== true,
    plain: values.plain === true,
    tenant: values.tenant ?? 'local',
    briefVersion: values['brief-version'],
    refresh: values.refresh === true,
    onlyIfCached: values['only-if-cached'] === true,
    explain: values.explain === true,
    serve: values.serve === true,
    warm: values.warm === true,
    open: values['no-open'] !== true,
    port: whole('--port', values.port, 4280, 65_535, 0),
    help: values.help === true,
    version: values.version === true,
  }
}

function parse(
  args: string[],
): ReturnType<typeof parseArgs<{ options: typeof options; allowPositionals: true }>> {
  try {
    return parseArgs({ args, options, allowPositionals: true })
  } catch (error) {
    const { code, message } = error as Error & { code?: string }
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw unknownOption(args, message)
    if (code?.startsWith('ERR_PARSE_ARGS_') === true)
      throw new Problem(`${firstSentence(message)} See --help.`)
    throw error
  }
}

function unknownOption(args: readonly string[], message: string): Problem {
  const name = /'(-[^']*)'/.exec(message)?.[1] ?? args.find((arg) => arg.startsWith('-')) ?? ''
  const bare = name.replace(/^-+/, '')
  const near = closest(bare, Object.keys(options))
  const hint = distance(bare, near) <= bare.length / 3 ? `Did you mean --${near}? ` : ''
  return new Problem(`Unknown option ${name}. ${hint}See --help.`)
}

function firstSentence(message: string): string {
  return (message.split(/\n|\. /)[0] ?? message).replace(/\.?$/, '.')
}

function whole(name: string, text: string | undefined, standard: number, most: number, least = 1): number {
  if (text === undefined) return standard
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= least && number <= most) return number
  throw new Problem(`${name} needs a whole number from ${least} to ${most}, got "${text}".`)
}
