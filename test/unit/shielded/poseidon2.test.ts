/** Poseidon2 against the published answer, its own constants, and a naive version. */
import { describe, expect, it } from 'vitest'
import {
  compressNode,
  compressTagged,
  permute,
  RECORDED_VALUES,
} from '../../../src/shielded/hash/poseidon2.ts'
import {
  FULL_ROUND_CONSTANTS,
  PARTIAL_ROUND_CONSTANTS,
} from '../../../src/shielded/hash/poseidon2-constants.ts'
import { seededElements } from '../../support/shielded/join-splits.ts'
import { GRAIN_CONSTANTS, naivePermute } from '../../support/shielded/naive-poseidon2.ts'

/** Plonky3, `koala-bear/src/poseidon2.rs`: the test of `default_koalabear_poseidon2_16`. */
const KNOWN_INPUT = [
  894848333, 1437655012, 1200606629, 1690012884, 71131202, 1749206695, 1717947831, 120589055, 19776022,
  42382981, 1831865506, 724844064, 171220207, 1299207443, 227047920, 1783754913,
]
const KNOWN_OUTPUT = [
  1934285469, 604889435, 133449501, 1026180808, 1830659359, 176667110, 1391183747, 351743874, 1238264085,
  1292768839, 2023573270, 1201586780, 1360691759, 1230682461, 748270449, 651545025,
]

describe('Poseidon2', () => {
  it('gives the published answer', () => {
    const state = Int32Array.from(KNOWN_INPUT)
    permute(state)
    expect([...state]).toEqual(KNOWN_OUTPUT)
  })

  it('has the constants that the Grain LFSR makes', () => {
    const { first, last } = FULL_ROUND_CONSTANTS
    expect([...first, ...PARTIAL_ROUND_CONSTANTS, ...last]).toEqual(GRAIN_CONSTANTS.map(Number))
  })

  it('is what a naive version is, and records what that does', () => {
    const elements = seededElements(11)
    for (let i = 0; i < 50; i++) {
      const lanes = i === 0 ? new Array<number>(16).fill(2_130_706_432) : elements(16)
      const state = Int32Array.from(lanes)
      const record = new Int32Array(RECORDED_VALUES)
      permute(state, record)
      const { end, recorded } = naivePermute(lanes)
      expect([...state]).toEqual(end)
      expect([...record]).toEqual(recorded)
    }
  })

  it('gives tree nodes and note hashes different lanes of one permutation', () => {
    const lanes = seededElements(12)(16)
    const { end } = naivePermute(lanes)
    const fed = end.map((lane, i) => (lane + (lanes[i] as number)) % 2_130_706_433)
    expect(compressNode(lanes.slice(0, 8), lanes.slice(8))).toEqual(fed.slice(0, 8))
    expect(compressTagged(lanes)).toEqual(fed.slice(8))
  })
})
