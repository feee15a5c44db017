import { parseArgs } from 'node:util'

/** What a command was called with. */
export interface Called {
  readonly paths: readonly string[]
  readonly values: Readonly<Record<string, string | undefined>>
}

/**
 * Does a command's work with what stands on its command line. `--help` prints the usage; what is wrong is one line for
 * the person who called it, and the exit code 1.
 */
export async function command(
  usage: string,
  names: readonly string[],
  work: (called: Called) => Promise<void>,
): Promise<void> {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h' },
        ...Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
      },
    })
    const { help, ...rest } = values as Readonly<Record<string, string | undefined>>
    if (help === undefined) await work({ paths: positionals, values: rest })
    else process.stdout.write(usage)
  } catch (error) {
    // What Node says of an unknown option goes on for a sentence that helps nobody here.
    const [message] = (error as Error).message.split('. To specify')
    process.stderr.write(`${message}\nSee --help.\n`)
    process.exitCode = 1
  }
}
