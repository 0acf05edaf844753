/** Option values that several commands take: whole numbers and files. A wrong one is a usage error (exit 64). */

import { readFileSync } from 'node:fs'
import { InvalidArgumentError } from 'commander'
import { CliError } from './errors.ts'
import { EXIT } from './exit-codes.ts'

/** A parser for commander: a whole number between two bounds, both included. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < minimum || value > maximum) {
      throw new InvalidArgumentError(`Expected a whole number from ${minimum} to ${maximum}.`)
    }
    return value
  }
}

/** Ports that a network of `count` nodes can start from. */
export const portOption = wholeNumber(1_024, 65_000)

/** Length of a network's epochs. */
export const epochBlocksOption = wholeNumber(0, 2 ** 32 - 1)
export const EPOCH_BLOCKS_HELP = 'blocks after which the validator set may change, 0 for never (default: 128)'

/** @throws CliError `E_FILE` (65) when the file cannot be read */
export function readTextFile(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new CliError('E_FILE', `the ${what} ${path} cannot be read`, {
      why: (error as Error).message,
      fix: 'check the path',
      exitCode: EXIT.data,
      cause: error,
    })
  }
}
