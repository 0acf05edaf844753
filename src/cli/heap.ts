/**
 * How far the heap of a running node grows before it is collected as a whole. V8 lets a heap of this size grow by hardly
 * more than its young generation takes, and counts the buffers of messages against that: validators at work came to
 * collect everything once or twice a second, 60 to 150 ms of CPU each time, to free what is young anyway.
 *
 * Validators execute the same blocks, so their heaps fill alike, and with one and the same growth a quorum of them stops
 * for a collection within the same second. So each draws its own while it runs, as it does for its write buffer
 * (storage/database.ts): at 1,150 validations/s on two cores the slowest hundredth of answers took more than 0.6 to 0.7 s
 * that way, and more than 0.7 to 1.0 s with both alike. But the code that is kept compiled (src/node.ts) is bound to V8's
 * flags: every process loads it, and writes it at its end, under the same.
 */
import { setFlagsFromString } from 'node:v8'

/** In percent of what was alive after the last full collection. What a machine has at most stays V8's to say. */
const GROWTH = { least: 200, most: 400, shared: 300 } as const

/**
 * Growth that one process has for itself, in percent.
 * @param draw uniform in [0, 1)
 */
export function ownGrowth(draw: number): number {
  return Math.round(GROWTH.least + draw * (GROWTH.most - GROWTH.least))
}

/**
 * The same growth in every process: call before code is loaded, and again when the process is to end. A flag of the
 * operator's own (`--max-old-space-size`) stays in force.
 */
export function letHeapGrow(): void {
  setGrowth(GROWTH.shared)
}

/** Another growth in every process: call when everything is loaded. */
export function letHeapGrowApart(): void {
  setGrowth(ownGrowth(Math.random()))
}

function setGrowth(percent: number): void {
  setFlagsFromString(`--heap-growing-percent=${percent}`)
}
