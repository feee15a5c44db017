import type { InMemoryCache } from '@flow-cache/memory'
import type { LanguageModelMiddleware as Middleware5 } from 'ai-5'
import type { LanguageModelMiddleware as Middleware6 } from 'ai-6'
import type { LanguageModelMiddleware as Middleware7 } from 'ai-7'
import { expectTypeOf, it } from 'vitest'
import { aiSdkCache } from './ai-sdk-cache.js'
import { cacheEmbeddings } from './cache-embeddings.js'
import { cacheTool } from './cache-tool.js'

declare const cache: InMemoryCache

it('is a middleware of every major', () => {
  expectTypeOf(aiSdkCache<'v2'>).returns.toExtend<Middleware5>()
  expectTypeOf(aiSdkCache<'v3'>).returns.toExtend<Middleware6>()
  expectTypeOf(aiSdkCache<'v4'>).returns.toExtend<Middleware7>()
})

it('does not compile without a scope', () => {
  // @ts-expect-error -- scope is required
  expectTypeOf(aiSdkCache).toBeCallableWith({ cache })
  // @ts-expect-error -- scope is required
  expectTypeOf(cacheEmbeddings).toBeCallableWith({ cache })
  // @ts-expect-error -- scope is required
  void (() => cacheTool({ execute: () => 1 }, { cache, name: 't' }))
})
