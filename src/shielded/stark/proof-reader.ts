/** Reads a proof that came from anywhere: only canonical elements, nothing missing, nothing left over. */
import { QUINTIC_BYTES, readElements } from '../field/element-bytes.ts'
import { QUINTIC_DEGREE, type Quintic, quinticFrom } from '../field/quintic.ts'
import { SHA256_BYTES } from '../hash/sha256.ts'

/** Why a proof is refused. */
export type ProofRefusal =
  | 'proof-too-long'
  | 'proof-version'
  | 'proof-truncated'
  | 'proof-trailing-bytes'
  | 'element-not-canonical'
  | 'challenge-in-base-field'
  | 'constraints'
  | 'grinding'
  | 'trace-opening'
  | 'quotient-opening'
  | 'fri-opening'
  | 'fri-value'
  | 'fri-final'

/** Thrown inside the verifier alone, which makes a refusal of it. */
export class ProofRefused extends Error {
  readonly code: ProofRefusal

  constructor(code: ProofRefusal, detail: string) {
    super(detail)
    this.name = 'ProofRefused'
    this.code = code
  }
}

/** Elements of as many bytes as there are. */
export function canonicalElements(bytes: Uint8Array): Int32Array {
  const elements = readElements(bytes)
  if (elements === null) throw new ProofRefused('element-not-canonical', 'an element is not below P')
  return elements
}

export class ProofReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  take(count: number): Uint8Array {
    const end = this.#at + count
    if (end > this.#bytes.length) {
      throw new ProofRefused('proof-truncated', `${this.#bytes.length} bytes, at least ${end} are needed`)
    }
    const taken = this.#bytes.subarray(this.#at, end)
    this.#at = end
    return taken
  }

  hash(): Uint8Array {
    return this.take(SHA256_BYTES)
  }

  u8(): number {
    return this.take(1)[0] as number
  }

  u32(): number {
    const bytes = this.take(4)
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true)
  }

  quintics(count: number): Quintic[] {
    return toQuintics(canonicalElements(this.take(QUINTIC_BYTES * count)))
  }

  end(): void {
    const left = this.#bytes.length - this.#at
    if (left > 0) throw new ProofRefused('proof-trailing-bytes', `${left} bytes after the end of the proof`)
  }
}

/** Elements of the extension, five of the prime field each. */
export function toQuintics(elements: Int32Array): Quintic[] {
  const quintics: Quintic[] = []
  for (let at = 0; at < elements.length; at += QUINTIC_DEGREE) quintics.push(quinticFrom(elements, at))
  return quintics
}
