import { spawn } from 'node:child_process'

/** Cleans up after this process where it cannot do so itself. */
export interface Guard {
  /** The process to take along at the end; `undefined` once it has ended by itself. */
  watch(pid: number | undefined): void
  /** There is nothing left to clean up. */
  dismiss(): void
}

const script = 'while IFS= read -r line; do pid=$line; done; [ -z "$pid" ] || kill -9 "$pid"; rm -rf "$1"'

/**
 * Waits for the end of this process, which it sees by its input ending; then ends what it watches and removes the folder.
 * In a group of its own, so that a signal to ours leaves it to do its work.
 */
export function guardOf(folder: string): Guard {
  const shell = spawn('sh', ['-c', script, 'sh', folder], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  shell.unref()
  ;(shell.stdin as unknown as { unref(): void }).unref()
  // When somebody else has ended it.
  shell.stdin.on('error', () => {})
  return {
    watch: (pid) => void shell.stdin.write(`${pid ?? ''}\n`),
    dismiss: () => void shell.kill('SIGKILL'),
  }
}
