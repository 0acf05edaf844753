/** How the tests run: the compiled copies in dist/ are not tests, and the last line is plain for a CI to read. */

import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { CountReporter } from './test/support/count-reporter.ts'

/** Networks of real processes, which mostly wait for each other: two at a time, and nothing else beside them. */
const END_TO_END = ['test/e2e/**/*.test.ts', 'test/docs/tour.test.ts']

/** End to end, and it compares times: what runs beside it would be measured with it. */
const ALONE = ['test/e2e/shielded-flood.test.ts']

/**
 * Networks of real processes again, but too long for every change: "npm run test:long". What is tried over TCP otherwise
 * is over QUIC here.
 */
const LONG = [
  'test/long/**/*.test.ts',
  'test/e2e/strangers.test.ts',
  'test/e2e/joining.test.ts',
  'test/unit/ledger/receipt/receipt-changes.test.ts',
  'test/unit/shielded/proof-bytes.test.ts',
]

/** Simulated networks, a story each: "npm run test:simulation". */
const SIMULATION = ['test/simulation/**/*.sim.test.ts']

/**
 * Run by the same command after them: simulated networks by the hundred, and the rules broken one by one. Each keeps every
 * processor busy by itself, and has so many seeds to run in so many minutes: nothing beside it.
 */
const SWARM = ['test/simulation/swarm.sim.test.ts', 'test/simulation/mutants.sim.test.ts']

/**
 * Small tests by the hundred, which hold nothing open: those that one process runs share what it has loaded, or each
 * file would take longer to load than to run.
 */
const UNITS = ['test/unit/**/*.test.ts', 'test/vectors/**/*.test.ts', 'test/fuzz/**/*.test.ts']

const exclude = ['node_modules/**', 'dist/**', '.dist-building*/**']

/**
 * Loaded by Node itself, not through Vite, which makes every imported name a getter: the proof system calls its field
 * operations by the hundred million, and takes a fifth of the time this way.
 */
const NATIVE = [/\/src\/shielded\//, /\/test\/support\/shielded\//]

const maxWorkers = Math.max(2, availableParallelism())

const source = (path: string): string => join(import.meta.dirname, 'src', path)

declare module 'vitest' {
  interface ProvidedContext {
    /** On which a network of processes is tried. */
    readonly transports: readonly ('tcp' | 'quic')[]
    /** Of the bytes of a receipt every such one is changed. */
    readonly byteStep: number
    /** Of the bytes of a shielded proof every such one is changed. */
    readonly proofByteStep: number
  }
}

export default defineConfig({
  // The package by its own name, as examples/ import it: here its sources, so that nothing need be built.
  resolve: {
    alias: [
      { find: /^hypermesh-node\/client\/node$/, replacement: source('client/node/index.ts') },
      { find: /^hypermesh-node\/client$/, replacement: source('client/index.ts') },
      { find: /^hypermesh-node\/wallet$/, replacement: source('wallet/index.ts') },
      { find: /^hypermesh-node\/receipt$/, replacement: source('receipt.ts') },
    ],
  },
  test: {
    // Processes, not threads: tests open sockets, send signals and set exit codes.
    pool: 'forks',
    // Generous for a loaded machine with two cores; a test waits for its condition, never for this.
    server: { deps: { external: NATIVE } },
    testTimeout: 30_000,
    hookTimeout: 180_000,
    teardownTimeout: 10_000,
    reporters: ['default', new CountReporter()],
    projects: [
      {
        extends: true,
        test: {
          name: 'parts',
          include: ['test/**/*.test.ts'],
          exclude: [...exclude, ...END_TO_END, ...LONG, ...UNITS, ...SIMULATION],
          maxWorkers,
        },
      },
      {
        extends: true,
        test: {
          // After "parts" in the alphabet, and so in the run: short files at the end leave no process idle.
          name: 'units',
          include: UNITS,
          exclude,
          isolate: false,
          maxWorkers,
          provide: { byteStep: 7, proofByteStep: 499 },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: END_TO_END,
          exclude: [...exclude, ...ALONE],
          provide: { transports: ['tcp'] },
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ALONE,
          exclude,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        extends: true,
        test: {
          name: 'simulation',
          include: SIMULATION,
          exclude: [...exclude, ...SWARM],
          maxWorkers,
        },
      },
      {
        extends: true,
        test: {
          name: 'swarm',
          include: SWARM,
          exclude,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          include: LONG,
          exclude,
          provide: { transports: ['quic'], byteStep: 1, proofByteStep: 1 },
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
})
