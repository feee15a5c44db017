import { expect, it } from 'vitest'
import { type Kind, Turn } from './turn.js'

/** Kinds whose commands are noted, and that answer each question with itself in capitals. */
function recorded(): { sent: string[]; kind: (name: string) => Kind<string, string, string> } {
  const sent: string[] = []
  return {
    sent,
    kind: (name) => ({
      send: async (questions) => {
        sent.push(`${name} ${questions.join(',')}`)
        return questions.map((question) => question.toUpperCase())
      },
      read: (question, raw) => {
        if (question === 'bad') throw new Error('not this one')
        return raw
      },
    }),
  }
}

it('what is asked in one turn travels together', async () => {
  const { sent, kind } = recorded()
  const turn = new Turn(10)
  const get = kind('get')
  expect(await Promise.all(['a', 'b', 'c'].map((key) => turn.ask(get, key)))).toEqual(['A', 'B', 'C'])
  expect(await turn.ask(get, 'd')).toBe('D')
  expect(sent).toEqual(['get a,b,c', 'get d'])
})

it('what comes first is sent first, whatever its kind', async () => {
  const { sent, kind } = recorded()
  const turn = new Turn(2)
  const [get, put] = [kind('get'), kind('put')]
  const calls = [
    [get, 'a'],
    [get, 'b'],
    [get, 'c'],
    [put, 'a'],
    [get, 'a'],
  ] as const
  await Promise.all(calls.map(([which, key]) => turn.ask(which, key)))
  expect(sent).toEqual(['get a,b', 'get c', 'put a', 'get a'])
})

it('what was asked can be sent at once, before something else', async () => {
  const { sent, kind } = recorded()
  const turn = new Turn(10)
  const answer = turn.ask(kind('get'), 'a')
  turn.flush()
  sent.push('something else')
  await answer
  expect(sent).toEqual(['get a', 'something else'])
})

it('a bad answer is told to the one who asked; a failed command to all', async () => {
  const { kind } = recorded()
  const turn = new Turn(10)
  const get = kind('get')
  const answers = await Promise.allSettled(['a', 'bad', 'c'].map((key) => turn.ask(get, key)))
  expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  const broken: Kind<string, string, string> = { ...get, send: () => Promise.reject(new Error('gone')) }
  const failed = await Promise.allSettled(['a', 'b'].map((key) => turn.ask(broken, key)))
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
})
