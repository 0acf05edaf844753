/** Runs `runNetwork` over fake nodes in a process of its own, so that a test can send it signals. */

import type { NodePorts } from '../../../src/cli/local-network/node-ports.ts'
import { runNetwork } from '../../../src/cli/local-network/run-network.ts'

interface Plan {
  readonly folders: string[]
  readonly ports: NodePorts[]
  readonly commands: [string, ...string[]][]
  readonly isNew: boolean
  readonly untilHeight?: number
}

const plan = JSON.parse(process.argv[2] ?? '') as Plan
process.exit(
  await runNetwork({
    folders: plan.folders,
    ports: plan.ports,
    isNew: plan.isNew,
    command: (index) => plan.commands[index] ?? ['false'],
    ...(plan.untilHeight === undefined ? {} : { untilHeight: plan.untilHeight }),
  }).catch((error: Error) => {
    process.stderr.write(`${error.message}\n`)
    return 1
  }),
)
