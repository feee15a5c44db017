import type { Cache } from '@flow-cache/core'
import { checkFunction, checkText } from '../checks.js'
import { NodeCacheError } from '../errors.js'

/** Makes a cache of a type from its parameters. */
export type Backend = (params: Readonly<Record<string, unknown>>) => Cache | Promise<Cache>

/** What says which cache to make. */
export interface CacheConfig {
  /** `'memory'`, `'redis'`, `'multi'`, or one that was registered. */
  readonly type: string
  /**
   * What the cache is made with. `memory`: the options of `InMemoryCache`; `redis`: of `RedisCache`; `multi`:
   * `{ memory, redis, … }`, the options of each tier's store and of the cache.
   */
  readonly params?: Readonly<Record<string, unknown>> | undefined
}

type Made = new (options: unknown) => Cache

/** The names stand in variables: these packages are optional, and bundlers must not ask for them. */
async function load(name: string, type: string): Promise<Record<string, unknown>> {
  try {
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as Record<string, unknown>
  } catch (cause) {
    throw new NodeCacheError(
      'ERR_BACKEND',
      `a cache of the type '${type}' needs ${name}: npm install ${name}${name.endsWith('redis') ? ' ioredis' : ''}`,
      { cause },
    )
  }
}

const backends = new Map<string, Backend>([
  [
    'memory',
    async (params) => new ((await load('@flow-cache/memory', 'memory'))['InMemoryCache'] as Made)(params),
  ],
  ['redis', async (params) => new ((await load('@flow-cache/redis', 'redis'))['RedisCache'] as Made)(params)],
  [
    'multi',
    async ({ memory = {}, redis = {}, ...rest }) => {
      const [near, far, both] = await Promise.all([
        load('@flow-cache/memory', 'multi'),
        load('@flow-cache/redis', 'multi'),
        load('@flow-cache/multilevel', 'multi'),
      ])
      const store = (from: Record<string, unknown>, name: string, options: unknown): unknown =>
        (from[name] as (options: unknown) => unknown)(options)
      const tiers = [store(near, 'memoryStore', memory), store(far, 'redisStore', redis)]
      return new (both['MultiLevelCache'] as Made)({ ...rest, tiers })
    },
  ],
])

/** Makes `type` known to `CachedWorkflowNode`. Replaces one of the same name. */
export function registerBackend(type: string, backend: Backend): void {
  checkText(type, 'type')
  checkFunction(backend, 'backend')
  backends.set(type, backend)
}

/** A cache as configured; `ERR_BACKEND` says what to install or register. */
export async function openBackend({ type, params = {} }: CacheConfig): Promise<Cache> {
  const backend = backends.get(type)
  if (backend === undefined)
    throw new NodeCacheError(
      'ERR_BACKEND',
      `no cache of the type '${type}'; known are ${[...backends.keys()].join(', ')}, and registerBackend adds others`,
    )
  return backend(params)
}
