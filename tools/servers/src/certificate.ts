import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

/** A certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

/** One that this machine signs for itself, good for two days. Rejects with advice where there is no `openssl`. */
export async function selfSigned(): Promise<Certificate> {
  const folder = await mkdtemp(join(tmpdir(), 'flow-cache-cert-'))
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const request =
    'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost'
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  try {
    await promisify(execFile)('openssl', [...request.split(' '), ...names, '-out', cert, '-keyout', key])
    return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    throw new Error('A server with TLS needs `openssl` (1.1.1 or newer) on PATH, for its certificate.', {
      cause: error,
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
