/**
 * `npm run torture -- --rounds 20`: kills validators with -9 under load, one, several and all at once, and checks
 * after each blow that nothing is lost. Prints a line per round and one JSON object; exits 1 when anything was wrong,
 * and then leaves the nodes' folders for a look.
 */

import { parseArgs } from 'node:util'
import { LocalNetwork } from '../test/support/e2e/local-network.ts'
import { torture } from '../test/support/e2e/torture.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    'heartbeat-ms': { type: 'string', default: '2000' },
    validators: { type: 'string', default: '4' },
  },
})

const seed = Number(values.seed)
const network = await LocalNetwork.start({
  validators: Number(values.validators),
  parameters: { heartbeatMs: Number(values['heartbeat-ms']) },
})
process.stderr.write(`seed ${seed}, nodes in ${network.home}\n`)
let isWell = false
try {
  const { rounds, ...report } = await torture(network, Number(values.rounds), seed, (round, i) => {
    const { killed, struckAgain, recoveryMs, height, answered, problems } = round
    const again = struckAgain.length === 0 ? '' : `, again ${struckAgain.join(' ')}`
    process.stderr.write(
      `round ${i + 1}: killed ${killed.join(' ')}${again}; ready after ${recoveryMs} ms, height ${height}, ` +
        `${answered} verdicts, ${problems.length} problems\n`,
    )
  })
  isWell = report.problems.length === 0
  const recoveryMs = rounds.map((round) => round.recoveryMs).sort((a, b) => a - b)
  const summary = { seed, rounds: rounds.length, recoveryMsMax: recoveryMs.at(-1), ...report }
  process.stdout.write(`${JSON.stringify(summary, null, 2)}\n`)
} finally {
  if (isWell) await network.destroy()
  else await network.end()
}
process.exit(isWell ? 0 : 1)
