/**
 * Joins two records of one key into one that is as strict as both: of every kind the newest signature, the highest
 * certificates, all blocks, the highest mark. Refuses two contents in one slot. No I/O.
 */

import { toHex } from '../codec/hex.ts'
import { payloadDigest } from '../crypto/signer.ts'
import { asView, type GenesisHash, type View } from '../types/primitives.ts'
import type { SafetyRecord } from '../types/safety.ts'
import { SafetyFileError } from './safety-interchange.ts'
import { payloadOf, type RecordedMessage, recordedMessages } from './safety-slots.ts'

export interface SafetyState {
  readonly record: SafetyRecord
  readonly refuseUpToView: View
}

/**
 * @param existing what this directory remembers
 * @param imported what the file says
 * @throws SafetyFileError E_SAFETY_CONFLICT (77) when the key has signed two contents for one slot
 */
export function mergeSafety(
  genesisHash: GenesisHash,
  existing: SafetyState,
  imported: SafetyState,
): SafetyState {
  const ours = recordedMessages(existing.record)
  for (const theirs of recordedMessages(imported.record)) {
    const same = ours.find(({ kind }) => kind === theirs.kind)
    if (same !== undefined) refuseConflict(genesisHash, same, theirs)
  }
  const { record: a } = existing
  const { record: b } = imported
  const refuseUpToView = asView(Math.max(existing.refuseUpToView, imported.refuseUpToView))
  // A record of a later epoch supersedes all that earlier epochs left: no view of theirs comes again.
  if (a.epoch !== b.epoch) return { record: a.epoch > b.epoch ? a : b, refuseUpToView }
  const known = new Set(a.blocks.map(toHex))
  return {
    record: {
      ...a,
      proposal: newest(a.proposal, b.proposal),
      prepare: newest(a.prepare, b.prepare),
      preCommit: newest(a.preCommit, b.preCommit),
      timeout: newest(a.timeout, b.timeout),
      highQc: newest(a.highQc, b.highQc),
      highTc: newest(a.highTc, b.highTc),
      blocks: [...a.blocks, ...b.blocks.filter((block) => !known.has(toHex(block)))],
    },
    refuseUpToView,
  }
}

/** Views never repeat across epochs, so the higher view is the newer. Of equals the first is kept. */
function newest<T extends { readonly view: View }>(a: T | null, b: T | null): T | null {
  if (a === null || b === null) return a ?? b
  return b.view > a.view ? b : a
}

function refuseConflict(genesisHash: GenesisHash, a: RecordedMessage, b: RecordedMessage): void {
  const { view } = a
  if (view !== b.view) return
  const digests = [a, b].map((message) => payloadDigest(payloadOf(genesisHash, message)))
  if (Buffer.compare(digests[0] as Uint8Array, digests[1] as Uint8Array) === 0) return
  throw new SafetyFileError(
    'E_SAFETY_CONFLICT',
    `the two records hold a different ${a.kind} for view ${view}`,
    {
      why: 'this key has signed twice already: it was in use in two places',
      fix: 'keep both records as they are, let neither place sign, and retire the key',
      exitCode: 77,
    },
  )
}
