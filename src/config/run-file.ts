/**
 * run.json: who runs in a data directory and where it listens, so that `status` finds the node and an error can
 * name who holds the directory. Information only: it may be left over from a crash, and nothing trusts it.
 */

import { readFileSync, rmSync } from 'node:fs'
import { z } from 'zod'
import { type DataDirectory, writeFileWhole } from './data-directory.ts'

const runInfoSchema = z.object({
  pid: z.int().positive(),
  /** ISO 8601. */
  startedAt: z.string(),
  version: z.string(),
  addresses: z.object({
    p2p: z.array(z.string()),
    /** Base URLs. */
    ca: z.string(),
    api: z.string(),
    metrics: z.string(),
    /** `stoq://[::1]:9292`; null where nothing listens for it. */
    stoq: z.string().nullable().default(null),
  }),
})

export type RunInfo = z.output<typeof runInfoSchema>

export function writeRunInfo(directory: DataDirectory, info: RunInfo): void {
  writeFileWhole(directory.run, `${JSON.stringify(info, null, 2)}\n`)
}

/** Undefined when there is none, or when it is not one of ours. */
export function readRunInfo(directory: DataDirectory): RunInfo | undefined {
  try {
    return runInfoSchema.safeParse(JSON.parse(readFileSync(directory.run, 'utf8'))).data
  } catch {
    return undefined
  }
}

export function removeRunInfo(directory: DataDirectory): void {
  rmSync(directory.run, { force: true })
}

/** Whether the process that wrote the file still runs (a pid may have been given to another one since). */
export function isRunning({ pid }: RunInfo): boolean {
  return isProcess(pid)
}

/** Whether a process has this number. */
export function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
