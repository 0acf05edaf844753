/** `keys new` and `keys show`: make a node's keys, show their public side. No command prints a secret. */

import { type Command, Option } from 'commander'
import type { IdentityRole } from '../crypto/keystore.ts'
import { usageError } from './errors.ts'
import type { PublicKeys } from './node-keys.ts'
import { defaultNode } from './node-location.ts'
import { print, printJson } from './print.ts'

async function show(keys: PublicKeys, asJson: boolean): Promise<void> {
  if (asJson) {
    const { publicKeysJson } = await import('./node-keys.ts')
    printJson(publicKeysJson(keys))
    return
  }
  const { peerLabel } = await import('../network/peer-label.ts')
  print(`role       ${keys.role}`)
  print(`id         ${keys.id}`)
  print(`peer id    ${keys.peerId}`)
  print(`DNS label  ${peerLabel(keys.peerId)}`)
}

export function registerKeysCommand(program: Command): void {
  const keys = program
    .command('keys')
    .description("make a node's keys and show their public side")
    .helpCommand(false)

  keys
    .command('new')
    .description('make an identity (ML-DSA-65) and a network key (Ed25519)')
    .requiredOption('--data <dir>', 'data directory; the keys go into its keys/ folder, readable by you only')
    .addOption(
      new Option('--role <role>', 'what the identity is for')
        .choices(['validator', 'node'])
        .default('validator'),
    )
    .option('--json', 'print JSON, with the whole public key')
    .addHelpText('after', '\nExample:\n  $ hypermesh keys new --data ./my-node')
    .action(async (options: { data: string; role: IdentityRole; json?: boolean }) => {
      const { createNodeKeys } = await import('./node-keys.ts')
      await show(await createNodeKeys(options.data, options.role), options.json === true)
    })

  keys
    .command('show')
    .description('show who a node is')
    .option('--data <dir>', 'data directory (default: the node that is set up here)')
    .option('--json', 'print JSON, with the whole public key')
    .addHelpText('after', '\nExample:\n  $ hypermesh keys show --data ./net/node-0 --json')
    .action(async (options: { data?: string; json?: boolean }) => {
      const data = options.data ?? defaultNode()
      if (data === undefined)
        throw usageError('no node is set up here', 'name its data directory with --data')
      const { readPublicKeys } = await import('./node-keys.ts')
      await show(await readPublicKeys(data), options.json === true)
    })
}
