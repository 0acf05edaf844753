/** Starts a validator with bad habits on an existing data directory, in place of the honest program. */

import { join } from 'node:path'
import { NodeProcess } from '../e2e/node-process.ts'
import type { Habit } from './habits.ts'

const MAIN = join(import.meta.dirname, 'main.ts')

/** What runs in place of the built program's `start`; takes `--data` and settings as that does. */
export function maverickCommand(habits: readonly Habit[]): string[] {
  return [process.execPath, MAIN, '--habits', habits.join(',')]
}

export interface MaverickPlace {
  /** Base URLs of the node whose directory it is. */
  readonly api: string
  readonly ca: string
  readonly name?: string
  /** Settings as of `start`. */
  readonly args?: readonly string[]
}

/**
 * Starts it; the honest node of this directory must not be running. It is a {@link NodeProcess} like any other:
 * killed, asked and ended with the rest by `endAllNodes`. How often it misbehaved is in its log at level debug.
 */
export function startMaverick(dir: string, habits: readonly Habit[], place: MaverickPlace): NodeProcess {
  const { name = 'maverick', args = ['--log.level', 'info'], api, ca } = place
  const node = new NodeProcess({ name, folder: dir, api, ca, args, command: maverickCommand(habits) })
  node.start()
  return node
}
