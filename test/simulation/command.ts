/**
 * `npm run sim`: runs seeds of the swarm, repeats one, prints every effect of one, shows that the mutants are caught,
 * or enumerates the twins' small cases. The last thing it prints is JSON; it exits with 1 when anything failed.
 */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { InvalidArgumentError } from 'commander'
import { countOption, scriptCommand } from '../../scripts/script-command.ts'
import { runLane } from './lane/lane.ts'
import { catchMutant, controlViolations, type MutantResult, mutantLine } from './lane/mutant-lane.ts'
import { MUTANTS } from './mutants.ts'
import type { Outcome } from './swarm.ts'
import { enumerateTwins } from './twins.ts'
import { type Row, table } from './verdicts/table.ts'

const FORMS = `
npm run sim -- --seeds N --start S   run N seeds from S on
npm run sim -- --seed X              repeat one seed
npm run sim -- --seed X --trace      … and print every effect of it
npm run sim -- --mutants             break every rule in turn and see that it is noticed
npm run sim -- --mutant NAME         … one rule; with --seed or --seeds: run seeds with it
npm run sim -- --twins VIEWS         enumerate the twins' cases of so many views
npm run sim -- --verdicts SEEDS      measure what comes of verdicts when a rule about them is changed (table 5.9)`

interface SimOptions {
  readonly seeds?: number
  readonly start: number
  readonly seed?: number
  readonly jobs: number
  readonly trace?: true
  readonly twice?: true
  readonly plain?: true
  readonly mutants?: true
  readonly mutant?: string
  readonly twins?: number
  readonly verdicts?: number
}

/** A parser for commander: the name of a mutant. */
function mutantOption(name: string): string {
  if (MUTANTS.every((mutant) => mutant.name !== name))
    throw new InvalidArgumentError('There is no such mutant.')
  return name
}

const command = scriptCommand('sim', 'Whole networks in one process, with faults and liars.')
  .option('--seeds <n>', 'how many', countOption)
  .option('--start <n>', 'the first of them', countOption, 1)
  .option('--seed <n>', 'that one alone', countOption)
  .option('--jobs <n>', 'processes', countOption, availableParallelism())
  .option('--trace', 'print every effect')
  .option('--twice', 'run every seed twice and compare the traces')
  .option('--plain', 'without the accelerations of the lanes')
  .option('--mutants', 'every broken rule')
  .option('--mutant <name>', 'one broken rule', mutantOption)
  .option('--twins <views>', "the twins' cases", countOption)
  .option('--verdicts <seeds>', 'the table of verdicts', countOption)
  .addHelpText('after', FORMS)

/** Seeds of every mutant's options that are run without it. */
const CONTROL_SEEDS = 3

const print = (text: string): void => void process.stdout.write(`${text}\n`)
const startedAt = performance.now()
const secondsSince = (): number => (performance.now() - startedAt) / 1_000

function commit(): string {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', 'src') === '' ? '' : '+')
  } catch {
    return 'unknown'
  }
}

const about = { commit: commit(), node: process.version, machine: cpus()[0]?.model ?? 'unknown' }

/** A seed that failed stays: every later run of the tests runs it again. */
function keepSeed(seed: number, violations: readonly string[]): void {
  const kept = { seed, commit: about.commit, found: violations.slice(0, 3).join('; ') }
  writeFileSync(join(import.meta.dirname, 'seeds', `${seed}.json`), `${JSON.stringify(kept, null, 2)}\n`)
}

interface SeedRun {
  readonly seeds: number
  readonly start: number
  readonly jobs: number
  readonly isTraced: boolean
  readonly isTwice: boolean
  readonly isPlain: boolean
  readonly mutant: string | undefined
}

async function runSeeds(run: SeedRun): Promise<boolean> {
  const { seeds, start, mutant } = run
  const failures: (Pick<Outcome, 'seed' | 'violations' | 'trace'> & { readonly repeat: string })[] = []
  const traces = new Map<number, string>()
  let [effects, events, done] = [0, 0, 0]
  const verdicts = { valid: 0, invalid: 0, expired: 0 }
  const seedsWith = { byzantine: 0, calm: 0, notes: 0 }
  const shielded = { transfer: 0, mint: 0, burn: 0 }
  let lowestTrustWhenCalm: number | null = null
  const each = Array.from({ length: seeds }, (_, i) => start + i)
  await runLane({
    jobs: run.jobs,
    isTraced: run.isTraced,
    isPlain: run.isPlain,
    seeds: run.isTwice ? each.flatMap((seed) => [seed, seed]) : each,
    ...(mutant === undefined ? {} : { mutant }),
    onOutcome: ({ outcome, lines }) => {
      const { seed, violations, trace, heights } = outcome
      process.stdout.write(lines.join(''))
      done++
      effects += outcome.effects
      for (const status of ['valid', 'invalid', 'expired'] as const)
        verdicts[status] += outcome.verdicts[status]
      const { calm = 0, byzantine = 0, withNotes = 0, lowestHonestTrust = 0 } = outcome.figures ?? {}
      seedsWith.notes += withNotes
      for (const kind of ['transfer', 'mint', 'burn'] as const) shielded[kind] += outcome.figures?.[kind] ?? 0
      seedsWith.byzantine += byzantine
      seedsWith.calm += calm
      if (calm === 1)
        lowestTrustWhenCalm = Math.min(lowestTrustWhenCalm ?? lowestHonestTrust, lowestHonestTrust)
      events += outcome.events
      const before = traces.get(seed) ?? trace
      traces.set(seed, trace)
      const all = before === trace ? violations : [...violations, `the trace was ${before}, and is ${trace}`]
      if (all.length > 0) {
        const repeat = `npm run sim -- --seed ${seed}${mutant === undefined ? '' : ` --mutant ${mutant}`}`
        failures.push({ seed, violations: all, trace, repeat })
        if (mutant === undefined) keepSeed(seed, all)
        print(`seed ${seed} failed: ${all.slice(0, 3).join('; ')}\n  ${repeat}`)
      } else if (seeds === 1) {
        print(`seed ${seed}: heights ${heights}, ${outcome.effects} effects, trace ${trace}`)
      } else if (done % 500 === 0) {
        print(`${done} runs, ${failures.length} failed, ${(done / secondsSince()).toFixed(1)} seeds/s`)
      }
      return false
    },
  })
  const seconds = secondsSince()
  print(
    JSON.stringify({
      ...about,
      seeds,
      start,
      jobs: run.jobs,
      runs: done,
      failed: failures.length,
      seconds: Number(seconds.toFixed(1)),
      seedsPerSecond: Number((done / seconds).toFixed(2)),
      effects,
      events,
      verdicts,
      shielded,
      seedsWith,
      lowestTrustWhenCalm,
      failures,
    }),
  )
  return failures.length === 0 && done === (run.isTwice ? 2 * seeds : seeds)
}

async function runMutants(names: readonly string[], jobs: number, budget: number | null): Promise<boolean> {
  const results: MutantResult[] = []
  for (const name of names) {
    const result = await catchMutant(name, jobs, budget)
    results.push(result)
    print(mutantLine(result))
  }
  const control = await controlViolations(CONTROL_SEEDS, jobs)
  for (const violation of control) print(`without a mutant: ${violation}`)
  const survivors = results.filter(({ isExpected }) => !isExpected)
  print(JSON.stringify({ ...about, mutants: results.length, survivors: survivors.length, control, results }))
  return survivors.length === 0 && control.length === 0
}

async function main(): Promise<boolean> {
  const options = command.parse().opts<SimOptions>()
  const { jobs, seed, seeds, mutant } = options
  if (options.twins !== undefined) {
    const result = await enumerateTwins({
      views: options.twins,
      casesMax: seeds ?? 100_000,
    })
    print(JSON.stringify({ ...about, ...result, seconds: Number(secondsSince().toFixed(1)) }))
    return result.violations.length === 0
  }
  if (options.verdicts !== undefined) {
    const rows: Row[] = []
    for await (const row of table(options.verdicts, jobs)) {
      rows.push(row)
      print(`${row.variant.padEnd(46)} ${JSON.stringify(row.figures)}`)
    }
    print(JSON.stringify({ ...about, seconds: Number(secondsSince().toFixed(1)), rows }))
    return true
  }
  if (options.mutants) {
    return runMutants(
      MUTANTS.map(({ name }) => name),
      jobs,
      seeds ?? null,
    )
  }
  if (mutant !== undefined && seed === undefined && seeds === undefined)
    return runMutants([mutant], jobs, null)
  return runSeeds({
    seeds: seed === undefined ? (seeds ?? 100) : 1,
    start: seed ?? options.start,
    jobs: seed === undefined ? jobs : 1,
    isTraced: options.trace === true && seed !== undefined,
    isTwice: options.twice === true,
    isPlain: options.plain === true,
    mutant,
  })
}

process.exitCode = (await main()) ? 0 : 1
