/** From proof-of-work event to log line: one exhaustive switch, and the only listener. */
import type { PowEvent } from '../consensus/pow/event.ts'
import { unreachable } from '../types/assert.ts'
import type { Logger } from '../types/logger.ts'

export function observePow(event: PowEvent, logger: Logger): void {
  switch (event.kind) {
    case 'tip-changed': {
      const { kind: _, work, ...facts } = event
      logger.info({ ...facts, work: `${work}` }, 'heaviest chain changed')
      return
    }
    case 'fork-too-deep':
      logger.error(
        { sealHash: event.sealHash, settledHeight: event.settledHeight },
        'a chain forks below what is settled here and is not followed: compare with other operators which chain is right',
      )
      return
    case 'provisional-dropped':
      logger.info({ blocks: event.blocks }, 'provisional blocks dropped: there is a quorum again')
      return
    case 'block-refused':
      logger.debug({ sealHash: event.sealHash, code: event.code }, 'mined block refused')
      return
    case 'block-taken':
    case 'block-waits':
    case 'block-ignored':
      logger.debug(event, 'mined block')
      return
    default:
      unreachable(event)
  }
}
