/**
 * The chain as it is found when the database is opened: made from genesis when there is none, else checked
 * before anything is built on it. LevelDB skips damaged parts of its log in silence, so a batch in the middle
 * can be missing; that is looked for here.
 */
import { decodeBlock } from '../codec/block.ts'
import { decodeQuorumCertificate, encodeQuorumCertificate } from '../codec/certificates.ts'
import { toHex } from '../codec/hex.ts'
import { decodeStateAccumulators } from '../codec/ledger-state.ts'
import { decodeOperations } from '../codec/operations.ts'
import { decodeOperator } from '../codec/operator.ts'
import { recentBlocksOf, recentCount, slotOf } from '../codec/recent-blocks.ts'
import { decodeShieldedState } from '../codec/shielded.ts'
import { decodeAccount, decodeStakingRest } from '../codec/staking.ts'
import { decodeBatchProgress, decodeElectors, decodeOpenRequests, decodeTrust } from '../codec/voting.ts'
import type { HashedBlock } from '../types/block.ts'
import type { QuorumCertificate } from '../types/certificates.ts'
import type { Result } from '../types/errors.ts'
import type { RecentBlocks, StateAccumulators, StateRootOf } from '../types/ledger-state.ts'
import { NO_OPERATIONS } from '../types/operations.ts'
import type { Operator, Operators } from '../types/operator.ts'
import type { AccountId, BlockHash, Height, StateRoot } from '../types/primitives.ts'
import type { Account, StakingState } from '../types/staking.ts'
import type { OpenBatch, ValidatorTrust, VerdictVoting } from '../types/voting.ts'
import {
  blockOperations,
  decodeTip,
  shieldedOperations,
  stakingOperations,
  tipOperations,
  votingOperations,
} from './block-batch.ts'
import {
  ACCOUNT_RANGE,
  BATCH_RANGE,
  batchRequestsKey,
  blockKey,
  decodeHeight,
  finalityKey,
  heightOfHashKey,
  heightRange,
  META,
  OPERATOR_RANGE,
  recentBlockKey,
  TRUST_RANGE,
} from './buckets.ts'
import { type Checkpoint, CheckpointRule } from './checkpoints.ts'
import type { Database } from './database.ts'
import { damagedDatabase } from './database-refusals.ts'

/** The last block that is final and durable, with the state after it. */
export interface ChainTip {
  readonly height: Height
  readonly block: HashedBlock
  readonly stateRoot: StateRoot
  readonly accumulators: StateAccumulators
  readonly staking: StakingState
  readonly voting: VerdictVoting
  /** The pre-commit certificate that made it final: on this block or on a descendant. */
  readonly finality: QuorumCertificate
}

/** What the chain starts from; a `GenesisState` of the ledger fits. */
export interface ChainGenesis {
  readonly block: HashedBlock
  readonly stateRoot: StateRoot
  readonly changes: {
    readonly accumulators: StateAccumulators
    readonly staking: StakingState
    readonly voting: VerdictVoting
  }
  /** Without signatures: genesis needs none. */
  readonly finality: QuorumCertificate
}

/** A chain that was found in order. */
export interface FoundChain {
  readonly tip: ChainTip
  readonly rule: CheckpointRule
  /** The highest block with a certificate of exactly itself; null until there is one above genesis. */
  readonly certified: Checkpoint | null
  /** From here on every block is kept; 0 when none was pruned. Genesis is kept always. */
  readonly lowest: Height
}

/**
 * Heights below the tip whose blocks are looked for: more than LevelDB's log and its first tables hold, whose
 * loss it does not report.
 */
const HEIGHTS_CHECKED = 8_192

/**
 * @param stateRootOf root of the state over these (ledger/state-root.ts)
 * @throws StorageError E_DB_CORRUPT, E_DB_WRITE
 */
export async function openChain(
  database: Database,
  genesis: ChainGenesis,
  stateRootOf: StateRootOf,
): Promise<FoundChain> {
  const damaged = (why: string) => damagedDatabase(database.path, why)
  const read = <T>(what: string, key: Uint8Array, decode: (bytes: Uint8Array) => Result<T>): T => {
    const bytes = database.get(key)
    if (bytes === null) throw damaged(`${what} is missing`)
    const value = decode(bytes)
    if (!value.ok) throw damaged(`${what} cannot be read: ${value.detail}`)
    return value.value
  }

  if (database.get(META.tip) === null) await writeGenesis(database, genesis)
  const { height, hash, stateRoot } = read('the tip', META.tip, decodeTip)
  const block = read(`block ${height}, the tip,`, blockKey(height), decodeBlock)
  const accumulators: StateAccumulators = {
    ...read('the list of accumulators', META.accumulators, decodeStateAccumulators),
    recentBlocks: readRecentBlocks(database, height),
    shielded: read('the shielded state', META.shielded, decodeShieldedState),
  }
  const staking: StakingState = {
    ...read('the staking state', META.staking, decodeStakingRest),
    accounts: await readAccounts(database),
    operators: await readOperators(database),
  }
  const voting: VerdictVoting = {
    electors: read('the list of electors', META.electors, decodeElectors),
    batches: await readBatches(database),
    trust: await readTrust(database),
    operations:
      database.get(META.operations) === null
        ? NO_OPERATIONS
        : read('the state of operations', META.operations, decodeOperations),
  }
  const finality = read('the certificate of the tip', META.tipCertificate, decodeQuorumCertificate)
  if (block.hash !== hash) throw damaged(`block ${height} has hash ${block.hash}, the tip is ${hash}`)
  if (stateRootOf(accumulators, staking, voting) !== stateRoot) {
    throw damaged(`the accumulators and accounts do not have the state root ${stateRoot} of height ${height}`)
  }
  if (database.get(heightOfHashKey(genesis.block.hash)) === null) {
    throw damaged(`it does not hold the genesis block ${genesis.block.hash}`)
  }
  const lowest = lowestKept(database)
  await requireEveryBlock(database, lowest, height)
  const tip: ChainTip = { height, block, stateRoot, accumulators, staking, voting, finality }
  return { tip, lowest, ...(await findCheckpoints(database, tip)) }
}

function lowestKept(database: Database): Height {
  const bytes = database.get(META.lowest)
  return bytes === null ? (0 as Height) : decodeHeight(bytes)
}

async function writeGenesis(database: Database, genesis: ChainGenesis): Promise<void> {
  const { block, stateRoot, changes, finality } = genesis
  const none = { keyOf: () => null, remember: () => undefined }
  const tip = { height: block.header.height, hash: block.hash, stateRoot }
  await database.write([
    ...blockOperations(
      {
        block,
        answers: [],
        changes: { nullifiers: [], shieldedEntries: [], verdicts: [], judgements: [], ...changes },
      },
      none,
    ),
    ...tipOperations(tip, encodeQuorumCertificate(finality), changes.accumulators),
    ...shieldedOperations(null, changes.accumulators.shielded),
    ...stakingOperations(null, changes.staking),
    ...votingOperations(null, changes.voting),
  ])
}

async function readAccounts(database: Database): Promise<ReadonlyMap<AccountId, Account>> {
  const accounts = new Map<AccountId, Account>()
  for await (const [key, bytes] of database.scan(ACCOUNT_RANGE)) {
    const account = decodeAccount(bytes)
    if (!account.ok) {
      throw damagedDatabase(database.path, `account ${toHex(key.subarray(1))}: ${account.detail}`)
    }
    accounts.set(account.value.id, account.value)
  }
  return accounts
}

async function readBatches(database: Database): Promise<readonly OpenBatch[]> {
  const batches: OpenBatch[] = []
  for await (const [key, bytes] of database.scan(BATCH_RANGE)) {
    const height = decodeHeight(key)
    const damaged = (why: string) => damagedDatabase(database.path, `batch ${height}: ${why}`)
    const progress = decodeBatchProgress(bytes)
    if (!progress.ok) throw damaged(progress.detail)
    const row = database.get(batchRequestsKey(height))
    if (row === null) throw damaged('its requests are missing')
    const requests = decodeOpenRequests(row)
    if (!requests.ok) throw damaged(`its requests: ${requests.detail}`)
    batches.push({ ...progress.value, requests: requests.value })
  }
  return batches
}

async function readTrust(database: Database): Promise<ReadonlyMap<AccountId, ValidatorTrust>> {
  const trust = new Map<AccountId, ValidatorTrust>()
  for await (const [key, bytes] of database.scan(TRUST_RANGE)) {
    const of = decodeTrust(bytes)
    if (!of.ok) throw damagedDatabase(database.path, `trust in ${toHex(key.subarray(1))}: ${of.detail}`)
    trust.set(of.value.account, of.value)
  }
  return trust
}

async function readOperators(database: Database): Promise<Operators> {
  const operators = new Map<AccountId, Operator>()
  for await (const [key, bytes] of database.scan(OPERATOR_RANGE)) {
    const operator = decodeOperator(bytes)
    if (!operator.ok) {
      throw damagedDatabase(
        database.path,
        `the operator of account ${toHex(key.subarray(1))}: ${operator.detail}`,
      )
    }
    operators.set(operator.value.account, operator.value)
  }
  return operators
}

/** The ring of the ancestors of the block at `tip`. */
function readRecentBlocks(database: Database, tip: Height): RecentBlocks {
  const hashes: BlockHash[] = []
  for (let height = tip - recentCount(tip); height < tip; height++) {
    const bytes = database.get(recentBlockKey(slotOf(height)))
    if (bytes?.length !== 32) throw damagedDatabase(database.path, `the hash of block ${height} is missing`)
    hashes.push(toHex(bytes) as BlockHash)
  }
  return recentBlocksOf(tip, hashes)
}

/** Each block shares its batch with its nullifiers and verdicts: where all blocks are, all batches are. */
async function requireEveryBlock(database: Database, kept: Height, tip: Height): Promise<void> {
  const lowest = Math.max(kept, tip - HEIGHTS_CHECKED + 1)
  const keys = await database.keys(heightRange('blocks', lowest, Number.MAX_SAFE_INTEGER - 1))
  for (const [i, key] of keys.entries()) {
    const height = decodeHeight(key)
    if (height !== lowest + i) {
      throw damagedDatabase(database.path, `block ${lowest + i} is missing and block ${height} is there`)
    }
  }
  const highest = lowest + keys.length - 1
  if (highest !== tip) {
    throw damagedDatabase(database.path, `the tip is at height ${tip} and the highest block at ${highest}`)
  }
}

async function findCheckpoints(
  database: Database,
  tip: ChainTip,
): Promise<Pick<FoundChain, 'rule' | 'certified'>> {
  const [key] = await database.keys(heightRange('finality', 0, tip.height), { reverse: true, limit: 1 })
  const last = key === undefined ? (0 as Height) : decodeHeight(key)
  const kept = key === undefined ? null : database.get(finalityKey(last))
  const ofTip =
    tip.height > 0 && tip.finality.blockHash === tip.block.hash
      ? { height: tip.height, certificate: encodeQuorumCertificate(tip.finality) }
      : null
  const rule = new CheckpointRule(last)
  for await (const [blockAt, bytes] of database.scan(heightRange('blocks', last + 1, tip.height))) {
    const height = decodeHeight(blockAt)
    const certificate = height === ofTip?.height ? ofTip.certificate : null
    rule.next({ height, bytes: bytes.length, certificate })
  }
  return { rule, certified: ofTip ?? (kept === null ? null : { height: last, certificate: kept }) }
}
