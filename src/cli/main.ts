/**
 * Runs one command line from beginning to end: parse, act, report, exit. The only file that calls
 * `process.exit` on the node's side of the launcher, because sockets and timers may outlive a finished command.
 */

import { CommanderError } from 'commander'
import { describeFailure } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { buildProgram } from './program.ts'

/**
 * @param args the command line without `node` and the script
 * @returns never, in effect: the process ends with the command's exit code (see exit-codes.ts)
 */
export async function main(args: readonly string[]): Promise<void> {
  // `hypermesh … | head` closes our standard output early: that is the reader's right, not a failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(EXIT.ok)
    throw error
  })
  try {
    await buildProgram().parseAsync(args, { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage)
    const failure = describeFailure(error, args.includes('--debug'))
    process.stderr.write(failure.text)
    process.exit(failure.exitCode)
  }
  process.exit(process.exitCode ?? EXIT.ok)
}
