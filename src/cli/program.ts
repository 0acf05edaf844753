/**
 * The command tree: which commands there are and what holds for all of them (strict parsing, suggestions, help
 * with an example, errors in our form). What a command does is in the command's own file.
 */

import { Command } from 'commander'
import { BUILD } from '../config/build-info.ts'

/** Adds one command (or a noun with its verbs) to the program. Every command file exports one of these. */
type RegisterCommand = (program: Command) => void

/** In the order of the help. Loaded only when needed: `request` has no use for what a node consists of. */
const COMMANDS: Readonly<Record<string, () => Promise<RegisterCommand>>> = {
  devnet: async () => (await import('./devnet.ts')).registerDevnetCommand,
  testnet: async () => (await import('./testnet.ts')).registerTestnetCommand,
  init: async () => (await import('./init.ts')).registerInitCommand,
  keys: async () => (await import('./keys.ts')).registerKeysCommand,
  safety: async () => (await import('./safety.ts')).registerSafetyCommand,
  start: async () => (await import('./start.ts')).registerStartCommand,
  status: async () => (await import('./status.ts')).registerStatusCommand,
  peers: async () => (await import('./peers.ts')).registerPeersCommand,
  stake: async () => (await import('./stake.ts')).registerStakeCommand,
  wallet: async () => (await import('./wallet.ts')).registerWalletCommand,
  operation: async () => (await import('./operation.ts')).registerOperationCommand,
  operator: async () => (await import('./operator.ts')).registerOperatorCommand,
  checkpoint: async () => (await import('./checkpoint.ts')).registerCheckpointCommand,
  space: async () => (await import('./space.ts')).registerSpaceCommand,
  block: async () => (await import('./block.ts')).registerBlockCommand,
  request: async () => (await import('./request.ts')).registerRequestCommand,
  attest: async () => (await import('./attest.ts')).registerAttestCommand,
  validate: async () => (await import('./validate.ts')).registerValidateCommand,
  receipt: async () => (await import('./receipt.ts')).registerReceiptCommand,
  verify: async () => (await import('./verify.ts')).registerVerifyCommand,
  audit: async () => (await import('./audit.ts')).registerAuditCommand,
}

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

/**
 * The tree, parsing strictly; nothing is executed until `parseAsync`.
 * @param name first word of the command line: when it is a command, the tree has only that one
 */
export async function buildProgram(name = ''): Promise<Command> {
  const program = new Command('hypermesh')
  program
    .description('HyperMesh validator node: post-quantum sessions, BFT consensus, four-proof validation.')
    .version(BUILD.version, '--version', 'print the version')
    .option('--debug', 'print stacks with errors; may stand anywhere')
    .helpCommand(false)
    .showSuggestionAfterError(true)
    .configureOutput({ outputError: (text, write) => write(usageText(text)) })
    .exitOverride()
    .addHelpText(
      'after',
      '\nWithout a command: "start" when a node is set up here, else "devnet".\n\nExample:\n  $ hypermesh devnet --until-height 10',
    )
  const only = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  for (const load of only === undefined ? Object.values(COMMANDS) : [only]) (await load())(program)
  return program
}
