/**
 * A peer id as one label of a DNS name: libp2p's CID of it in base36, which has one case and fits into 63 characters
 * (libp2p specs, peer-ids: "encoded as a CID"; RFC 1035 2.3.4).
 */
import { peerIdFromString } from '@libp2p/peer-id'

/** Multibase's letter for base36 in lower case. */
const BASE36 = 'k'
const LABEL = /^k[0-9a-z]{40,62}$/

/** @param peerId in any of libp2p's spellings */
export function peerLabel(peerId: string): string {
  const { bytes } = peerIdFromString(peerId).toCID()
  // A CID begins with its version, 1: no leading zero is lost.
  return BASE36 + BigInt(`0x${Buffer.from(bytes).toString('hex')}`).toString(36)
}

/** @returns the peer id in base58; null for what is no such label */
export function peerIdOfLabel(label: string): string | null {
  const lower = label.toLowerCase()
  if (!LABEL.test(lower)) return null
  try {
    return peerIdFromString(lower).toString()
  } catch {
    return null
  }
}
