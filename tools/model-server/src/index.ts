export { type ModelServer, type Received, startModelServer } from './model-server.js'
export type { Script, Scripted, Usage } from './script.js'
