/** What happened to a request, as `Cache-Status` tells it (RFC 9211). */
export interface Report {
  readonly hit?: true
  /** Why the handler was asked. */
  readonly forward?: 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'request' | 'stale'
  /** What it answered, where that is not what the client got. */
  readonly forwardStatus?: number | undefined
  /** The cache was given it; that its store has kept it is not known here. */
  readonly stored?: boolean
  /** Whether another request asked. */
  readonly collapsed?: boolean
  /** For how many more seconds it is fresh; negative for a stale one. */
  readonly ttl?: number
  readonly detail?: string | undefined
}

/** Adds the report to what other caches have said. */
export function tell(headers: Headers, name: string | false, report: Report): void {
  if (name === false) return
  const { hit, forward, forwardStatus, stored, collapsed, ttl, detail } = report
  const parts = [
    name,
    hit && 'hit',
    forward && `fwd=${forward}`,
    forwardStatus !== undefined && `fwd-status=${forwardStatus}`,
    ttl !== undefined && `ttl=${Math.floor(ttl)}`,
    stored === true && 'stored',
    collapsed === true && 'collapsed',
    detail && `detail=${detail}`,
  ]
  headers.append('cache-status', parts.filter(Boolean).join('; '))
}
