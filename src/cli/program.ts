/**
 * The command tree: which commands there are and what holds for all of them (strict parsing, suggestions, help
 * with an example). What a command does is in the command's own file.
 */

import { Command } from 'commander'

/** Adds one command (or a noun with its verbs) to the program. Every command file exports one of these. */
export type RegisterCommand = (program: Command) => void

const COMMANDS: readonly RegisterCommand[] = []

/** The whole tree, parsing strictly; nothing is executed until `parseAsync`. */
export function buildProgram(): Command {
  const program = new Command('hypermesh')
  program
    .description('HyperMesh validator node: post-quantum sessions, BFT consensus, four-proof validation.')
    .option('--debug', 'print stacks with errors')
    .showSuggestionAfterError(true)
    .enablePositionalOptions()
    .exitOverride()
  for (const register of COMMANDS) register(program)
  return program
}
