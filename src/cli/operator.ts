/**
 * `operator`: who answers for the ids in requests. Its operations are signed with the identity key of a data directory,
 * whose account bonds the stake; the operator's own key lies beside it and attests requests.
 */

import { type Command, Option } from 'commander'
import { toHex } from '../codec/hex.ts'
import { KEY_SCHEMES, type KeyScheme, type OperatorRecord, type SpaceCommitment } from '../types/operator.ts'
import { type ApiOptions, addApiOptions } from './api-client.ts'
import { usageError } from './errors.ts'
import type { OperatorJson } from './operators/operator-client.ts'
import { u64Option, wholeNumber } from './parse-options.ts'
import { print, printJson } from './print.ts'

interface OperatorOptions extends ApiOptions {
  readonly id?: string
  readonly bond?: bigint
  readonly authority?: bigint
  readonly alias?: readonly string[]
  readonly space?: string
  readonly scheme?: KeyScheme
  readonly sequence?: number
}

function operatorLines(operator: OperatorJson): string[] {
  const { space, retirement, aliases } = operator
  return [
    `operator  ${operator.operatorId}`,
    `  account   ${operator.account}`,
    `  key       ${operator.keyScheme} ${operator.publicKey.slice(0, 32)}…`,
    `  bonded    ${operator.bondedStake}, authority level ${operator.authorityLevel}`,
    `  space     ${space === null ? 'none' : `${space.bytes} bytes in leaves of ${space.leafSize}, root ${space.root}`}`,
    `  aliases   ${aliases.length === 0 ? 'none' : aliases.join(', ')}`,
    ...(retirement === null
      ? [`  since     height ${operator.registeredAt}`]
      : [
          `  retired   at height ${retirement.height}; its names are reserved until ${retirement.reservedUntil}`,
        ]),
  ]
}

async function show(options: OperatorOptions): Promise<void> {
  const { askOperator } = await import('./operators/operator-client.ts')
  const { ownAccountId } = await import('./stake-client.ts')
  const operator = await askOperator(options, options.id ?? (await ownAccountId(options)))
  if (options.json === true) printJson(operator)
  else for (const line of operatorLines(operator)) print(line)
}

async function spaceOf(options: OperatorOptions): Promise<SpaceCommitment | undefined> {
  if (options.space === undefined) return undefined
  const { readCommitment } = await import('./operators/space-file.ts')
  return readCommitment(options.space)
}

/** Ascending, each once: the order that the ledger wants. */
function sortedAliases(aliases: readonly string[]): string[] {
  return [...new Set(aliases)].sort()
}

async function register(options: OperatorOptions & { id: string; bond: bigint }): Promise<void> {
  const { claimBy, takeOperatorKey } = await import('./operators/operator-client.ts')
  const { openSigner } = await import('./stake-client.ts')
  const signer = await openSigner(options)
  const key = await takeOperatorKey(signer.data, options.scheme ?? 'ml-dsa-65')
  const record: OperatorRecord = {
    operatorId: options.id,
    keyScheme: key.scheme,
    publicKey: key.publicKey,
    bondedStake: options.bond,
    space: (await spaceOf(options)) ?? null,
    authorityLevel: options.authority ?? 0n,
    aliases: sortedAliases(options.alias ?? []),
  }
  await perform(options, claimBy(signer, key, 'register', record))
}

/** What no option names stays as it is. */
async function update(options: OperatorOptions): Promise<void> {
  const { askOperator, claimBy, openOperatorKey } = await import('./operators/operator-client.ts')
  const { openSigner } = await import('./stake-client.ts')
  const signer = await openSigner(options)
  const before = await askOperator(options, signer.id)
  const key = await openOperatorKey(signer.data)
  const space =
    before.space === null
      ? null
      : {
          ...before.space,
          bytes: BigInt(before.space.bytes),
          root: before.space.root as SpaceCommitment['root'],
        }
  const record: OperatorRecord = {
    operatorId: before.operatorId,
    keyScheme: key.scheme,
    publicKey: key.publicKey,
    bondedStake: options.bond ?? BigInt(before.bondedStake),
    space: (await spaceOf(options)) ?? space,
    authorityLevel: options.authority ?? BigInt(before.authorityLevel),
    aliases: options.alias === undefined ? before.aliases : sortedAliases(options.alias),
  }
  if (isRegisteredAs(before, record)) {
    throw usageError(
      'nothing to change: it is registered like that',
      'say what with --bond, --authority, --alias or --space',
    )
  }
  await perform(options, claimBy(signer, key, 'update', record))
}

function isRegisteredAs(before: OperatorJson, record: OperatorRecord): boolean {
  return (
    before.retirement === null &&
    before.keyScheme === record.keyScheme &&
    before.publicKey === toHex(record.publicKey) &&
    before.bondedStake === `${record.bondedStake}` &&
    before.authorityLevel === `${record.authorityLevel}` &&
    before.space?.root === record.space?.root &&
    before.aliases.join() === record.aliases.join()
  )
}

async function perform(
  options: OperatorOptions,
  operation: Parameters<typeof import('./operators/operator-client.ts').signOperatorOperation>[2],
): Promise<void> {
  const { signOperatorOperation } = await import('./operators/operator-client.ts')
  const { openSigner, sendToFinality } = await import('./stake-client.ts')
  const transaction = await signOperatorOperation(
    options,
    await openSigner(options),
    operation,
    options.sequence,
  )
  const view = await sendToFinality(options, transaction)
  if (options.json === true) printJson(view)
  else print(`final at height ${view.height}: transaction ${view.key}`)
}

export function registerOperatorCommand(program: Command): void {
  const operator = program
    .command('operator')
    .description('register who answers for the ids in requests: key, stake, space')
    .helpCommand(false)
  const verb = (name: string, description: string, example: string): Command =>
    addApiOptions(operator.command(name).description(description)).addHelpText(
      'after',
      `\nExample:\n  $ hypermesh operator ${example}`,
    )
  const signedVerb = (name: string, description: string, example: string): Command =>
    verb(name, description, example).option(
      '--sequence <n>',
      "number of the account's transaction (default: the next); used up once, it is never done twice",
      wholeNumber(1, 2 ** 48),
    )
  const authority = ['--authority <n>', 'authority level; the bond gives the highest', u64Option] as const
  const aliases = ['--alias <name...>', 'further ids that are this operator'] as const
  const space = ['--space <dir>', 'a space that "space init" made'] as const

  signedVerb('register', 'register an operator', 'register --data ./net/node-0 --id acme --bond 2000')
    .requiredOption('--id <name>', 'its id, as requests name it')
    .requiredOption('--bond <n>', 'stake taken from the balance while it is registered', u64Option)
    .option(...authority)
    .option(...aliases)
    .option(...space)
    .addOption(
      new Option('--scheme <name>', 'of its key, made when there is none')
        .choices(KEY_SCHEMES)
        .default('ml-dsa-65'),
    )
    .action(register)
  signedVerb(
    'update',
    'change what is registered; the rest stays',
    'update --data ./net/node-0 --space ./space',
  )
    .option('--bond <n>', 'stake that is bonded then; less is free after a delay', u64Option)
    .option(...authority)
    .option('--alias <name...>', 'further ids, in place of those before')
    .option(...space)
    .action(update)
  signedVerb(
    'retire',
    'end an operator; its bond is free after a delay',
    'retire --data ./net/node-0',
  ).action((options: OperatorOptions) => perform(options, () => ({ kind: 'retire' })))
  verb('show', 'show an operator', 'show --data ./net/node-0 --id acme')
    .option('--id <name>', "id, alias or account (default: the account of the data directory's key)")
    .action(show)
}
