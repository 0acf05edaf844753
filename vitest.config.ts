/** How the tests run: the compiled copies in dist/ are not tests, and the last line is plain for a CI to read. */

import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { CountReporter } from './test/support/count-reporter.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['node_modules/**', 'dist/**', '.dist-building*/**'],
    // Processes, not threads: tests open sockets, send signals and set exit codes.
    pool: 'forks',
    maxWorkers: Math.max(2, availableParallelism()),
    // Generous for a loaded machine with two cores; a test waits for its condition, never for this.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    reporters: ['default', new CountReporter()],
  },
})
