/**
 * `npm run torture -- --rounds 20`: kills validators with -9 under load, one, several and all at once, and checks
 * after each blow that nothing is lost. Prints a line per round and one JSON object; exits 1 when anything was wrong,
 * and then leaves the nodes' folders for a look.
 */

import { LocalNetwork } from '../test/support/e2e/local-network.ts'
import { torture } from '../test/support/e2e/torture.ts'
import { countOption, scriptCommand, seedOption } from './script-command.ts'

interface TortureOptions {
  readonly rounds: number
  readonly seed: number
  readonly heartbeatMs: number
  readonly validators: number
}

const options = scriptCommand(
  'torture',
  'Kills validators with -9 under load, and checks that nothing is lost.',
)
  .option('--rounds <n>', 'blows, each to one, several or all of them', countOption, 20)
  .addOption(seedOption('choice of the victims'))
  .option('--heartbeat-ms <n>', 'of the network', countOption, 2_000)
  .option('--validators <n>', 'how many there are', countOption, 4)
  .parse()
  .opts<TortureOptions>()

const { seed, heartbeatMs, validators } = options
const network = await LocalNetwork.start({ validators, parameters: { heartbeatMs } })
process.stderr.write(`seed ${seed}, nodes in ${network.home}\n`)
let isWell = false
try {
  const { rounds, ...report } = await torture(network, options.rounds, seed, (round, i) => {
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
