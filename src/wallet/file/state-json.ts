/** What a wallet remembers, as the JSON that is sealed. Only our own program writes it, yet it is read as strictly as any. */
import { z } from 'zod'
import { base64UrlToBytes, bytesToBase64Url } from '../../codec/base64-url.ts'
import { FRONTIER_DEPTH } from '../../codec/ledger-state.ts'
import { NOTE_RANDOMNESS_BYTES } from '../../shielded/notes/keys.ts'
import { VALUE_LIMIT } from '../../shielded/notes/note-hashes.ts'
import {
  type AccountId,
  asHeight,
  COUNTER_MAX,
  type GenesisHash,
  type Hex32,
  type Nullifier,
  type RequestKey,
} from '../../types/primitives.ts'
import { ADDRESS_CHARACTERS } from '../address.ts'
import { MASTER_SEED_BYTES } from '../keys.ts'
import type { WalletState } from '../state.ts'
import { TREE_NOTES_MAX } from '../tree/note-tree.ts'

const hex32 = z.string().regex(/^[0-9a-f]{64}$/)
const as = <T extends string>() => hex32.transform((value) => value as T)
const index = z.int().min(0).max(TREE_NOTES_MAX)
const height = z.int().min(0).max(COUNTER_MAX).transform(asHeight)
/** Sums of notes may have more than 64 bits. */
const amount = z
  .string()
  .regex(/^\d{1,30}$/)
  .transform(BigInt)
const value = amount.refine((worth) => worth < VALUE_LIMIT)

const bytes = (count: number) =>
  z.string().transform((text, context) => {
    const read = base64UrlToBytes(text)
    if (read !== null && read.length === count) return read
    context.addIssue({ code: 'custom', message: `not ${count} bytes` })
    return z.NEVER
  })

const cursor = z.strictObject({ entries: index, height })
const list = z.strictObject({
  size: index,
  nodes: z.array(as<Hex32>().nullable()).max(FRONTIER_DEPTH + 1),
})

const stateSchema = z.strictObject({
  seed: bytes(MASTER_SEED_BYTES),
  genesisHash: as<GenesisHash>(),
  genesisNotes: index,
  cursor,
  confirmed: cursor,
  root: as<Hex32>(),
  lists: z.strictObject({ cursor: list, confirmed: list }),
  notes: z.array(
    z.strictObject({
      position: index,
      value,
      randomness: bytes(NOTE_RANDOMNESS_BYTES),
      entry: index.nullable(),
      height,
      spentIn: index.nullable(),
    }),
  ),
  movements: z.array(z.strictObject({ entry: index, height, hash: hex32, received: amount, spent: amount })),
  outgoing: z.array(
    z.strictObject({
      kind: z.enum(['send', 'merge', 'deposit', 'withdraw']),
      to: z.string().max(ADDRESS_CHARACTERS),
      amount: value,
      fee: value,
      change: value,
      from: as<AccountId>().nullable(),
      key: as<RequestKey>(),
      hash: hex32,
      nullifiers: z.tuple([as<Nullifier>(), as<Nullifier>()]),
      commitments: z.tuple([as<Hex32>(), as<Hex32>()]),
      spends: z.array(index).max(2),
      expiresAtHeight: height,
      state: z.enum(['pending', 'final', 'expired', 'refused', 'replaced']),
      height: height.nullable(),
    }),
  ),
})

/** Bytes of a state. */
export function encodeState(state: WalletState): Uint8Array {
  // Looked at where it stands: a Buffer makes something else of itself before anybody is asked.
  const json = JSON.stringify(state, function (this: Record<string, unknown>, key: string): unknown {
    const item = this[key]
    if (typeof item === 'bigint') return item.toString()
    return item instanceof Uint8Array ? bytesToBase64Url(item) : item
  })
  return Buffer.from(json)
}

/** The state of bytes; null if they are none, of which no more is said: it would be said of secrets. */
export function decodeState(content: Uint8Array): WalletState | null {
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(content).toString('utf8'))
  } catch {
    return null
  }
  return stateSchema.safeParse(json).data ?? null
}
