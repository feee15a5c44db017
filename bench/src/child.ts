import { questions } from './questions.js'
import type { Job } from './rounds.js'

/** The process that measures: does the job it was given and prints what it found. */
const { question, names, parameters } = JSON.parse(process.argv[2]!) as Job
const asked = await questions[question]()
const figures = await asked.measure!(names as readonly never[], parameters as never)
process.stdout.write(JSON.stringify(figures), () => process.exit(0))
