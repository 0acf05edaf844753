/**
 * How far the heap of a running node grows before it is collected as a whole. V8 lets a heap of this size grow by hardly
 * more than its young generation takes, and counts the buffers of messages against that: validators at work came to
 * collect everything once or twice a second, 60 to 150 ms of CPU each time, to free what is young anyway.
 */
import { setFlagsFromString } from 'node:v8'

/** Three to five times of what was alive after the last full collection. What a machine has at most stays V8's to say. */
const GROWING_PERCENT = { least: 200, most: 400 } as const

/**
 * Growth for one process, in percent. Each draws its own: validators execute the same blocks, so their heaps fill alike,
 * and with one and the same growth all of a quorum would stop for a collection within one second.
 * @param draw uniform in [0, 1)
 */
export function heapGrowingPercent(draw: number): number {
  const { least, most } = GROWING_PERCENT
  return Math.round(least + draw * (most - least))
}

/** Call before there is much on the heap. A flag of the operator's own (`--max-old-space-size`) stays in force. */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${heapGrowingPercent(Math.random())}`)
}
