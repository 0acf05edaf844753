/** Options that a program got wrong, told before anything is sent: a deadline that is no number would never end. */
import { isHex } from '../codec/hex.ts'
import { ClientError } from './client-error.ts'

/** What timers of JavaScript hosts can wait, 24 days: beyond it they fire at once. */
const TIME_MS_MAX = 2 ** 31 - 1
const EXIT_USAGE = 64

/**
 * A whole or broken number of milliseconds.
 * @throws ClientError `E_OPTION`
 */
export function timeOption(name: string, given: unknown, otherwise: number): number {
  if (given === undefined) return otherwise
  if (typeof given === 'number' && given > 0 && given <= TIME_MS_MAX) return given
  throw wrongOption(name, given, `give milliseconds, above 0 and at most ${TIME_MS_MAX}`)
}

/** @throws ClientError `E_OPTION` */
export function wholeOption(name: string, given: unknown, minimum: number, maximum: number): number {
  if (typeof given === 'number' && Number.isInteger(given) && given >= minimum && given <= maximum)
    return given
  throw wrongOption(name, given, `give a whole number from ${minimum} to ${maximum}`)
}

/** A genesis hash. @throws ClientError `E_OPTION` */
export function networkOption(given: unknown): string {
  if (typeof given === 'string' && isHex(given, 32)) return given
  throw wrongOption('network', given, 'give the genesis hash of the network, 64 lower-case hex digits')
}

function wrongOption(name: string, given: unknown, fix: string): ClientError {
  const shown = typeof given === 'object' && given !== null ? 'an object' : String(given).slice(0, 80)
  return new ClientError('E_OPTION', `option "${name}" cannot be used`, {
    why: given === undefined ? 'it is missing' : `it is ${shown === '' ? 'empty' : shown}`,
    fix,
    exitCode: EXIT_USAGE,
  })
}
