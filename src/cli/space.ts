/** `space init`: makes a space that an operator can register and is asked to open leaves of. */

import { type Command, InvalidArgumentError, Option } from 'commander'
import { LEAF_SIZES } from '../types/operator.ts'
import { LiveLines } from './local-network/live-lines.ts'
import { LEAF_SIZE_DEFAULT, makeSpace, SPACE_FILE_BYTES_MAX } from './operators/space-file.ts'
import { LEAVES_PER_GROUP } from './operators/space-hash.ts'
import { print, printJson } from './print.ts'

interface InitOptions {
  readonly out: string
  readonly bytes: number
  readonly leafSize: number
  readonly json?: boolean
}

const UNITS: Readonly<Record<string, number>> = { '': 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30 }
/** Every leaf size fits it: 64 leaves of the largest. */
const STEP = LEAVES_PER_GROUP * Math.max(...LEAF_SIZES)

export function bytesOption(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,12})(KiB|MiB|GiB)?$/.exec(text) ?? []
  const bytes = Number(digits) * (UNITS[unit] ?? 0)
  if (digits === '' || bytes < STEP || bytes > SPACE_FILE_BYTES_MAX || bytes % STEP !== 0) {
    throw new InvalidArgumentError(
      `Expected a size such as 1GiB: a multiple of ${STEP / 1_024}KiB up to ${SPACE_FILE_BYTES_MAX / 2 ** 30}GiB.`,
    )
  }
  return bytes
}

async function init(options: InitOptions): Promise<void> {
  const { bytes, out, leafSize } = options
  const lines = new LiveLines(process.stderr)
  const startedAt = performance.now()
  const commitment = await makeSpace(out, bytes, leafSize, (done) => {
    const now = performance.now()
    const rate = done / 2 ** 20 / Math.max(0.001, (now - startedAt) / 1_000)
    lines.status(`${((100 * done) / bytes).toFixed(1)} % written, ${rate.toFixed(0)} MiB/s`, now)
  })
  if (options.json === true) {
    printJson({ space: out, ...commitment })
    return
  }
  print(`${out} holds ${commitment.bytes} bytes in leaves of ${leafSize}`)
  print(`  root  ${commitment.root}`)
  print('Register it, or with "operator update" in place of the one before:')
  print(`  hypermesh operator register --data DIR --id NAME --bond N --space ${out}`)
}

export function registerSpaceCommand(program: Command): void {
  const space = program
    .command('space')
    .description('make a space that an operator commits itself to keep')
    .helpCommand(false)
  space
    .command('init')
    .description(
      'write the space, pseudo-random from a seed of its own, and its commitment; can be interrupted',
    )
    .requiredOption('--bytes <size>', 'how much: a number of bytes, or one with KiB, MiB or GiB', bytesOption)
    .requiredOption('--out <dir>', 'folder to make, or to go on with')
    .addOption(
      new Option('--leaf-size <bytes>', 'what is opened at once')
        .choices(LEAF_SIZES.map(String))
        .default(LEAF_SIZE_DEFAULT)
        .argParser(leafSizeOption),
    )
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ hypermesh space init --bytes 1GiB --out ./space')
    .action(init)
}

function leafSizeOption(text: string): number {
  const size = LEAF_SIZES.find((known) => String(known) === text)
  if (size === undefined) throw new InvalidArgumentError(`Expected one of ${LEAF_SIZES.join(', ')}.`)
  return size
}
