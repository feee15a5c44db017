import type { Cache } from '@flow-cache/core'
import { aiSdkCache } from '@flow-cache/node/ai-sdk'
import { streamText, wrapLanguageModel } from 'ai'

/** What a provider makes, such as `openai('gpt-5')`. */
export type Model = Parameters<typeof wrapLanguageModel>[0]['model']

/** Who asks, by the session of the request; `undefined` where there is none. */
export type TenantOf = (request: Request) => string | undefined

/** A route that answers questions with a model, for Next.js, Hono or any other that hands on a `Request`. */
export interface AskRoute {
  (request: Request): Promise<Response>
  /** The tokens that were paid for and those that were not. */
  tokens(): { readonly spent: number; readonly saved: number }
}

/**
 * Streams a model's answer, and the same stream again to whoever asks the same: those who ask at once read one stream,
 * each from its beginning. An answer that broke off is not kept, and no tenant sees another one's.
 */
export function askRoute(model: Model, cache: Cache, tenantOf: TenantOf): AskRoute {
  const middleware = aiSdkCache<'v3', { providerOptions?: Record<string, Record<string, unknown>> }>({
    cache,
    // Made of the call, so that one model serves all tenants and their streams are shared among each one's readers.
    scope: ({ providerOptions }) => ({ tenant: providerOptions?.['route']?.['tenant'] as string }),
    ttl: '1d',
    staleIfError: '7d',
  })
  const cached = wrapLanguageModel({ model, middleware })

  const route = async (request: Request): Promise<Response> => {
    const tenant = tenantOf(request)
    if (!tenant) return new Response(null, { status: 401 })
    const { question } = (await request.json()) as { question: string }
    const answer = streamText({
      model: cached,
      system: 'Answer in one sentence.',
      prompt: question,
      // For the cache alone: the provider reads the options under its own name.
      providerOptions: { route: { tenant } },
      // The model goes on as long as anybody reads.
      abortSignal: request.signal,
    })
    return answer.toTextStreamResponse()
  }
  const tokens = (): ReturnType<AskRoute['tokens']> => {
    const { spentTokens, savedTokens, sharedTokens } = middleware.report()
    return { spent: spentTokens, saved: savedTokens + sharedTokens }
  }
  return Object.assign(route, { tokens })
}
