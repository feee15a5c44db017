import type { Trial } from '../src/trial.js'

export const trial: Trial = {
  beside: () => ['@opentelemetry/sdk-metrics@2', '@opentelemetry/sdk-trace-base@2'],
}
