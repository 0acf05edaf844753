/** An SSZ byte list whose value is what its bytes stand for, so that records that hold it need not be built twice. */
import { ByteList, type Views } from './ssz-types.ts'

/** How a value becomes bytes, and bytes a value. */
export interface Packing<T> {
  readonly empty: T
  readonly sizeOf: (value: T) => number
  readonly pack: (value: T) => Uint8Array
  /** Throws `DecodeError` where no value has these bytes. */
  readonly unpack: (bytes: Uint8Array) => T
}

export class PackedType<T> extends ByteList {
  readonly #packing: Packing<T>

  constructor(limitBytes: number, packing: Packing<T>) {
    super(limitBytes)
    this.#packing = packing
  }

  override defaultValue(): T {
    return this.#packing.empty
  }

  override value_serializedSize(value: T): number {
    return this.#packing.sizeOf(value)
  }

  override value_serializeToBytes(output: Views, offset: number, value: T): number {
    const bytes = this.#packing.pack(value)
    output.uint8Array.set(bytes, offset)
    return offset + bytes.length
  }

  override value_deserializeFromBytes(data: Views, start: number, end: number): T {
    return this.#packing.unpack(super.value_deserializeFromBytes(data, start, end, true))
  }

  override hashTreeRootInto(value: T, output: Uint8Array, offset: number): void {
    super.hashTreeRootInto(this.#packing.pack(value), output, offset)
  }
}
