import { closeSync, fsyncSync, openSync } from 'node:fs'

/** Makes names that came and went in a directory durable. Windows has no such thing, and needs none. */
export function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return
  const file = openSync(directory, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
