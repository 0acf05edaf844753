/**
 * A process that reads a whole chain: `read-chain.ts DIR` prints one line per height, or `refused CODE`. Its own
 * process, because LevelDB may abort on damaged files. Started by tests only.
 */

import { sha256Plain } from '../../src/codec/hashes.ts'
import { toHex } from '../../src/codec/hex.ts'
import { encodeVerdict } from '../../src/codec/verdict.ts'
import { ChainStore } from '../../src/storage/chain-store.ts'
import { Database } from '../../src/storage/database.ts'
import { asHeight, type StateRoot } from '../../src/types/primitives.ts'
import type { VerdictRecord } from '../../src/types/verdict.ts'
import { GENESIS_STATE, NETWORK, stateRootOf } from './final-chain.ts'

/** What is printed of a height. */
export function lineOf(
  height: number,
  of: { bytes: Uint8Array; stateRoot: StateRoot | null; verdicts: readonly VerdictRecord[] },
): string {
  const parts = [of.bytes, ...of.verdicts.map(encodeVerdict)]
  return [height, of.stateRoot, ...parts.map((bytes) => toHex(sha256Plain(bytes)))].join(' ')
}

async function readChain(path: string): Promise<string[]> {
  const database = await Database.open({ path, network: NETWORK })
  const chain = await ChainStore.open({
    database,
    genesis: GENESIS_STATE,
    stateRootOf,
    onFatal: () => process.exit(1),
  })
  const lines: string[] = []
  for (let at = 1; at <= chain.tip.height; at++) {
    const height = asHeight(at)
    lines.push(
      lineOf(at, {
        bytes: chain.blockBytesAt(height) ?? new Uint8Array(0),
        stateRoot: chain.stateRootAt(height),
        verdicts: (chain.verdictsAt(height) ?? []).map(({ record }) => record),
      }),
    )
  }
  await database.close()
  return lines
}

const path = process.argv[2]
if (import.meta.main && path !== undefined) {
  const lines = await readChain(path).catch((error: { code?: string }) => [`refused ${error.code}`])
  process.stdout.write(`${lines.join('\n')}\n`)
}
