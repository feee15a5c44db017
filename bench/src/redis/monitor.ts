import type { Redis } from 'ioredis'

/** What clients told the server to do, one command at a time, without what scripts did in it. */
export interface Watch {
  /** What was told since the last time, by name, without connections that only follow what changes. */
  since(): Promise<Readonly<Record<string, number>>>
  end(): void
}

/** Watches a server over two connections of its own. */
export async function watch(admin: Redis): Promise<Watch> {
  const marker = admin.duplicate()
  const monitor = await admin.duplicate().monitor()
  let told: { readonly command: string; readonly source: string }[] = []
  const followers = new Set<string>()
  const marks = new Map<string, () => void>()
  monitor.on('monitor', (_time: string, [command, ...args]: string[], source: string) => {
    const name = command!.toLowerCase()
    if (source === 'lua') return
    if (name === 'client') return
    if (name === 'echo' && marks.has(args[0]!)) marks.get(args[0]!)!()
    else told.push({ command: name, source })
  })
  let count = 0
  return {
    async since() {
      const mark = `mark ${count++}`
      const seen = new Promise<void>((resolve) => marks.set(mark, resolve))
      await marker.echo(mark)
      await seen
      // A read that waits is in nobody's MONITOR until there is news.
      for (const [, source] of String(await marker.client('LIST')).matchAll(/ addr=(\S+) .* cmd=xread /g)) {
        followers.add(source!)
      }
      const all: Record<string, number> = {}
      for (const { command, source } of told) {
        if (!followers.has(source)) all[command] = (all[command] ?? 0) + 1
      }
      told = []
      return all
    },
    end() {
      monitor.disconnect()
      marker.disconnect()
    },
  }
}
