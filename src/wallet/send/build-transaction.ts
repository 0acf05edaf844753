/**
 * Makes a shielded transaction: fills up with dummies to two notes in and two out, mixes their order, encrypts what is
 * made, and has it proven. All transactions look alike, whatever they pay. Sends nothing and remembers nothing.
 */
import { toHex } from '../../codec/hex.ts'
import { ciphertextsHash, mintSigningPayload, shieldedBinding } from '../../codec/shielded.ts'
import type { MlKem768 } from '../../crypto/ml-kem.ts'
import type { JoinSplitPublicInputs } from '../../shielded/join-split/public-inputs.ts'
import { type InputNote, type JoinSplitWitness, publishedBy } from '../../shielded/join-split/witness.ts'
import { deriveNoteRandomness, deriveSpendingKey, type Note, ownerOf } from '../../shielded/notes/keys.ts'
import { assert } from '../../types/assert.ts'
import type { AccountId, GenesisHash, Height, Hex32, Nullifier } from '../../types/primitives.ts'
import type { ShieldedTransaction } from '../../types/shielded.ts'
import type { Address } from '../address.ts'
import { sealNote, sealUnreadable } from '../notes/note-cipher.ts'
import type { Prover } from './prover.ts'

/** Bytes from the system's random source, `crypto.randomBytes`; from a seed in tests only. */
export type RandomBytes = (count: number) => Uint8Array

/** A note of the wallet's that is spent, with its place in the tree. */
export interface SpentInput {
  readonly value: bigint
  readonly randomness: Uint8Array
  readonly position: number
  /** From the leaf upwards, 32. */
  readonly siblings: readonly Uint8Array[]
}

/** A note that is made. */
export interface PaidOutput {
  readonly to: Address
  /** Above 0. */
  readonly value: bigint
}

/** The account that pays into the notes, and its signature. */
export interface MintSource {
  readonly amount: bigint
  /** ML-DSA-65, 1,952 bytes. */
  readonly publicKey: Uint8Array
  /** One above that of the account's last transaction. */
  readonly sequence: number
  /** Signs under the context mint. */
  sign(payload: Uint8Array): Uint8Array | Promise<Uint8Array>
}

/** What a transaction is to do. Inputs + mint = outputs + burn + fee. */
export interface TransactionContent {
  readonly genesisHash: GenesisHash
  /** Root of the tree in which the inputs are. */
  readonly anchor: Uint8Array
  /** At most two. */
  readonly inputs: readonly SpentInput[]
  /** At most two. */
  readonly outputs: readonly PaidOutput[]
  readonly fee: bigint
  readonly mint: MintSource | null
  readonly burn: { readonly amount: bigint; readonly to: AccountId } | null
  readonly expiresAtHeight: Height
}

/** With what it is made. */
export interface BuildingTools {
  readonly spendingKey: Uint8Array
  readonly mlKem: MlKem768
  readonly random: RandomBytes
  readonly prove: Prover
}

type Pair<T> = readonly [T, T]

/** The two in an order that is drawn, so that no place means anything. */
function mixed<T>([a, b]: Pair<T>, random: RandomBytes): Pair<T> {
  return ((random(1)[0] as number) & 1) === 0 ? [a, b] : [b, a]
}

function dummyInput(random: RandomBytes): InputNote {
  const [spendingKey, randomness] = [deriveSpendingKey(random(32)), deriveNoteRandomness(random(32))]
  return { spendingKey, value: 0n, randomness, place: null }
}

interface MadeOutput {
  readonly note: Note
  readonly ciphertext: Uint8Array
}

function outputOf({ to, value }: PaidOutput, { random, mlKem }: BuildingTools): MadeOutput {
  const note = { owner: to.owner, value, randomness: deriveNoteRandomness(random(32)) }
  return { note, ciphertext: sealNote(note, to.kemPublicKey, mlKem) }
}

/** Of no value and nobody's: the key that could spend it is forgotten here. */
function dummyOutput({ random, mlKem }: BuildingTools): MadeOutput {
  const owner = ownerOf(deriveSpendingKey(random(32)))
  const note = { owner, value: 0n, randomness: deriveNoteRandomness(random(32)) }
  return { note, ciphertext: sealUnreadable(note, mlKem) }
}

/** @param items at most two */
function filled<T>(items: readonly T[], filler: () => T): Pair<T> {
  const [first = filler(), second = filler()] = items
  return [first, second]
}

const hexOf = <T extends string>([a, b]: Pair<Uint8Array>): Pair<T> => [toHex(a) as T, toHex(b) as T]

/**
 * Builds the transaction. Takes a second or so, in which the prover works.
 * @throws WalletError `E_WALLET_PROOF` when the prover fails; InvariantViolation when the amounts do not add up
 */
export async function buildTransaction(
  content: TransactionContent,
  tools: BuildingTools,
): Promise<ShieldedTransaction> {
  const { genesisHash, anchor, fee, burn, expiresAtHeight } = content
  const { random, spendingKey } = tools
  assert(content.inputs.length <= 2 && content.outputs.length <= 2, 'two notes in and two out at the most')
  const inputs = content.inputs.map(
    ({ value, randomness, position, siblings }): InputNote => ({
      spendingKey,
      value,
      randomness,
      place: { position, siblings },
    }),
  )
  const made = mixed(
    filled(
      content.outputs.map((output) => outputOf(output, tools)),
      () => dummyOutput(tools),
    ),
    random,
  )
  const witness: JoinSplitWitness = {
    inputs: mixed(
      filled(inputs, () => dummyInput(random)),
      random,
    ),
    outputs: [made[0].note, made[1].note],
  }
  const published = publishedBy(witness)
  assert(published.ok, 'the witness is well formed')
  const ciphertexts: Pair<Uint8Array> = [made[0].ciphertext, made[1].ciphertext]
  const unsigned =
    content.mint === null
      ? null
      : {
          amount: content.mint.amount,
          publicKey: content.mint.publicKey,
          sequence: content.mint.sequence,
          signature: new Uint8Array(0),
        }
  const bound = {
    genesisHash,
    expiresAtHeight,
    ciphertextsHash: ciphertextsHash(ciphertexts),
    mint: unsigned,
    burn,
  }
  const binding = shieldedBinding(bound)
  const statement = {
    ...bound,
    anchor: toHex(anchor) as Hex32,
    nullifiers: hexOf<Nullifier>(published.value.nullifiers),
    commitments: hexOf<Hex32>(published.value.commitments),
    fee,
    binding,
  }
  const signature = content.mint === null ? null : await content.mint.sign(mintSigningPayload(statement))
  const publicInputs: JoinSplitPublicInputs = {
    anchor,
    ...published.value,
    fee,
    mint: content.mint?.amount ?? 0n,
    burn: burn?.amount ?? 0n,
    binding: Buffer.from(binding, 'hex'),
  }
  const proof = await tools.prove(witness, publicInputs, random(32))
  const mint = unsigned === null || signature === null ? null : { ...unsigned, signature }
  return { kind: 'shielded', ...statement, mint, ciphertexts, proof }
}
