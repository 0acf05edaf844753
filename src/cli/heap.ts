/**
 * How far the heap of a running node grows before it is collected as a whole. V8 lets a heap of this size grow by hardly
 * more than its young generation takes, and counts the buffers of messages against that: validators at work came to
 * collect everything once or twice a second, 60 to 150 ms of CPU each time, to free what is young anyway.
 */
import { setFlagsFromString } from 'node:v8'

/** Four times of what was alive after the last full collection. What a machine has at most stays V8's to say. */
const GROWING_PERCENT = 300

/** Call before there is much on the heap. A flag of the operator's own (`--max-old-space-size`) stays in force. */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWING_PERCENT}`)
}
