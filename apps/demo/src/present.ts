const absent: ReadonlySet<string | undefined> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EPERM'])

/**
 * What a look at the disk shows, or `undefined`: links may dangle, packages may go while we look, and some folders are
 * private. What cannot be seen is not there.
 */
export function present<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (absent.has((error as NodeJS.ErrnoException).code)) return undefined
    throw error
  }
}
