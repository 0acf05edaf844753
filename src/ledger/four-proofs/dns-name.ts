/**
 * DNS names as certificates carry them (RFC 1123 §2.1, RFC 5280 §4.2.1.6): letters, digits and hyphens, absolute
 * names without the final dot. Says what is wrong with a name; does not look anything up.
 */

/** RFC 1035 §2.3.4. */
const LABEL_LENGTH_MAX = 63
/** 255 octets on the wire, less the length of the first label and the root's. */
const DNS_NAME_LENGTH_MAX = 253

function labelFault(label: string, position: number): string | null {
  const name = `label ${position + 1}`
  if (label === '') return `${name} is empty`
  if (label.length > LABEL_LENGTH_MAX) {
    return `${name} is ${label.length} characters, the maximum is ${LABEL_LENGTH_MAX}`
  }
  if (!/^[A-Za-z0-9-]+$/.test(label)) return `${name} has a character other than letters, digits and hyphens`
  if (label.startsWith('-') || label.endsWith('-')) return `${name} begins or ends with a hyphen`
  return null
}

/** What is wrong with a DNS name, or with a wildcard one (`*.` in front of a DNS name); null when nothing is. */
export function dnsNameFault(text: string): string | null {
  if (text === '') return 'it is empty'
  if (text.length > DNS_NAME_LENGTH_MAX) {
    return `it is ${text.length} characters, the maximum is ${DNS_NAME_LENGTH_MAX}`
  }
  const labels = (text.startsWith('*.') ? text.slice(2) : text).split('.')
  for (const [position, label] of labels.entries()) {
    const fault = labelFault(label, position)
    if (fault !== null) return fault
  }
  // No top-level domain is a number; what ends in one is a mistyped address (RFC 3696 §2).
  if (/^[0-9]+$/.test(labels.at(-1) ?? '')) return 'its last label is a number'
  return null
}
