/** Canonical bytes of the ledger's accumulators and answers: how storage keeps them. Local, not on the wire. */
import type { Result } from '../types/errors.ts'
import type { AnswerFigures, Frontier, StateAccumulators } from '../types/ledger-state.ts'
import type { Hex32 } from '../types/primitives.ts'
import {
  counter,
  DecodeError,
  decode,
  encode,
  f64,
  hexBytes,
  listOf,
  record,
  type Schema,
  u64,
} from './schema.ts'

/** Leaves of a List[Bytes32, 2^32]: 33 subtree roots at most, the last only when it is full. */
export const FRONTIER_DEPTH = 32
const FRONTIER_SIZE_MAX = 2 ** FRONTIER_DEPTH

const rawFrontier = record<{ size: number; nodes: readonly Hex32[] }>({
  size: counter(),
  nodes: listOf(hexBytes<Hex32>(32), FRONTIER_DEPTH + 1),
})

/** The size and only the subtree roots that are set, lowest level first; which ones they are follows from the size. */
export const frontierSchema: Schema<Frontier> = {
  ssz: rawFrontier.ssz,
  toRaw: (value) =>
    rawFrontier.toRaw({ size: value.size, nodes: value.nodes.filter((node) => node !== null) }),
  fromRaw: (raw) => {
    const { size, nodes } = rawFrontier.fromRaw(raw)
    if (size > FRONTIER_SIZE_MAX) throw new DecodeError(`frontier of ${size} leaves`)
    const levels: (Hex32 | null)[] = []
    let next = 0
    for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) {
      levels.push(rest % 2 === 1 ? (nodes[next++] ?? null) : null)
    }
    if (next !== nodes.length) {
      throw new DecodeError(`frontier of ${size} leaves has ${next} subtrees, not ${nodes.length}`)
    }
    return { size, nodes: levels }
  },
}

/** The lists that only grow. Recent blocks and the shielded state are rows of their own. */
export type StateFrontiers = Omit<StateAccumulators, 'recentBlocks' | 'shielded'>

export const stateAccumulatorsSchema: Schema<StateFrontiers> = record<StateFrontiers>({
  nullifiers: frontierSchema,
  verdicts: frontierSchema,
})

export const answerFiguresSchema: Schema<AnswerFigures> = record<AnswerFigures>({
  validationTimeUs: u64,
  consensusLatencyMs: u64,
  throughputPerSecond: f64,
  networkOverheadBytes: u64,
  networkLoad: f64,
})

/**
 * The row of a verdict: what was measured of its making here, and where its record is. What this node's own rules found is
 * a row of its own, written when it judged.
 */
export interface VerdictRow {
  readonly figures: AnswerFigures
  /** In the state's list of verdicts. */
  readonly position: number
  /** Position of the last verdict in the row that holds the record. */
  readonly lastOfRun: number
}

const verdictRowSchema: Schema<VerdictRow> = record<VerdictRow>({
  figures: answerFiguresSchema,
  position: counter(),
  lastOfRun: counter(),
})

const ACCUMULATORS_BYTES_MAX = 2 * 33 * 32 + 256
const VERDICT_ROW_BYTES_MAX = 64

export function encodeStateAccumulators(accumulators: StateFrontiers): Uint8Array {
  return encode(stateAccumulatorsSchema, accumulators)
}

export function decodeStateAccumulators(bytes: Uint8Array): Result<StateFrontiers, 'malformed'> {
  return decode(stateAccumulatorsSchema, bytes, ACCUMULATORS_BYTES_MAX)
}

export function encodeVerdictRow(row: VerdictRow): Uint8Array {
  return encode(verdictRowSchema, row)
}

export function decodeVerdictRow(bytes: Uint8Array): Result<VerdictRow, 'malformed'> {
  return decode(verdictRowSchema, bytes, VERDICT_ROW_BYTES_MAX)
}
