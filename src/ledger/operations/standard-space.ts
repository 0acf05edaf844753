/**
 * The key space of standard operations. What is here takes and gives a {@link StandardSpace} and nothing else of the
 * state: an operation decided by authority cannot reach trust, validators, keys or verdicts, whatever its key says.
 */
import { unreachable } from '../../types/assert.ts'
import { ok, type Result, refuse } from '../../types/errors.ts'
import {
  RECENT_STANDARD_MAX,
  type RecentStandard,
  STANDARD_ENTRIES_MAX,
  type StandardEntry,
  type StandardKey,
  type StandardOperation,
  type StandardSpace,
} from '../../types/operations.ts'
import type { AccountId, Height, RequestKey } from '../../types/primitives.ts'
import type { OperationRefusal } from './operation-refusals.ts'

/** Blocks after the one that ordered a standard operation that may hold its escalation. */
export const ESCALATION_BLOCKS = 16

/** After the prefix; no slash, so that no key reaches into another prefix. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._:-]*$/

function prefixOf({ kind }: StandardOperation): string {
  switch (kind) {
    case 'network-configuration':
      return 'config/'
    case 'service-deployment':
      return 'service/'
    case 'resource-allocation':
      return 'resource/'
    case 'maintenance-task':
      return 'maintenance/'
    case 'performance-optimization':
      return 'performance/'
    default:
      return unreachable(kind)
  }
}

/** The key that an operation writes; null when its key is none of its kind. Keys of configuration have no prefix. */
export function standardKeyOf(operation: StandardOperation): StandardKey | null {
  const prefix = prefixOf(operation)
  const { key } = operation
  if (operation.kind !== 'network-configuration' && !key.startsWith(prefix)) return null
  const name = operation.kind === 'network-configuration' ? key : key.slice(prefix.length)
  return NAME.test(name) ? (`${prefix}${name}` as StandardKey) : null
}

/** Who ordered what, and where. */
export interface StandardOrder {
  readonly id: RequestKey
  readonly proposer: AccountId
  readonly operation: StandardOperation
  readonly height: Height
}

/** The space with an operation's value in it, or why it cannot have it. */
export function written(space: StandardSpace, order: StandardOrder): Result<StandardSpace, OperationRefusal> {
  const { id, proposer, operation, height } = order
  const key = standardKeyOf(operation)
  if (key === null) {
    return refuse(
      'operation-key',
      `"${operation.key}" is no key of ${operation.kind}: those begin with "${prefixOf(operation)}"`,
    )
  }
  const previous = space.entries.get(key) ?? null
  const next = (previous?.version ?? 0) + 1
  if (operation.version !== next) {
    return refuse('operation-version', `version ${operation.version} of ${key}, the next one is ${next}`)
  }
  if (space.recent.some((recent) => standardKeyOf(recent.operation) === key)) {
    return refuse('operation-key-busy', `the last operation on ${key} may still be escalated`)
  }
  if (previous === null && space.entries.size >= STANDARD_ENTRIES_MAX) {
    return refuse('operation-space-full', `there are ${STANDARD_ENTRIES_MAX} keys already`)
  }
  if (space.recent.length >= RECENT_STANDARD_MAX) {
    return refuse('operation-space-full', `${RECENT_STANDARD_MAX} operations may still be escalated`)
  }
  const entry: StandardEntry = { key, value: operation.value, version: operation.version, id, height }
  const recent: RecentStandard = { id, proposer, operation, height, previous, isSuspended: false }
  return ok({ entries: withEntry(space, entry), recent: [...space.recent, recent] })
}

/** What may be escalated in a block of this height; null when nothing of this id may. */
export function escalatable(
  { recent }: StandardSpace,
  id: RequestKey,
  height: Height,
): RecentStandard | null {
  const found = recent.find((of) => of.id === id)
  return found === undefined || found.isSuspended || height > found.height + ESCALATION_BLOCKS ? null : found
}

/** The space with an operation suspended: its key has the value of before. */
export function suspended(space: StandardSpace, of: RecentStandard): StandardSpace {
  return {
    entries: restored(space, of),
    recent: space.recent.map((recent) => (recent.id === of.id ? { ...recent, isSuspended: true } : recent)),
  }
}

/** The space after full BFT has decided on a suspended operation. @param height of the deciding block */
export function resolved(
  space: StandardSpace,
  id: RequestKey,
  isApproved: boolean,
  height: Height,
): StandardSpace {
  const of = space.recent.find((recent) => recent.id === id)
  const key = of === undefined ? null : standardKeyOf(of.operation)
  if (of === undefined || key === null) return space
  const { version } = of.operation
  // The version is used up either way, so that the certificate is good for nothing more.
  const value = isApproved ? of.operation.value : (of.previous?.value ?? '')
  return {
    entries: withEntry(space, { key, value, version, id, height }),
    recent: space.recent.filter((recent) => recent.id !== id),
  }
}

/** The space without what nobody can escalate any more after a block of this height; the same when there is nothing. */
export function withoutOld(space: StandardSpace, height: Height): StandardSpace {
  const recent = space.recent.filter((of) => of.isSuspended || height < of.height + ESCALATION_BLOCKS)
  return recent.length === space.recent.length ? space : { ...space, recent }
}

function withEntry({ entries }: StandardSpace, entry: StandardEntry): StandardSpace['entries'] {
  return new Map(entries).set(entry.key, entry)
}

function restored(
  { entries }: StandardSpace,
  { previous, operation }: RecentStandard,
): StandardSpace['entries'] {
  const after = new Map(entries)
  const key = standardKeyOf(operation)
  if (previous !== null) after.set(previous.key, previous)
  else if (key !== null) after.delete(key)
  return after
}
