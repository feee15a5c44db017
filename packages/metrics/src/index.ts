// Use
export { CacheMetrics, type CurveOptions, type HotKey } from './cache-metrics.js'
export type { CacheMetricsOptions, SavingsSource } from './options.js'
export type { CacheReport, CurvePoint, MetricsReport, Saved, TierReport } from './report.js'
export type { Counts, Totals } from './counts.js'
export type { Latency } from './histogram.js'
export type { MetricsSnapshot } from './snapshot.js'

// Export to others
export type { NamedTimes } from './cache-metrics.js'
export type { Histogram } from './histogram.js'
export type { NamedCounts } from './report.js'
export type { Timed } from './recorder.js'
export type { TopKey } from './top-keys.js'
