/** `testnet init`: folders of a network's validators, to be started one by one. */

import { join } from 'node:path'
import { type Command, Option } from 'commander'
import {
  ASSURANCE_PRESETS,
  type AssurancePreset,
  assurancePreset,
  LOCAL_MINING,
} from './local-network/genesis.ts'
import { BASE_PORT_DEFAULT, nodePorts } from './local-network/node-ports.ts'
import { EPOCH_BLOCKS_HELP, epochBlocksOption, portOption, wholeNumber } from './parse-options.ts'
import { print, printJson } from './print.ts'

interface InitOptions {
  readonly validators: number
  readonly out: string
  readonly basePort: number
  readonly epochBlocks?: number
  readonly engine: 'bft' | 'pow'
  readonly assurance: AssurancePreset
  readonly json?: boolean
}

async function init(options: InitOptions): Promise<void> {
  const { createNetwork } = await import('./local-network/network-folder.ts')
  const ports = Array.from({ length: options.validators }, (_, i) => nodePorts(options.basePort, i))
  const nodeName = (index: number): string => `node-${index}`
  const folders = await createNetwork({
    folder: options.out,
    nodeName,
    network: 'testnet',
    ports,
    assurance: assurancePreset(options.assurance),
    ...(options.epochBlocks === undefined ? {} : { parameters: { epochBlocks: options.epochBlocks } }),
    ...(options.engine === 'pow' ? { consensus: { engine: 'pow', mining: LOCAL_MINING } } : {}),
  })
  const genesis = join(options.out, 'genesis.json')
  if (options.json === true) {
    printJson({ genesis, nodes: folders.map((folder, i) => ({ folder, ports: ports[i] })) })
    return
  }
  const what = options.engine === 'pow' ? 'miners' : 'validators'
  print(`${folders.length} ${what} are ready, with the genesis ${genesis}. Start each:`)
  for (const folder of folders) print(`  hypermesh start --data ${folder}`)
}

export function registerTestnetCommand(program: Command): void {
  const testnet = program.command('testnet').description('prepare a network of validators').helpCommand(false)
  testnet
    .command('init')
    .description('make a folder for each validator: keys, genesis, configuration')
    .requiredOption('--validators <n>', 'how many', wholeNumber(1, 256))
    .requiredOption('--out <dir>', 'folder to make; must be empty or not there')
    .option(
      '--base-port <port>',
      'first port; each validator uses five, ten apart',
      portOption,
      BASE_PORT_DEFAULT,
    )
    .option('--epoch-blocks <n>', EPOCH_BLOCKS_HELP, epochBlocksOption)
    .addOption(
      new Option(
        '--engine <name>',
        'who orders the blocks: validators, or proof of work (nothing is final then)',
      )
        .choices(['bft', 'pow'])
        .default('bft'),
    )
    .addOption(
      new Option(
        '--assurance <level>',
        'how far requests must be backed; mixed: registered, and attested for RootCA and IntermediateCA',
      )
        .choices(ASSURANCE_PRESETS)
        .default('mixed'),
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  $ hypermesh testnet init --validators 4 --out ./net\n  $ hypermesh start --data ./net/node-0',
    )
    .action(init)
}
