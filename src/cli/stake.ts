/**
 * `stake`: an account's balance and stake, and what its holder may do with them. Signs with the identity key of a
 * data directory; the key never leaves it.
 */

import type { Command } from 'commander'
import type { AccountId } from '../types/primitives.ts'
import type { StakingOperation } from '../types/transaction.ts'
import { type ApiOptions, addApiOptions } from './api-client.ts'
import { accountOption, amountOption, wholeNumber } from './parse-options.ts'
import { print, printJson } from './print.ts'
import type { AccountJson, StakeSigner } from './stake-client.ts'

interface StakeOptions extends ApiOptions {
  readonly account?: string
  readonly amount?: bigint
  readonly to?: AccountId
  readonly newKey?: string
  readonly sequence?: number
}

export function accountLines(account: AccountJson): string[] {
  const { unbonding, tombstonedAt, validatorIndex } = account
  const isIn = validatorIndex === null ? 'not in the set' : `validator ${validatorIndex}`
  return [
    `account   ${account.id}`,
    `  balance   ${account.balance}`,
    `  bonded    ${account.bonded} (${account.isJoined ? 'joined' : 'not joined'}, ${isIn})`,
    ...unbonding.map(
      ({ amount, matureHeight, matureTime }) =>
        `  unbonding ${amount}, free from height ${matureHeight}` +
        (matureTime === null ? '' : ` and ${new Date(matureTime).toISOString()}`),
    ),
    `  key       ${account.validatorId ?? 'none yet: its own when it joins'}`,
    `  sequence  ${account.sequence}`,
    ...(tombstonedAt === null ? [] : [`  punished  for equivocation, at height ${tombstonedAt}`]),
  ]
}

async function show(options: StakeOptions): Promise<void> {
  const { askAccount, ownAccountId } = await import('./stake-client.ts')
  const account = await askAccount(options, options.account ?? (await ownAccountId(options)))
  if (options.json === true) printJson(account)
  else for (const line of accountLines(account)) print(line)
}

/** Signs an operation, sends it, and says at which height it became final. */
async function perform(
  options: StakeOptions,
  operationOf: (signer: StakeSigner) => Promise<(sequence: number) => StakingOperation>,
): Promise<void> {
  const { openSigner, sendToFinality, signOperation } = await import('./stake-client.ts')
  const signer = await openSigner(options)
  const operation = await operationOf(signer)
  const transaction = await signOperation(options, signer, operation, options.sequence)
  const view = await sendToFinality(options, transaction)
  if (options.json === true) printJson(view)
  else print(`final at height ${view.height}: transaction ${view.key}`)
}

/** The account's key is to vote with the next epoch: a node that could not would only take weight from the others. */
async function join(options: StakeOptions): Promise<void> {
  const { askAccount } = await import('./stake-client.ts')
  const { hasSafetyRecord } = await import('../composition/node-storage.ts')
  const { dataDirectoryAt } = await import('../config/data-directory.ts')
  const { CliError } = await import('./errors.ts')
  await perform(options, async (signer) => {
    const { validatorId } = await askAccount(options, signer.id)
    const votesItself = validatorId === null || validatorId === signer.validatorId
    if (votesItself && !hasSafetyRecord(dataDirectoryAt(signer.data))) {
      throw new CliError(
        'E_SAFETY_RECORD_MISSING',
        `the key of ${signer.data} has no signing record: it could not vote`,
        {
          why: 'a validator that does not vote still counts for the quorum of the others',
          fix: `make the directory with "init --validator", or start it once with --i-have-never-signed`,
          exitCode: 77,
        },
      )
    }
    return () => ({ kind: 'join' })
  })
}

/** Says so when what is left does not make a validator. */
async function unbond(options: StakeOptions & { amount: bigint }): Promise<void> {
  const { askAccount, openSigner } = await import('./stake-client.ts')
  const { id, minimumStake } = await openSigner(options)
  await perform(options, async () => () => ({ kind: 'unbond', amount: options.amount }))
  const { bonded, isJoined } = await askAccount(options, id)
  if (!isJoined || BigInt(bonded) >= minimumStake) return
  process.stderr.write(
    `warning: ${bonded} is still bonded, a validator has ${minimumStake} at least: from the next epoch on it is none\n`,
  )
}

/** The new key's directory signs that it belongs to the account. */
async function keyChange(newKey: string, signer: StakeSigner) {
  const { existsSync } = await import('node:fs')
  const { CliError } = await import('./errors.ts')
  const { EXIT } = await import('./exit-codes.ts')
  const { loadIdentity } = await import('../crypto/keystore.ts')
  const { selectMlDsa65 } = await import('../crypto/select.ts')
  const { SIGNATURE_CONTEXTS } = await import('../crypto/contexts.ts')
  const { keyChangeSigningPayload } = await import('../codec/signing-payloads.ts')
  const { dataDirectoryAt } = await import('../config/data-directory.ts')
  const { identityKeyFile } = await import('./node-keys.ts')
  const path = identityKeyFile(dataDirectoryAt(newKey).keys)
  if (!existsSync(path)) {
    throw new CliError('E_KEY_MISSING', `--new-key ${newKey}: there is no key at ${path}`, {
      fix: `make one with "hypermesh keys new --data ${newKey}", or name the directory that holds it`,
      exitCode: EXIT.key,
    })
  }
  const { keyPair } = await loadIdentity(path, selectMlDsa65())
  return (sequence: number): StakingOperation => ({
    kind: 'change-key',
    newPublicKey: keyPair.publicKey.raw,
    proof: keyPair.sign(
      keyChangeSigningPayload(signer.genesisHash, { account: signer.id, sequence }),
      SIGNATURE_CONTEXTS['key-change'],
    ),
  })
}

export function registerStakeCommand(program: Command): void {
  const stake = program
    .command('stake')
    .description('show and move balances and stake, join and leave the validator set')
    .helpCommand(false)
  const verb = (name: string, description: string, example: string): Command =>
    addApiOptions(stake.command(name).description(description)).addHelpText(
      'after',
      `\nExample:\n  $ hypermesh stake ${example}`,
    )
  const signedVerb = (name: string, description: string, example: string): Command =>
    verb(name, description, example).option(
      '--sequence <n>',
      "number of the account's transaction (default: the next); used up once, it is never done twice",
      wholeNumber(1, 2 ** 48),
    )
  const amount = ['--amount <n>', 'how much', amountOption] as const

  verb('show', 'show an account', 'show --data ./net/node-0')
    .option('--account <id>', "whose (default: that of the data directory's key)", accountOption)
    .action(show)
  signedVerb('transfer', 'pay another account', 'transfer --data ./net/node-0 --to 3f… --amount 500')
    .requiredOption('--to <id>', 'account that is paid; a new one comes into being', accountOption)
    .requiredOption(...amount)
    .action((options: StakeOptions & { to: AccountId; amount: bigint }) =>
      perform(options, async () => () => ({ kind: 'transfer', to: options.to, amount: options.amount })),
    )
  signedVerb('bond', 'turn balance into stake', 'bond --data ./net/node-4 --amount 1000')
    .requiredOption(...amount)
    .action((options: StakeOptions & { amount: bigint }) =>
      perform(options, async () => () => ({ kind: 'bond', amount: options.amount })),
    )
  signedVerb('unbond', 'withdraw stake; it is free after a delay', 'unbond --data ./net/node-4 --amount 100')
    .requiredOption(...amount)
    .action(unbond)
  signedVerb('join', 'enter the validator set with the next epoch', 'join --data ./net/node-4').action(join)
  signedVerb(
    'rejoin',
    'come back on probation after being excluded from verdicts, when the cool-down is over',
    'rejoin --data ./net/node-1',
  ).action((options: StakeOptions) => perform(options, async () => () => ({ kind: 'rejoin' })))
  signedVerb('leave', 'leave the validator set with the next epoch', 'leave --data ./net/node-1').action(
    (options: StakeOptions) => perform(options, async () => () => ({ kind: 'leave' })),
  )
  signedVerb(
    'change-key',
    'let another key vote for the account from the next epoch on',
    'change-key --data ./net/node-0 --new-key ./node-0b',
  )
    .requiredOption('--new-key <dir>', 'data directory that holds the new identity key')
    .action((options: StakeOptions & { newKey: string }) =>
      perform(options, (signer) => keyChange(options.newKey, signer)),
    )
}
