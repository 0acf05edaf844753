/**
 * Gives this process bad habits: everything that its consensus channel is asked to send goes through them. The node
 * around it is the real one and knows nothing of it; the program has no such switch, here its class is bent.
 */

import { decodeMessage, encodeMessage } from '../../../src/codec/messages.ts'
import { ConsensusChannel } from '../../../src/network/consensus-channel.ts'
import type { ConsensusMessage } from '../../../src/types/messages.ts'
import type { ValidatorId } from '../../../src/types/primitives.ts'
import { bend, type Habit, type Key } from './habits.ts'

/**
 * @param others all validators but this one, in the order of the set
 * @param told called for each message that was changed, doubled or withheld
 */
export function misbehave(
  habits: ReadonlySet<Habit>,
  key: Key,
  others: readonly ValidatorId[],
  told: (kind: string, view: number) => void,
): void {
  const { broadcast, send } = ConsensusChannel.prototype
  const bent = (bytes: Uint8Array) => {
    const decoded = decodeMessage(bytes)
    if (!decoded.ok) throw new Error(`our own message does not decode: ${decoded.detail}`)
    const leaving = bend(decoded.value, habits, key)
    const isHonest = leaving.length === 1 && leaving[0]?.message === decoded.value
    if (!isHonest) told(decoded.value.kind, viewOf(decoded.value))
    return { leaving, isHonest }
  }
  ConsensusChannel.prototype.broadcast = function (bytes, options) {
    const { leaving, isHonest } = bent(bytes)
    if (isHonest) return broadcast.call(this, bytes, options)
    for (const { to, message } of leaving) {
      const encoded = encodeMessage(message)
      if (to === 'all') broadcast.call(this, encoded, options)
      else for (const id of half(others, to)) send.call(this, id, encoded, options)
    }
  }
  ConsensusChannel.prototype.send = function (to, bytes, options) {
    const { leaving, isHonest } = bent(bytes)
    if (isHonest) return send.call(this, to, bytes, options)
    const forThem = leaving.filter((entry) => entry.to === 'all' || half(others, entry.to).includes(to))
    for (const { message } of forThem) send.call(this, to, encodeMessage(message), options)
    return forThem.length > 0
  }
}

/** The view that a message is of; 0 for one of none. */
function viewOf(message: ConsensusMessage): number {
  if (message.kind === 'proposal') return message.block.header.view
  return 'view' in message ? message.view : 0
}

function half(others: readonly ValidatorId[], which: 'even' | 'odd'): ValidatorId[] {
  return others.filter((_, i) => (i % 2 === 0) === (which === 'even'))
}
