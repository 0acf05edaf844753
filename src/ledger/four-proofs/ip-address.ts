/** IP addresses as Rust's `Ipv4Addr` and `Ipv6Addr` read them: no zone ids, no octal, no brackets, no prefix length. */

/** Longest spelling: six groups of four digits, then a dotted quad. */
const TEXT_LENGTH_MAX = 45
const GROUPS = 8

/** The 32 bits of a dotted quad, or null. Leading zeros are refused: some read them as octal. */
export function parseIpv4(text: string): number | null {
  if (text.length < 7 || text.length > 15) return null
  const parts = text.split('.')
  if (parts.length !== 4) return null
  let bits = 0
  for (const part of parts) {
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(part)) return null
    const octet = Number(part)
    if (octet > 255) return null
    bits = bits * 256 + octet
  }
  return bits
}

/** Groups of one side of `::`, or null. Only the last group of the whole address may be a dotted quad. */
function parseGroups(text: string, mayEndInIpv4: boolean): number[] | null {
  if (text === '') return []
  const parts = text.split(':')
  const groups: number[] = []
  for (const [position, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16))
      continue
    }
    if (!mayEndInIpv4 || position !== parts.length - 1) return null
    const quad = parseIpv4(part)
    if (quad === null) return null
    groups.push(Math.floor(quad / 65_536), quad % 65_536)
  }
  return groups
}

/** The 128 bits of an IPv6 address, or null. */
export function parseIpv6(text: string): bigint | null {
  if (text.length < 2 || text.length > TEXT_LENGTH_MAX) return null
  const halves = text.split('::')
  if (halves.length > 2) return null
  const [head, tail] = halves
  const before = parseGroups(head ?? '', tail === undefined)
  const after = tail === undefined ? [] : parseGroups(tail, true)
  if (before === null || after === null) return null
  const missing = GROUPS - before.length - after.length
  // `::` stands for one group at least (RFC 4291 §2.2, and Rust's reading of it).
  if (tail === undefined ? missing !== 0 : missing < 1) return null
  const groups = [...before, ...new Array<number>(missing).fill(0), ...after]
  return groups.reduce((bits, group) => bits * 65_536n + BigInt(group), 0n)
}
