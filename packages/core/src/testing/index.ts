// Prove a store
export { casesFor, storeCases } from './conformance/store-cases.js'
export {
  type CaseContext,
  type CaseGroup,
  ConformanceError,
  type StoreCase,
} from './conformance/store-case.js'
export { type JournalCase, type JournalCaseContext, journalCases } from './journal-conformance.js'
export { type ModelOptions, runModel } from './model.js'
export { type InterleavingOptions, playInterleaving } from './interleaving/play-interleaving.js'

// Stores to test with
export { mapStore } from './map-store.js'
export { type SharedServer, sharedServer, type SharedStore } from './shared-server.js'
export { type Fault, type FaultyStore, faultyStore } from './faulty-store.js'
export { distantStore, type Scheduler, scheduler } from './scheduler.js'

// Time, order and chance
export { type FakeClock, fakeClock, settle } from './fake-clock.js'
export { type Gate, gate } from './gate.js'
export { seededRandom } from './seeded-random.js'
