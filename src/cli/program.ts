/**
 * The command tree: which commands there are and what holds for all of them (strict parsing, suggestions, help
 * with an example, errors in our form). What a command does is in the command's own file.
 */

import { Command } from 'commander'
import { registerBlockCommand } from './block.ts'
import { registerKeysCommand } from './keys.ts'
import { registerPeersCommand } from './peers.ts'
import { registerStatusCommand } from './status.ts'
import { VERSION } from './version.ts'

/** Adds one command (or a noun with its verbs) to the program. Every command file exports one of these. */
export type RegisterCommand = (program: Command) => void

const COMMANDS: readonly RegisterCommand[] = [
  registerKeysCommand,
  registerStatusCommand,
  registerPeersCommand,
  registerBlockCommand,
]

/**
 * Commander's complaint (`error: unknown option '--x'`, `(Did you mean --y?)`) in the form of all our errors.
 */
export function usageText(complaint: string): string {
  const [first = '', ...rest] = complaint.trim().split('\n')
  const what = first.replace(/^error: /, '')
  const suggestion = /^\(Did you mean (.+)\?\)$/.exec(rest.join(' ').trim())?.[1]
  const fix = suggestion === undefined ? 'see --help' : `did you mean ${suggestion} ?`
  return `E_USAGE: ${what}\n  fix: ${fix}\n`
}

/** The whole tree, parsing strictly; nothing is executed until `parseAsync`. */
export function buildProgram(): Command {
  const program = new Command('hypermesh')
  program
    .description('HyperMesh validator node: post-quantum sessions, BFT consensus, four-proof validation.')
    .version(VERSION, '--version', 'print the version')
    .option('--debug', 'print stacks with errors; may stand anywhere')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .configureOutput({ outputError: (text, write) => write(usageText(text)) })
    .exitOverride()
    .addHelpText(
      'after',
      '\nWithout a command: "start" when a node is set up here, else "devnet".\n\nExample:\n  $ hypermesh devnet --until-height 10',
    )
  for (const register of COMMANDS) register(program)
  return program
}
