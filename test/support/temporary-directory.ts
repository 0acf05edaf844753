/** A directory of a test's own, gone after it. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Makes a directory and removes it when the test that runs now has finished. */
export function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'hypermesh-test-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}
