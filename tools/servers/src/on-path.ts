import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'

/** The first program of those names on PATH, or `undefined`. */
export async function onPath(...names: string[]): Promise<string | undefined> {
  for (const name of names) {
    for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
      if (folder && (await executable(join(folder, name)))) return join(folder, name)
    }
  }
  return undefined
}

/** Whether it is there and may be run. */
export const executable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
