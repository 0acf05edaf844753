/** A process of a lane: runs the seeds that it is sent, one after the other, and sends back what came of each. */
import { setHasher } from '@chainsafe/persistent-merkle-tree'
import { hasher } from '@chainsafe/persistent-merkle-tree/hasher/as-sha256'
import { mutantNamed } from '../mutants.ts'
import { runSeed, TRANSACTIONS } from '../swarm.ts'
import type { LaneAnswer, LaneTask } from './lane.ts'
import { PLAIN_VARIABLE } from './lane.ts'
import { unchangedFiles } from './loader.ts'

if (process.env[PLAIN_VARIABLE] !== '1') setHasher(hasher)
if (unchangedFiles().length > 0) throw new Error(`nothing loads ${unchangedFiles().join(', ')}`)

process.on('message', async ({ seed, isTraced, like }: LaneTask) => {
  const lines: string[] = []
  const outcome = await runSeed(seed, TRANSACTIONS, {
    ...(mutantNamed(like)?.options?.(seed) ?? {}),
    ...(isTraced ? { onEffect: (line: string) => void lines.push(line) } : {}),
  })
  const answer: LaneAnswer = { outcome, lines }
  process.send?.(answer)
})
process.send?.('ready')
