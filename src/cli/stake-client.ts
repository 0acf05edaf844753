/** Signs staking transactions with a node's identity key and brings them to finality through a node's API. */

import { setTimeout as sleep } from 'node:timers/promises'
import { accountId, genesisHash, validatorId } from '../codec/genesis.ts'
import { stakingSigningPayload } from '../codec/signing-payloads.ts'
import { hashTransaction } from '../codec/transaction.ts'
import { dataDirectoryAt, requireInitialised } from '../config/data-directory.ts'
import { readGenesisFile } from '../config/read-genesis-file.ts'
import { SIGNATURE_CONTEXTS } from '../crypto/contexts.ts'
import { type Identity, loadIdentity } from '../crypto/keystore.ts'
import { selectMlDsa65 } from '../crypto/select.ts'
import type { StatusView } from '../rpc/http/api-ports.ts'
import type { AccountView, TransactionView } from '../rpc/http/staking-ports.ts'
import { type AccountId, asHeight, type GenesisHash, type ValidatorId } from '../types/primitives.ts'
import type { HashedTransaction, StakingContent, StakingOperation } from '../types/transaction.ts'
import { type ApiOptions, askApi, tellApi } from './api-client.ts'
import { CliError, usageError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { identityKeyFile } from './node-keys.ts'
import { defaultNode } from './node-location.ts'

/** How far above the final height a transaction may still be taken: minutes on an idle chain. */
const EXPIRES_AFTER_BLOCKS = 200
const DEADLINE_MS = 60_000
const POLL_MS = 250
/** A node may lose what waits in it: the same bytes are sent again, which is the same as once. */
const RESEND_EVERY = 20

/** The account of a node's key, and the network it is on. */
export interface StakeSigner {
  /** Path of the data directory, as it was given. */
  readonly data: string
  readonly id: AccountId
  /** Of the same key, where it votes. */
  readonly validatorId: ValidatorId
  readonly identity: Identity
  readonly genesisHash: GenesisHash
  /** Below this an account is not in the validator set. */
  readonly minimumStake: bigint
}

/** @throws CliError, DataDirectoryError (73), KeystoreError (77), GenesisError (65) when the directory holds no node */
export async function openSigner(options: ApiOptions): Promise<StakeSigner> {
  const data = options.data ?? defaultNode()
  if (data === undefined) {
    throw usageError('no node is set up here', 'name the data directory whose key signs with --data')
  }
  const directory = dataDirectoryAt(data)
  requireInitialised(directory)
  const identity = await loadIdentity(identityKeyFile(directory.keys), selectMlDsa65())
  const genesis = readGenesisFile(directory.genesis)
  return {
    data,
    validatorId: validatorId(identity.keyPair.publicKey.raw),
    id: accountId(identity.keyPair.publicKey.raw),
    identity,
    genesisHash: genesisHash(genesis),
    minimumStake: genesis.parameters.minimumValidatorStake,
  }
}

/** The account in JSON as the API gives it: amounts are strings of digits. */
export type AccountJson = Omit<AccountView, 'balance' | 'bonded' | 'unbonding'> & {
  readonly balance: string
  readonly bonded: string
  readonly unbonding: readonly {
    readonly amount: string
    readonly matureHeight: number
    readonly matureTime: number | null
  }[]
}

export function askAccount(options: ApiOptions, id: string): Promise<AccountJson> {
  return askApi(options, `/v1/accounts/${id}`) as Promise<AccountJson>
}

/**
 * Builds and signs the account's next transaction.
 * @param operation given the sequence that it gets
 * @param sequence in place of the next one: sending one that is used up is refused, never done twice
 */
export async function signOperation(
  options: ApiOptions,
  signer: StakeSigner,
  operation: (sequence: number) => StakingOperation,
  sequence?: number,
): Promise<HashedTransaction> {
  const place = await nextPlace(options, signer, sequence)
  const publicKey = signer.identity.keyPair.publicKey.raw
  const content = { publicKey, ...place, operation: operation(place.sequence) }
  const payload = stakingSigningPayload(signer.genesisHash, content)
  const signature = signer.identity.keyPair.sign(payload, SIGNATURE_CONTEXTS.staking)
  return hashTransaction({ kind: 'staking', ...content, signature })
}

/**
 * The status of the node that is asked.
 * @throws CliError `E_OTHER_NETWORK` (65) when the node is on another network than the signer
 */
export async function askStatus(
  options: ApiOptions,
  { genesisHash }: Pick<StakeSigner, 'genesisHash'>,
): Promise<StatusView> {
  const status = (await askApi(options, '/v1/status')) as StatusView
  if (status.genesisHash === genesisHash) return status
  throw new CliError('E_OTHER_NETWORK', `the node that answers is on network ${status.network}`, {
    why: `its genesis is ${status.genesisHash}, that of the data directory is ${genesisHash}`,
    fix: 'name a node of the same network with --api',
    exitCode: EXIT.data,
  })
}

/** The account of a directory's key, once the node that is asked is known to be on its network. @throws as {@link askStatus} */
export async function ownAccountId(options: ApiOptions): Promise<AccountId> {
  const signer = await openSigner(options)
  await askStatus(options, signer)
  return signer.id
}

/**
 * The place of an account's next transaction of any kind.
 * @param sequence in place of the next one
 * @throws CliError `E_OTHER_NETWORK` (65) when the node is on another network than the signer
 */
export async function nextPlace(
  options: ApiOptions,
  signer: StakeSigner,
  sequence?: number,
): Promise<Pick<StakingContent, 'sequence' | 'expiresAtHeight'>> {
  const status = await askStatus(options, signer)
  return {
    sequence: sequence ?? (await askAccount(options, signer.id)).sequence + 1,
    // Where blocks are mined nothing but genesis is final.
    expiresAtHeight: asHeight(
      Math.max(status.final.height, status.mined?.height ?? 0) + EXPIRES_AFTER_BLOCKS,
    ),
  }
}

/**
 * Sends a transaction and waits until it is final.
 * @throws CliError `E_API` when it is refused, `E_NOT_FINAL` when it takes too long
 */
export async function sendToFinality(
  options: ApiOptions,
  transaction: HashedTransaction,
): Promise<TransactionView> {
  const body = { transaction: Buffer.from(transaction.bytes).toString('base64') }
  const end = Date.now() + DEADLINE_MS
  let view = (await tellApi(options, '/v1/transactions', body)) as TransactionView
  for (let asked = 1; view.state !== 'final'; asked++) {
    if (Date.now() > end) {
      throw new CliError(
        'E_NOT_FINAL',
        `transaction ${view.key} is not final after ${DEADLINE_MS / 1_000} s`,
        {
          why: 'the chain is slow, or an earlier transaction of the account is missing',
          fix: `ask again: the API's /v1/transactions/${view.key} tells when it is`,
        },
      )
    }
    await sleep(POLL_MS)
    const isLost = view.state === 'unknown' || asked % RESEND_EVERY === 0
    view = (
      isLost
        ? await tellApi(options, '/v1/transactions', body)
        : await askApi(options, `/v1/transactions/${view.key}`)
    ) as TransactionView
  }
  return view
}
