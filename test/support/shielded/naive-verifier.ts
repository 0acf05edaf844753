/**
 * A second verifier, written from src/shielded/README.md alone, in BigInt and without haste. It shares no code with the
 * first: where the two disagree, one of them or the text is wrong.
 */
import { createHash } from 'node:crypto'
import { naiveConstraints, SELECTOR_ROWS } from './naive-constraints.ts'
import {
  type Ext,
  extAdd,
  extEqual,
  extFrom,
  extInv,
  extMul,
  extOne,
  extPow,
  extScale,
  extSub,
  extZero,
  inv,
  PRIME,
  pow,
  root,
} from './naive-field.ts'

const BYTES_MAX = 90_365
const COLUMNS = 223
const DOMAIN_BITS = 13
const QUERIES = 40

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

const tagged = (tag: string, ...parts: readonly Uint8Array[]): Buffer =>
  sha256(
    Buffer.from([tag.length]),
    Buffer.from(tag, 'ascii'),
    u32(parts.length),
    ...parts.flatMap((part) => [u32(part.length), part]),
  )

/** Ends the verification; the message is the code of the refusal. */
class Refused extends Error {}

const refuseUnless = (condition: boolean, code: string): void => {
  if (!condition) throw new Refused(code)
}

class Reader {
  at = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  bytes(count: number): Buffer {
    refuseUnless(this.at + count <= this.#bytes.length, 'proof-truncated')
    this.at += count
    return Buffer.from(this.#bytes.slice(this.at - count, this.at))
  }

  atEnd(): boolean {
    return this.at === this.#bytes.length
  }
}

function elementsOf(bytes: Buffer): bigint[] {
  const elements: bigint[] = []
  for (let at = 0; at < bytes.length; at += 4) elements.push(BigInt(bytes.readUInt32LE(at)))
  refuseUnless(
    elements.every((element) => element < PRIME),
    'element-not-canonical',
  )
  return elements
}

function extsOf(bytes: Buffer): Ext[] {
  const elements = elementsOf(bytes)
  return Array.from({ length: elements.length / 5 }, (_, i) => elements.slice(5 * i, 5 * i + 5))
}

class Challenges {
  #state: Buffer = tagged('hypermesh/shielded/transcript/v1')
  #block = 0
  #words: number[] = []

  get state(): Buffer {
    return this.#state
  }

  absorb(label: string, bytes: Uint8Array): void {
    this.#state = tagged(`hypermesh/shielded/${label}/v1`, this.#state, bytes)
    this.#block = 0
    this.#words = []
  }

  #u32(): number {
    if (this.#words.length === 0) {
      const block = tagged('hypermesh/shielded/challenge/v1', this.#state, u32(this.#block++))
      for (let at = 0; at < 32; at += 4) this.#words.push(block.readUInt32LE(at))
    }
    return this.#words.shift() as number
  }

  #element(): bigint {
    for (;;) {
      const element = BigInt(this.#u32()) % 2n ** 31n
      if (element < PRIME) return element
    }
  }

  ext(): Ext {
    return [this.#element(), this.#element(), this.#element(), this.#element(), this.#element()]
  }

  places(): number[] {
    const drawn = Array.from({ length: QUERIES }, () => this.#u32() % 2 ** DOMAIN_BITS)
    return rising(drawn)
  }
}

const rising = (places: readonly number[]): number[] => [...new Set(places)].sort((a, b) => a - b)
const leafHash = (bytes: Uint8Array): Buffer => sha256(Buffer.from([0]), bytes)
const nodeHash = (left: Uint8Array, right: Uint8Array): Buffer => sha256(Buffer.from([1]), left, right)

/** Reads the siblings and computes the root, from a map of known nodes. */
function openedRoot(reader: Reader, depth: number, leaves: ReadonlyMap<number, Buffer>): Buffer {
  let known = new Map([...leaves].map(([place, bytes]) => [place, leafHash(bytes)]))
  for (let level = 0; level < depth; level++) {
    for (const place of rising([...known.keys()])) {
      if (!known.has(place ^ 1)) known.set(place ^ 1, reader.bytes(32))
    }
    const above = new Map<number, Buffer>()
    for (const place of known.keys()) {
      const left = place - (place % 2)
      above.set(left / 2, nodeHash(known.get(left) as Buffer, known.get(left + 1) as Buffer))
    }
    known = above
  }
  return known.get(0) as Buffer
}

/** Every selector at z, by Lagrange interpolation over the rows. */
function selectorsAt(z: Ext): Record<string, Ext> {
  const w = root(7)
  const vanishing = extSub(extPow(z, 128n), extOne)
  const lagrange = Array.from({ length: 128 }, (_, row) => {
    const point = pow(w, BigInt(row))
    const factor = extMul(vanishing, extInv(extSub(z, extFrom(point))))
    return extScale(factor, point * inv(128n))
  })
  return Object.fromEntries(
    Object.entries(SELECTOR_ROWS).map(([name, cells]) => [
      name,
      [...cells].reduce((sum, [row, value]) => extAdd(sum, extScale(lagrange[row] as Ext, value)), extZero),
    ]),
  )
}

/** Σ β^t f_t(x^8), by solving for the f_t: f_t(x^8) = Σ_k f(x ζ^k) (x ζ^k)^-t / 8. */
function folded(values: readonly Ext[], x: bigint, beta: Ext): Ext {
  const zeta = root(3)
  let sum = extZero
  for (let t = 0; t < 8; t++) {
    let part = extZero
    for (const [k, value] of values.entries()) {
      part = extAdd(part, extScale(value, pow(inv(x * pow(zeta, BigInt(k))), BigInt(t)) * inv(8n)))
    }
    sum = extAdd(sum, extMul(part, extPow(beta, BigInt(t))))
  }
  return sum
}

/** Σ base^(exponent + j) values_j */
const weightedExts = (values: readonly Ext[], base: Ext, exponent: number): Ext =>
  extMul(
    values.reduceRight((sum, value) => extAdd(extMul(sum, base), value), extZero),
    extPow(base, BigInt(exponent)),
  )

/** The second matrix's coordinates as five elements of the extension: q_0 … q_3 and R. */
const grouped = (row: readonly bigint[]): Ext[] =>
  Array.from({ length: 5 }, (_, i) => row.slice(5 * i, 5 * i + 5))

/** What the verifier is given. */
export interface NaiveStatement {
  /** 52 elements. */
  readonly elements: readonly number[]
  readonly binding: Uint8Array
  /** Hash of the constraints' program, as the text has it. */
  readonly airHash: Uint8Array
}

/** `ok`, or the code of the refusal. */
export function naiveVerify(statement: NaiveStatement, proof: Uint8Array): string {
  try {
    check(statement, proof)
    return 'ok'
  } catch (error) {
    if (error instanceof Refused) return error.message
    throw error
  }
}

function check(statement: NaiveStatement, proof: Uint8Array): void {
  refuseUnless(proof.length <= BYTES_MAX, 'proof-too-long')
  const reader = new Reader(proof)
  refuseUnless(reader.bytes(1)[0] === 1, 'proof-version')
  const challenges = new Challenges()
  challenges.absorb('parameters', Buffer.concat([5, 40, 16, 4, 160, 3, 4].map(u32)))
  challenges.absorb('air', statement.airHash)
  challenges.absorb('public-inputs', Buffer.concat(statement.elements.map(u32)))
  challenges.absorb('binding', statement.binding)
  const traceRoot = reader.bytes(32)
  challenges.absorb('trace-root', traceRoot)
  const alpha = challenges.ext()
  const quotientRoot = reader.bytes(32)
  challenges.absorb('quotient-root', quotientRoot)
  const z = challenges.ext()
  refuseUnless(!extEqual(z, extFrom(z[0] as bigint)), 'challenge-in-base-field')
  const [now, next, chunks] = [COLUMNS, COLUMNS, 4].map((count) => reader.bytes(20 * count)) as [
    Buffer,
    Buffer,
    Buffer,
  ]
  const [atZ, atNext, atChunks] = [extsOf(now), extsOf(next), extsOf(chunks)]
  challenges.absorb('openings', Buffer.concat([now, next, chunks]))
  const constraints = naiveConstraints({
    now: atZ,
    next: atNext,
    selectors: selectorsAt(z),
    publicInputs: statement.elements.map(BigInt),
  })
  const composed = constraints.reduce(
    (sum, value, k) => extAdd(sum, extMul(value, extPow(alpha, BigInt(k)))),
    extZero,
  )
  const quotient = atChunks.reduce(
    (sum, value, i) => extAdd(sum, extMul(value, extPow(z, BigInt(160 * i)))),
    extZero,
  )
  refuseUnless(extEqual(composed, extMul(quotient, extSub(extPow(z, 128n), extOne))), 'constraints')
  const lambda = challenges.ext()
  const friRoots: Buffer[] = []
  const betas: Ext[] = []
  for (let layer = 0; layer < 2; layer++) {
    friRoots.push(reader.bytes(32))
    challenges.absorb('fri-root', friRoots[layer] as Buffer)
    betas.push(challenges.ext())
  }
  const finalBytes = reader.bytes(80)
  const final = extsOf(finalBytes)
  challenges.absorb('final-polynomial', finalBytes)
  const nonce = reader.bytes(4)
  refuseUnless(sha256(Buffer.from([2]), challenges.state, nonce).readUInt16BE() === 0, 'grinding')
  challenges.absorb('nonce', nonce)
  const places = challenges.places()
  const matrix = (width: number, expected: Buffer, code: string): Map<number, bigint[]> => {
    const leaves = new Map<number, Buffer>()
    const rows = new Map<number, bigint[]>()
    for (const place of places) {
      const bytes = reader.bytes(16 + 4 * width)
      rows.set(place, elementsOf(bytes.subarray(16)))
      leaves.set(place, bytes)
    }
    refuseUnless(openedRoot(reader, DOMAIN_BITS, leaves).equals(expected), code)
    return rows
  }
  const traceRows = matrix(COLUMNS, traceRoot, 'trace-opening')
  const quotientRows = matrix(25, quotientRoot, 'quotient-opening')
  const zNext = extScale(z, root(7))
  let values = new Map<number, Ext>()
  for (const place of places) {
    const x = extFrom(3n * pow(root(DOMAIN_BITS), BigInt(place)))
    const columns = (traceRows.get(place) as bigint[]).map(extFrom)
    const [q0, q1, q2, q3, mask] = grouped(quotientRows.get(place) as bigint[]) as [Ext, Ext, Ext, Ext, Ext]
    const differences = (claimed: readonly Ext[], values_: readonly Ext[]): Ext[] =>
      values_.map((value, i) => extSub(value, claimed[i] as Ext))
    const fromZ = extInv(extSub(x, z))
    const fromNext = extInv(extSub(x, zNext))
    values.set(
      place,
      [
        mask,
        extMul(weightedExts(differences(atZ, columns), lambda, 1), fromZ),
        extMul(weightedExts(differences(atNext, columns), lambda, 224), fromNext),
        extMul(weightedExts(differences(atChunks, [q0, q1, q2, q3]), lambda, 447), fromZ),
      ].reduce(extAdd),
    )
  }
  let bits = DOMAIN_BITS
  let shift = 3n
  for (let layer = 0; layer < 2; layer++) {
    const count = 2 ** (bits - 3)
    const leaves = new Map<number, Buffer>()
    for (const place of rising([...values.keys()].map((i) => i % count))) leaves.set(place, reader.bytes(160))
    const groups = new Map([...leaves].map(([place, bytes]) => [place, extsOf(bytes)]))
    refuseUnless(openedRoot(reader, bits - 3, leaves).equals(friRoots[layer] as Buffer), 'fri-opening')
    for (const [place, value] of values) {
      const group = groups.get(place % count) as Ext[]
      refuseUnless(extEqual(group[Math.floor(place / count)] as Ext, value), 'fri-value')
    }
    values = new Map(
      [...groups].map(([place, group]) => [
        place,
        folded(group, shift * pow(root(bits), BigInt(place)), betas[layer] as Ext),
      ]),
    )
    bits -= 3
    shift = pow(shift, 8n)
  }
  for (const [place, value] of values) {
    const x = shift * pow(root(bits), BigInt(place))
    const expected = final.reduce((sum, c, i) => extAdd(sum, extScale(c, pow(x, BigInt(i)))), extZero)
    refuseUnless(extEqual(value, expected), 'fri-final')
  }
  refuseUnless(reader.atEnd(), 'proof-trailing-bytes')
}
