/**
 * Prints the closing line `N passed, N failed[, N skipped]` after everything else, without colour, so that a
 * script can read the last line of a run. It formats nothing else; the default reporter stands beside it.
 */

import type { Reporter, TestModule } from 'vitest/node'

/** What is counted: only the shape that vitest's reported tasks have, so that a test can hand in its own. */
export interface CountedModule {
  readonly children: { allTests(): Iterable<{ result(): { state: string } }> }
  state(): string
}

/**
 * Adds up one run. A module that failed without a failed test in it (it did not load, a hook threw) and every
 * error outside a test count as one failure each: a run with any of them must never read `0 failed`.
 */
export function countLine(modules: Iterable<CountedModule>, unhandledErrors: number): string {
  let passed = 0
  let failed = unhandledErrors
  let skipped = 0
  for (const module of modules) {
    let failedHere = 0
    for (const test of module.children.allTests()) {
      const { state } = test.result()
      if (state === 'passed') passed++
      else if (state === 'failed') failedHere++
      else skipped++
    }
    failed += failedHere === 0 && module.state() === 'failed' ? 1 : failedHere
  }
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`
}

export class CountReporter implements Reporter {
  #line = ''

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    this.#line = countLine(modules, unhandledErrors.length)
    // The default reporter writes its summary in the same event; the line goes out when the process ends.
    process.once('exit', () => process.stdout.write(`${this.#line}\n`))
  }
}
