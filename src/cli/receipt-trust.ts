/** What `verify` trusts: the genesis of a network, and a checkpoint of it where one is named. Files only; asks nobody. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseCheckpointJson } from '../codec/checkpoint-json.ts'
import { parseGenesis } from '../config/genesis-file.ts'
import { trustedBlock } from '../config/values.ts'
import { genesisTrust } from '../ledger/receipt/genesis-trust.ts'
import { asHeight, type BlockHash } from '../types/primitives.ts'
import type { ReceiptTrust } from '../types/receipt.ts'
import { CliError, usageError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { readTextFile } from './parse-options.ts'

export interface TrustOptions {
  readonly genesis?: string
  readonly data?: string
  /** `HEIGHT:BLOCK_ID`, or a file. */
  readonly checkpoint?: string
}

/** What is trusted, and how it is called. */
export interface NamedTrust {
  readonly trust: ReceiptTrust
  readonly name: string
}

/** @throws CliError `E_USAGE` (64), `E_FILE`, `E_CHECKPOINT` (65); GenesisError `E_GENESIS` (65) */
export function receiptTrust({ genesis, data, checkpoint }: TrustOptions): NamedTrust {
  const block = checkpoint === undefined ? undefined : trustedBlock.safeParse(checkpoint)
  if (checkpoint !== undefined && block?.success !== true) {
    if (BLOCK_START.test(checkpoint) && !existsSync(checkpoint)) {
      throw usageError(
        `--checkpoint ${checkpoint}: expected HEIGHT:BLOCK_ID, the id in 64 lower-case hex digits`,
        BLOCK_SOURCE,
      )
    }
    if (genesis !== undefined || data !== undefined) {
      throw usageError(
        `--checkpoint ${checkpoint}: a file names its network itself`,
        'leave --genesis and --data out, or write --checkpoint HEIGHT:BLOCK_ID',
      )
    }
    return fileTrust(checkpoint)
  }
  const path = genesisPath(genesis, data)
  const { network, ...document } = parseGenesis(readTextFile(path, 'genesis file'), path)
  const founders = genesisTrust({ network, ...document })
  const { genesisHash, epochBlocks } = founders
  const where = `network ${network}, genesis ${genesisHash} (${path})`
  if (block?.success !== true || block.data === null) {
    return { trust: founders, name: `${where}: its ${founders.validators.length} founders` }
  }
  const height = asHeight(block.data.height)
  return {
    trust: { kind: 'block', genesisHash, epochBlocks, height, blockHash: block.data.hash as BlockHash },
    name: `${where}: block ${height}, ${block.data.hash}`,
  }
}

function genesisPath(genesis: string | undefined, data: string | undefined): string {
  if (genesis !== undefined) return genesis
  if (data === undefined) {
    throw usageError(
      'what is to be trusted is not said',
      "name the network's genesis.json with --genesis, a node's data directory with --data, or a checkpoint file with --checkpoint (HEIGHT:BLOCK_ID needs one of the other two beside it)",
    )
  }
  return join(data, 'genesis.json')
}

const BLOCK_SOURCE = '"hypermesh block HEIGHT" on the node of somebody you trust shows both'
/** Begins like a block, and is none. */
const BLOCK_START = /^\d+:/

function fileTrust(path: string): NamedTrust {
  if (!existsSync(path)) {
    throw usageError(
      `--checkpoint ${path}: neither HEIGHT:BLOCK_ID nor a file`,
      `${BLOCK_SOURCE}; "hypermesh verify --save-checkpoint" writes a file`,
    )
  }
  const trust = parseCheckpointJson(readTextFile(path, 'checkpoint'))
  if (!trust.ok) {
    throw new CliError('E_CHECKPOINT', `${path} is not a checkpoint`, {
      why: trust.detail,
      fix: 'take the file that "hypermesh verify --save-checkpoint" wrote, as it is',
      exitCode: EXIT.data,
    })
  }
  const { epoch, validators, genesisHash } = trust.value
  return {
    trust: trust.value,
    name: `genesis ${genesisHash}: the ${validators.length} validators of epoch ${epoch} (${path})`,
  }
}
