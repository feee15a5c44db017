import { describe, expect, it } from 'vitest'
import { help, readArguments } from '../src/arguments.js'
import { Problem } from '../src/problem.js'

describe('readArguments', () => {
  it('has a default for everything', () => {
    expect(readArguments([])).toEqual({
      question: undefined,
      dir: undefined,
      maxDocuments: 1000,
      top: 400,
      sentences: 5,
      color: true,
      plain: false,
      tenant: 'local',
      briefVersion: undefined,
      refresh: false,
      onlyIfCached: false,
      explain: false,
      serve: false,
      warm: false,
      open: true,
      port: 4280,
      help: false,
      version: false,
    })
  })

  it('a question may come without quotes, and after a bare --', () => {
    expect(readArguments(['what', 'is', 'this?']).question).toBe('what is this?')
    expect(readArguments(['--', '--dir', 'x', 'why?'])).toMatchObject({ dir: 'x', question: 'why?' })
  })

  it.each([
    [['--sentence', '3'], 'Unknown option --sentence. Did you mean --sentences? See --help.'],
    [['-x'], 'Unknown option -x. See --help.'],
    [['--dir'], "Option '--dir <value>' argument missing. See --help."],
    [['--plain=yes'], "Option '--plain' does not take an argument. See --help."],
    [['--sentences', '0'], '--sentences needs a whole number from 1 to 12, got "0".'],
    [['--top', 'many'], '--top needs a whole number from 1 to 1000, got "many".'],
    [['--port', '65536'], '--port needs a whole number from 0 to 65535, got "65536".'],
    [['--tenant', ''], '--tenant needs a name.'],
    [
      ['--refresh', '--only-if-cached'],
      '--refresh makes everything anew, and --only-if-cached makes nothing. Leave one out.',
    ],
    [
      ['--serve', 'why?'],
      'With --serve the question is asked in the browser. Leave it out, or leave --serve out.',
    ],
    [['--warm'], '--warm is for --serve: here every question is asked twice anyway.'],
    [
      ['--redis', 'start'],
      '"--redis start" is for --serve. Give the URL of a Redis that runs, or leave it out.',
    ],
    [['  '], 'The question is empty. Leave it out to ask the sample questions.'],
  ])('%j is a problem that says what to do', (argv, message) => {
    expect(() => readArguments(argv)).toThrow(new Problem(message))
  })

  it('the help names every option and keeps to 110 columns', () => {
    for (const option of [
      'dir',
      'sentences',
      'top',
      'max-documents',
      'tenant',
      'refresh',
      'only-if-cached',
      'brief-version',
      'explain',
      'serve',
      'warm',
      'no-open',
      'redis',
      'port',
      'plain',
      'no-color',
      'help',
      'version',
    ]) {
      expect(help).toContain(`--${option}`)
    }
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(110)
  })
})
