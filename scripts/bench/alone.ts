/** Measures a part in a process of its own: what ran before it has no share in its memory. */
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { shielded } from './shielded.ts'
import { shieldedBlock } from './shielded-block.ts'

const PARTS = { shielded, shieldedBlock }
type Parts = typeof PARTS

/** @param part is run with these settings, which JSON can say, in another process; what it gives is what comes back */
export async function alone<Part extends keyof Parts>(
  part: Part,
  settings: Parameters<Parts[Part]>[0],
): Promise<Awaited<ReturnType<Parts[Part]>>> {
  const args = [fileURLToPath(import.meta.url), part, JSON.stringify(settings)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as Awaited<ReturnType<Parts[Part]>>
}

if (import.meta.main) {
  const [part = '', settings = ''] = process.argv.slice(2)
  const measure = PARTS[part as keyof Parts] as (settings: unknown) => object | Promise<object>
  process.stdout.write(JSON.stringify(await measure(JSON.parse(settings))))
}
