import type { Trial } from '../src/trial.js'

export const trial: Trial = {}
