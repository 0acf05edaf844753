/**
 * Campaigns inside the hub namespace, where the nodes can be asked: in a process of its own, which is handed the
 * plans and sends back what it finds. The namespaces are made before it and removed after it, however it ends.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import type { CampaignPlan, CampaignReport } from './campaign.ts'
import { inNamespace, makeNamespaces, type Namespaces, removeNamespaces } from './namespaces.ts'
import type { Trial } from './trial.ts'

const WORKER = join(import.meta.dirname, 'hub-worker.ts')

/** What the worker says. */
export type WorkerWord =
  | { readonly kind: 'trial'; readonly trial: Trial }
  | { readonly kind: 'report'; readonly report: CampaignReport }

/** @throws Error when the namespaces cannot be made, or the worker ended before its last report */
export async function inHub(
  namespaces: Namespaces,
  plans: readonly CampaignPlan[],
  told: (trial: Trial) => void,
): Promise<CampaignReport[]> {
  const reports: CampaignReport[] = []
  removeNamespaces(process.pid)
  try {
    makeNamespaces(namespaces)
    const [nsenter = '', ...args] = inNamespace(namespaces.hub)
    const worker = spawn(nsenter, [...args, process.execPath, WORKER, JSON.stringify(plans)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    worker.on('message', (word: WorkerWord) => {
      if (word.kind === 'trial') told(word.trial)
      else reports.push(word.report)
    })
    const release = endsWithUs(worker)
    const code = await new Promise((resolve) => worker.once('exit', resolve))
    release()
    if (reports.length !== plans.length) throw new Error(`the process in the hub ended with code ${code}`)
    return reports
  } finally {
    removeNamespaces(process.pid)
  }
}

/** A signal to us is first a signal to it, which has things to take back. */
function endsWithUs(worker: ChildProcess): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const
  const pass = (signal: NodeJS.Signals): void => void worker.kill(signal)
  for (const signal of signals) process.on(signal, pass)
  return () => {
    for (const signal of signals) process.off(signal, pass)
  }
}
