/** The rules about a request as a whole: names, addresses, ids, tolerance, its own time, and its id's first use. */
import type { RequestKey } from '../../types/primitives.ts'
import type { CertificateValidationRequest, SecondsNanos } from '../../types/validation-request.ts'
import { dnsNameFault } from './dns-name.ts'
import { parseIpv4, parseIpv6 } from './ip-address.ts'
import { nanosecondsOf, requireWithin, WINDOW_MAX_NS } from './moments.ts'
import { quoted } from './reason-text.ts'
import type { RuleFailures } from './rule-failures.ts'

/** Ids and `request_id` (spec/four-proofs.md, outer). */
export const ID_BYTES_MAX = 512
const SAN_ENTRIES_MAX = 100
/** The most that any Byzantine agreement tolerates. */
const TOLERANCE_MAX = 1 / 3

/**
 * Rules of the row "outer" in spec/four-proofs.md, and that its id was not used for another payload. Whether the requester
 * is barred is requester.ts's.
 * @param keyOfId the request that first used this request's id, or null
 */
export function checkCertificateRequest(
  request: CertificateValidationRequest,
  requestKey: RequestKey,
  keyOfId: RequestKey | null,
  blockNs: bigint,
  failures: RuleFailures,
): void {
  const { certificateRequest, validationContext } = request
  failures.requireText('request_id', request.requestId, ID_BYTES_MAX)
  if (keyOfId !== null && keyOfId !== requestKey) {
    failures.add(
      `request_id reused: ${quoted(request.requestId)} belongs to request ${keyOfId} with another payload`,
    )
  }
  checkNames(certificateRequest.commonName, certificateRequest.sanEntries, failures)
  failures.requireText('certificate_request.node_id', certificateRequest.nodeId, ID_BYTES_MAX)
  checkAddresses(certificateRequest.ipv6Addresses, failures)
  checkTolerance(request.consensusRequirements.byzantineTolerance, failures)
  failures.requireText('validation_context.ca_id', validationContext.caId, ID_BYTES_MAX)
  failures.requireText('validation_context.network_id', validationContext.networkId, ID_BYTES_MAX)
  checkRequestTime(request.timestamp, blockNs, failures)
}

/** Rule: the request's own timestamp is near the block's, either way. */
export function checkRequestTime(timestamp: SecondsNanos, blockNs: bigint, failures: RuleFailures): void {
  requireWithin(failures, 'timestamp', nanosecondsOf(timestamp), blockNs, WINDOW_MAX_NS)
}

function checkNames(commonName: string, sanEntries: readonly string[], failures: RuleFailures): void {
  const commonNameFault = dnsNameFault(commonName)
  if (commonNameFault !== null) {
    failures.add(`common_name ${quoted(commonName)} is not a DNS name: ${commonNameFault}`)
  }
  if (sanEntries.length > SAN_ENTRIES_MAX) {
    failures.add(`san_entries has ${sanEntries.length} entries, the maximum is ${SAN_ENTRIES_MAX}`)
  }
  failures.requireEach('san_entries', sanEntries, (entry) => {
    // An address first: a dotted quad would also be a row of labels.
    const address = parseIpv4(entry) ?? parseIpv6(entry)
    if (address !== null) return Number(address) === 0 ? `${quoted(entry)} is the unspecified address` : null
    const fault = dnsNameFault(entry)
    return fault === null ? null : `${quoted(entry)} is neither a DNS name nor an IP address: ${fault}`
  })
}

function checkAddresses(addresses: readonly string[], failures: RuleFailures): void {
  const firstUse = new Map<bigint, number>()
  failures.requireEach('ipv6_addresses', addresses, (entry, index) => {
    const address = parseIpv6(entry)
    if (address === null) return `${quoted(entry)} is not an IPv6 address`
    if (address === 0n) return `${quoted(entry)} is the unspecified address`
    const first = firstUse.get(address)
    if (first !== undefined) return `${quoted(entry)} is the same address as entry ${first}`
    firstUse.set(address, index)
    return null
  })
}

function checkTolerance(tolerance: number, failures: RuleFailures): void {
  if (!(tolerance >= 0 && tolerance < 1)) {
    failures.add(`byzantine_tolerance ${tolerance} is not in [0, 1)`)
  } else if (tolerance > TOLERANCE_MAX) {
    failures.add(`byzantine_tolerance ${tolerance} is above the maximum 1/3`)
  }
}
