/**
 * A few requests per second to whichever nodes run, as long as it is on, good ones and bad ones. Keeps every verdict
 * that was received: none may ever change.
 */

import { ask, verdictOf } from './ca-client.ts'
import { certificate, certificateBody, fourProofBody, fourProofs } from './fresh.ts'
import type { NodeProcess } from './node-process.ts'

const PAUSE_MS = 50

type Kind = 'certificate' | 'four-proof'

export interface Answered {
  readonly node: NodeProcess
  readonly kind: Kind
  readonly body: string
  readonly text: string
  readonly latencyMs: number
  /** Monotonic milliseconds. */
  readonly sentAt: number
}

export class Trickle {
  readonly #nodes: readonly NodeProcess[]
  readonly #random: () => number
  readonly #pauseMs: number
  readonly #answered: Answered[] = []
  readonly #open = new Set<Promise<void>>()
  readonly #loop: Promise<void>
  #refused = 0
  #isStopped = false

  constructor(nodes: readonly NodeProcess[], random: () => number, pauseMs = PAUSE_MS) {
    this.#nodes = nodes
    this.#random = random
    this.#pauseMs = pauseMs
    this.#loop = this.#run()
  }

  /** Verdicts received so far. */
  get answered(): readonly Answered[] {
    return this.#answered
  }

  /** Calls that ended without a verdict: the node was gone, or had no quorum. */
  get refused(): number {
    return this.#refused
  }

  /** Sends no more, and waits for what is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#loop
    await Promise.all(this.#open)
  }

  async #run(): Promise<void> {
    while (!this.#isStopped) {
      const up = this.#nodes.filter(({ isRunning }) => isRunning)
      const node = up[Math.floor(this.#random() * up.length)]
      if (node !== undefined) {
        const call = this.#send(node).finally(() => this.#open.delete(call))
        this.#open.add(call)
      }
      await new Promise((resolve) => setTimeout(resolve, this.#pauseMs))
    }
  }

  async #send(node: NodeProcess): Promise<void> {
    const bad = this.#random() < 0.2 ? ({ bad: 'stake' } as const) : {}
    const kind: Kind = this.#random() < 0.8 ? 'certificate' : 'four-proof'
    const body = kind === 'certificate' ? certificateBody(certificate(bad)) : fourProofBody(fourProofs(bad))
    const sentAt = performance.now()
    const text = await ask(node.ca, kind, body).then(
      (answer) => answer.text,
      () => null,
    )
    if (text !== null && /^\{"result":(?:"Valid"|\{"Invalid")/.test(text)) {
      this.#answered.push({ node, kind, body, text, sentAt, latencyMs: performance.now() - sentAt })
    } else this.#refused++
  }
}

/**
 * Asks again what was answered: the same bytes from the node that answered, the same verdict from another.
 * @returns one line for each answer that changed
 */
export async function changedAnswers(
  answered: readonly Answered[],
  nodes: readonly NodeProcess[],
): Promise<string[]> {
  const changed: string[] = []
  for (const [i, { node, kind, body, text }] of answered.entries()) {
    const again = await ask(node.ca, kind, body)
    if (again.text !== text) changed.push(`${node.name} answered ${text} and now ${again.text}`)
    const other = nodes[i % nodes.length]
    if (other === undefined || other === node) continue
    const there = await ask(other.ca, kind, body)
    if (JSON.stringify(verdictOf(there.text)) !== JSON.stringify(verdictOf(text))) {
      changed.push(`${node.name} answered ${text}, ${other.name} ${there.text}`)
    }
  }
  return changed
}
