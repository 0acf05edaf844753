/**
 * Runs one command line from beginning to end: parse, act, report, exit. The only file that calls
 * `process.exit` on the node's side of the launcher, because sockets and timers may outlive a finished command.
 */

import { CommanderError } from 'commander'
import { describeFailure } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { defaultNode } from './node-location.ts'
import { buildProgram } from './program.ts'

/** `help start` is `start --help`, at any depth; `help` alone is that of the program. */
function withHelpAsOption(args: readonly string[]): readonly string[] {
  return args[0] === 'help' ? [...args.slice(1), '--help'] : args
}

/** What to do when no command is named: run the node that is set up here, else a network to play with. */
function withDefaultCommand(args: readonly string[]): readonly string[] {
  const [first = ''] = args
  const isNamed = first !== '' && !first.startsWith('-')
  if (isNamed || ['--help', '-h', '--version'].includes(first)) return args
  const node = defaultNode()
  return node === undefined ? ['devnet', ...args] : ['start', '--data', node, ...args]
}

async function run(args: readonly string[], debug: boolean): Promise<number> {
  try {
    const words = withDefaultCommand(withHelpAsOption(args))
    const program = await buildProgram(words[0])
    await program.parseAsync(words, { from: 'user' })
    return Number(process.exitCode ?? EXIT.ok)
  } catch (error) {
    // Commander has printed its complaint, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    const failure = describeFailure(error, debug)
    process.stderr.write(failure.text)
    return failure.exitCode
  }
}

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
  const plain = args.filter((arg) => arg !== '--debug')
  process.exit(await run(plain, plain.length !== args.length))
}
