/** Option values that several commands take: whole numbers, amounts, accounts and files. A wrong one is a usage error (exit 64). */

import { closeSync, openSync, readSync } from 'node:fs'
import { InvalidArgumentError } from 'commander'
import { isHex } from '../codec/hex.ts'
import type { AccountId } from '../types/primitives.ts'
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

/** A parser for commander: an amount above 0. */
export function amountOption(text: string): bigint {
  if (!/^[1-9]\d{0,19}$/.test(text) || BigInt(text) >= 2n ** 64n) {
    throw new InvalidArgumentError('Expected a whole number from 1 to 2^64 - 1.')
  }
  return BigInt(text)
}

/** A parser for commander: an amount that may be 0. */
export function u64Option(text: string): bigint {
  if (!/^\d{1,20}$/.test(text) || BigInt(text) >= 2n ** 64n) {
    throw new InvalidArgumentError('Expected a whole number from 0 to 2^64 - 1.')
  }
  return BigInt(text)
}

/** A parser for commander: the id of an account. */
export function accountOption(text: string): AccountId {
  if (!isHex(text, 32)) throw new InvalidArgumentError('Expected an account id: 64 lower-case hex digits.')
  return text as AccountId
}

/** Ports that a network of `count` nodes can start from. */
export const portOption = wholeNumber(1_024, 65_000)

/** Length of a network's epochs. */
export const epochBlocksOption = wholeNumber(0, 2 ** 32 - 1)
export const EPOCH_BLOCKS_HELP = 'blocks after which the validator set may change, 0 for never (default: 128)'

/** Larger than any genesis or safety record; a device such as /dev/zero would never end. */
const FILE_BYTES_MAX = 64 * 2 ** 20

/** @throws CliError `E_FILE` (65) when the file cannot be read, is none, or is larger than 64 MiB */
export function readTextFile(path: string, what: string): string {
  try {
    const file = openSync(path, 'r')
    try {
      return readBounded(file)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw new CliError('E_FILE', `the ${what} ${path} cannot be read`, {
      why: (error as Error).message,
      fix: 'check the path',
      exitCode: EXIT.data,
      cause: error,
    })
  }
}

/** The size says nothing of pipes and devices. */
function readBounded(file: number): string {
  const parts: Buffer[] = []
  let total = 0
  for (;;) {
    const part = Buffer.alloc(64 * 1_024)
    const read = readSync(file, part)
    if (read === 0) return Buffer.concat(parts).toString('utf8')
    parts.push(part.subarray(0, read))
    total += read
    if (total > FILE_BYTES_MAX) throw new Error(`it does not end within ${FILE_BYTES_MAX} bytes`)
  }
}
