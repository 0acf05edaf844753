/** Columns extended to the whole domain and committed to row by row, every row with a salt of its own. */
import { ELEMENT_BYTES, writeElements } from '../field/element-bytes.ts'
import { multiply, rootOfUnity } from '../field/koala-bear.ts'
import { reversedOrder, transformReversed } from '../field/ntt.ts'
import type { RandomElements } from '../hash/random-elements.ts'
import { hashLeaf, MerkleTree } from './merkle-tree.ts'
import { DOMAIN_SHIFT, type ProofShape, SALT_BYTES } from './parameters.ts'

/** Bytes of a row as it is opened: salt, then the elements. */
export function rowBytes(width: number): number {
  return SALT_BYTES + ELEMENT_BYTES * width
}

/**
 * The values of polynomials on the whole domain, row by row. The domain is taken apart into cosets of as many points as
 * there are coefficients: point k * blowup + j of the domain is point k of coset j.
 */
export function extendColumns(shape: ProofShape, columns: readonly Int32Array[]): Int32Array {
  const { coefficients, degreeBits, domain } = shape
  const width = columns.length
  const blowup = domain / coefficients
  const values = new Int32Array(domain * width)
  const order = reversedOrder(degreeBits)
  const step = rootOfUnity(shape.domainBits)
  const shifts = new Int32Array(coefficients)
  const coset = new Int32Array(coefficients)
  let shift = DOMAIN_SHIFT
  for (let j = 0; j < blowup; j++) {
    let factor = 1
    for (let k = 0; k < coefficients; k++) {
      shifts[k] = factor
      factor = multiply(factor, shift)
    }
    for (const [c, column] of columns.entries()) {
      for (let k = 0; k < coefficients; k++) {
        coset[k] = multiply(column[k] as number, shifts[k] as number)
      }
      transformReversed(coset, degreeBits)
      for (let k = 0, at = j * width + c; k < coefficients; k++, at += blowup * width) {
        values[at] = coset[order[k] as number] as number
      }
    }
    shift = multiply(shift, step)
  }
  return values
}

export class CommittedMatrix {
  readonly width: number
  /** Row by row. */
  readonly values: Int32Array
  readonly tree: MerkleTree
  readonly #salts: Uint8Array

  /** @param columns by coefficients */
  constructor(shape: ProofShape, columns: readonly Int32Array[], random: RandomElements) {
    this.width = columns.length
    this.values = extendColumns(shape, columns)
    this.#salts = random.bytes(SALT_BYTES * shape.domain)
    const bytes = new Uint8Array(rowBytes(this.width))
    this.tree = new MerkleTree(shape.domain, (row) => {
      this.#write(row, bytes)
      return hashLeaf(bytes)
    })
  }

  #write(row: number, bytes: Uint8Array): void {
    bytes.set(this.#salts.subarray(SALT_BYTES * row, SALT_BYTES * (row + 1)))
    writeElements(bytes, SALT_BYTES, this.values, row * this.width, this.width)
  }

  /** The bytes of a row: what its leaf is the hash of. */
  open(row: number): Uint8Array {
    const bytes = new Uint8Array(rowBytes(this.width))
    this.#write(row, bytes)
    return bytes
  }
}
