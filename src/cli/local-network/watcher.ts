/** Looks at the validators of a local network through their public APIs, and says it in one line. */

import { z } from 'zod'
import type { StatusView } from '../../rpc/http/api-ports.ts'

/** What is looked at in a status; the rest of it may change freely. */
const glimpseSchema = z.object({
  view: z.number(),
  final: z.object({ height: z.number() }),
  ready: z.boolean(),
  notReadyBecause: z.array(z.string()),
})

/** Only what TypeScript checks the API still has. */
type Glimpse = Pick<StatusView, 'view' | 'ready' | 'notReadyBecause'> & {
  readonly final: { readonly height: number }
}

const DEADLINE_MS = 2_000

async function look(api: string): Promise<Glimpse | undefined> {
  try {
    const response = await fetch(`${api}/v1/status`, { signal: AbortSignal.timeout(DEADLINE_MS) })
    return glimpseSchema.safeParse(await response.json()).data
  } catch {
    // It is starting, stopping or gone; the line says how many answer.
    return undefined
  }
}

/** Whether a node serves its public API at this base URL. */
export async function answers(api: string): Promise<boolean> {
  return (await look(api)) !== undefined
}

/** The network at one moment. */
export interface NetworkGlimpse {
  /** Validators that answered. */
  readonly answering: number
  readonly ready: number
  /** Highest final height that any of them has; 0 while none answers. */
  readonly height: number
  /** Height that all who answer have. */
  readonly heightOfAll: number
  readonly view: number
  /** Why the first one that is not ready is not. */
  readonly reason: string | undefined
}

/** @param apis base URLs */
export async function lookAtNetwork(apis: readonly string[]): Promise<NetworkGlimpse> {
  const answers = (await Promise.all(apis.map(look))).filter((glimpse) => glimpse !== undefined)
  const heights = answers.map(({ final }) => final.height)
  return {
    answering: answers.length,
    ready: answers.filter(({ ready }) => ready).length,
    height: Math.max(0, ...heights),
    heightOfAll: heights.length === 0 ? 0 : Math.min(...heights),
    view: Math.max(0, ...answers.map(({ view }) => view)),
    reason: answers.find(({ ready }) => !ready)?.notReadyBecause[0],
  }
}

/** One line for a person, from two looks `seconds` apart. */
export function glimpseLine(
  now: NetworkGlimpse,
  before: NetworkGlimpse,
  seconds: number,
  count: number,
): string {
  const rate = Math.max(0, now.height - before.height) / seconds
  const parts = [
    `height ${now.height}`,
    `view ${now.view}`,
    `${rate.toFixed(1)} blocks/s`,
    `${now.answering} of ${count} validators answer`,
  ]
  if (now.ready < now.answering)
    parts.push(`${now.ready} ready${now.reason === undefined ? '' : ` (${now.reason})`}`)
  return parts.join(' · ')
}
