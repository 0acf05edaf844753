/**
 * Options of a command for developers. `--help` prints how it is used; what it does not know is said in one line with
 * the usage after it, and the process ends with 64.
 */
import { type ParseArgsConfig, parseArgs } from 'node:util'

/** What the command line of such a command may hold. */
type Options = NonNullable<ParseArgsConfig['options']>

const EX_USAGE = 64

export interface ScriptOptions<T extends Options> {
  readonly values: ReturnType<typeof parseArgs<{ options: T }>>['values']
  /** The whole number ≥ 0 that an option holds; null when it was not given. Ends the process for anything else. */
  wholeNumber(name: keyof T & string): number | null
  /** Ends the process with this and the usage. */
  refuse(why: string): never
}

/** Reads the command line, or ends the process. @param usage as `--help` prints it, with a line feed at its end */
export function scriptOptions<const T extends Options>(usage: string, options: T): ScriptOptions<T> {
  const refuse = (why: string): never => {
    process.stderr.write(`${why}\n\n${usage}`)
    process.exit(EX_USAGE)
  }
  const given = process.argv.slice(2)
  if (given.includes('--help')) {
    process.stdout.write(usage)
    process.exit(0)
  }
  const values = (() => {
    try {
      return parseArgs({ args: given, options }).values
    } catch (error) {
      return refuse(error instanceof Error ? error.message : String(error))
    }
  })()
  const texts: Readonly<Record<string, unknown>> = values
  return {
    values,
    wholeNumber: (name) => {
      const text = texts[name]
      if (text === undefined) return null
      const value = Number(text)
      const isWhole =
        typeof text === 'string' && text.trim() !== '' && Number.isSafeInteger(value) && value >= 0
      return isWhole ? value : refuse(`--${name}: expected a whole number, not "${text}"`)
    },
    refuse,
  }
}
