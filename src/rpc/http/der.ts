/** Just enough DER (X.690) to write an X.509 certificate. Writes only. */

/** One tag, its length, and its content. */
export function tlv(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const length = content.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([Uint8Array.of(tag), lengthBytes(length), ...content])
}

function lengthBytes(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length)
  const bytes: number[] = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Uint8Array.of(0x80 | bytes.length, ...bytes)
}

export const sequence = (...content: readonly Uint8Array[]): Uint8Array => tlv(0x30, ...content)
export const set = (...content: readonly Uint8Array[]): Uint8Array => tlv(0x31, ...content)
export const octets = (content: Uint8Array): Uint8Array => tlv(0x04, content)
export const utf8 = (text: string): Uint8Array => tlv(0x0c, Buffer.from(text))
/** A bit string of whole bytes, or with `unused` bits at the end. */
export const bits = (content: Uint8Array, unused = 0): Uint8Array => tlv(0x03, Uint8Array.of(unused), content)
/** An integer ≥ 0; a leading one bit gets a zero byte in front. */
export function integer(bytes: Uint8Array): Uint8Array {
  return (bytes[0] ?? 0) >= 0x80 ? tlv(0x02, Uint8Array.of(0), bytes) : tlv(0x02, bytes)
}

/** UTCTime before 2050, GeneralizedTime from then on (RFC 5280 section 4.1.2.5). */
export function time(unixMs: number): Uint8Array {
  const digits = new Date(unixMs).toISOString().slice(0, 19).replace(/[-:T]/g, '')
  return Number(digits.slice(0, 4)) < 2050
    ? tlv(0x17, Buffer.from(`${digits.slice(2)}Z`))
    : tlv(0x18, Buffer.from(`${digits}Z`))
}

/** An object identifier in dotted form. */
export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tlv(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]))
}

function base128(value: number): number[] {
  const digits = [value % 128]
  for (let high = Math.floor(value / 128); high > 0; high = Math.floor(high / 128)) {
    digits.unshift(0x80 | (high % 128))
  }
  return digits
}
