/** A process of a lane: runs the seeds that it is sent, one after the other, and sends back what came of each. */
import { useNativeHashes } from '../../../src/crypto/native-hashes.ts'
import { mutantNamed } from '../mutants.ts'
import { type Outcome, runSeed, TRANSACTIONS } from '../swarm.ts'
import { ATTACKS, type Attack } from '../verdicts/attacks.ts'
import { type LaneAnswer, type LaneTask, outcomeOf, PLAIN_VARIABLE } from './lane.ts'
import { unchangedFiles } from './loader.ts'

if (process.env[PLAIN_VARIABLE] !== '1') useNativeHashes()
if (unchangedFiles().length > 0) throw new Error(`nothing loads ${unchangedFiles().join(', ')}`)

async function run({ seed, isTraced, like }: LaneTask, lines: string[]): Promise<Outcome> {
  const mutant = mutantNamed(like)
  if (mutant?.attack !== undefined) {
    const attack: Attack = ATTACKS[mutant.attack]
    const { violations, figures = {} } = await attack(seed)
    return { ...outcomeOf(seed, violations), figures }
  }
  return await runSeed(seed, TRANSACTIONS, {
    ...(mutant?.options?.(seed) ?? {}),
    ...(isTraced ? { onEffect: (line: string) => void lines.push(line) } : {}),
  })
}

process.on('message', async (task: LaneTask) => {
  const lines: string[] = []
  const answer: LaneAnswer = { outcome: await run(task, lines), lines }
  process.send?.(answer)
})
process.send?.('ready')
