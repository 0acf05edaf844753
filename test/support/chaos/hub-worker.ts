/** Runs inside the hub namespace: carries out the plans that it is handed, and sends back what it finds. */

import { type CampaignPlan, campaign } from './campaign.ts'
import { destroyChaosNetworks } from './chaos-network.ts'
import type { WorkerWord } from './in-hub.ts'

const say = (word: WorkerWord): Promise<void> =>
  new Promise((resolve, reject) => {
    process.send?.(word, (error: Error | null) => (error === null ? resolve() : reject(error)))
  })

const stop = (): void => void destroyChaosNetworks().finally(() => process.exit(1))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
process.once('disconnect', stop)

for (const plan of JSON.parse(process.argv[2] ?? '[]') as CampaignPlan[]) {
  const report = await campaign(plan, (trial) => void say({ kind: 'trial', trial }))
  await say({ kind: 'report', report })
}
process.exit(0)
