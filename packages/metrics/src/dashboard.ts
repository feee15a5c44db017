// Use
export { type Dashboard, dashboard } from './dashboard/handler.js'
export type { Action, DashboardOptions } from './dashboard/options.js'
