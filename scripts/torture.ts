/**
 * `npm run torture -- --rounds 20`: kills validators with -9 under load, one, several and all at once, and checks
 * after each blow that nothing is lost. Prints a line per round and one JSON object; exits 1 when anything was wrong,
 * and then leaves the nodes' folders for a look.
 */

import { LocalNetwork } from '../test/support/e2e/local-network.ts'
import { torture } from '../test/support/e2e/torture.ts'
import { scriptOptions } from './script-options.ts'

const USAGE = `npm run torture -- [--rounds N] [--seed N] [--heartbeat-ms N] [--validators N]

  --rounds N        blows, each to one, several or all of them (default 20)
  --seed N          choice of the victims (default: from the clock; it is in the report)
  --heartbeat-ms N  of the network (default 2000)
  --validators N    how many there are (default 4)
`

const { wholeNumber } = scriptOptions(USAGE, {
  rounds: { type: 'string', default: '20' },
  seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  'heartbeat-ms': { type: 'string', default: '2000' },
  validators: { type: 'string', default: '4' },
})

const seed = wholeNumber('seed') ?? 0
const roundCount = wholeNumber('rounds') ?? 0
const network = await LocalNetwork.start({
  validators: wholeNumber('validators') ?? 0,
  parameters: { heartbeatMs: wholeNumber('heartbeat-ms') ?? 0 },
})
process.stderr.write(`seed ${seed}, nodes in ${network.home}\n`)
let isWell = false
try {
  const { rounds, ...report } = await torture(network, roundCount, seed, (round, i) => {
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
