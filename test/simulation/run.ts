/**
 * Runs seeds of the swarm from the command line: `node test/simulation/run.ts 515` repeats one exactly, and
 * `node test/simulation/run.ts 1000 2000` runs a range. Prints what failed and how fast it went.
 */
import { runSeed, TRANSACTIONS } from './swarm.ts'

const [first = 0, end = first + 1] = process.argv.slice(2).map(Number)
const startedAt = performance.now()
let failed = 0
for (let seed = first; seed < end; seed++) {
  const { violations, heights, effects, simulatedMs, trace } = await runSeed(seed, TRANSACTIONS)
  if (violations.length > 0) failed++
  if (violations.length === 0 && end - first > 20) continue
  process.stdout.write(
    `seed ${seed}: heights ${heights}, ${effects} effects, ${Math.round(simulatedMs)} ms, ${trace.slice(0, 16)}\n`,
  )
  for (const violation of violations) process.stdout.write(`  ${violation}\n`)
}
const seconds = (performance.now() - startedAt) / 1_000
process.stdout.write(
  `${end - first} seeds, ${failed} failed, ${((end - first) / seconds).toFixed(1)} seeds/s\n`,
)
process.exitCode = failed > 0 ? 1 : 0
