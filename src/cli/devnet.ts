/**
 * `devnet`: a network of validators on this machine, one process each, made at the first run and gone on with at
 * the next. For trying things out: its keys lie here unprotected, its ports on loopback.
 */

import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { type Command, Option } from 'commander'
import { dataDirectoryAt } from '../config/data-directory.ts'
import { isRunning, readRunInfo } from '../config/run-file.ts'
import { CliError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { ASSURANCE_PRESETS, type AssurancePreset, assurancePreset } from './local-network/genesis.ts'
import { BASE_PORT_DEFAULT, type NodePorts, nodePorts, requireFreePorts } from './local-network/node-ports.ts'
import { answers } from './local-network/watcher.ts'
import { DEVNET_NAME, defaultDevnetFolder, demoWalletFiles } from './node-location.ts'
import { EPOCH_BLOCKS_HELP, epochBlocksOption, portOption, wholeNumber } from './parse-options.ts'
import { print } from './print.ts'

interface DevnetOptions {
  readonly validators?: number
  readonly data?: string
  readonly basePort: number
  readonly caPort: number
  readonly stoqPort: number
  readonly untilHeight?: number
  readonly epochBlocks?: number
  readonly assurance?: AssurancePreset
}

const VALIDATORS_DEFAULT = 4
/** Where TrustChain's client looks for it unless configured otherwise (spec/stoq.md). */
const CA_PORT_DEFAULT = 8_080
/** Where its STOQ client does. */
const STOQ_PORT_DEFAULT = 9_292

/** How this very program was started, for its validators. */
function ownCommand(): [string, ...string[]] {
  return [process.execPath, ...process.execArgv, process.argv[1] ?? '']
}

function describe(folder: string, ports: readonly NodePorts[]): void {
  const each = (url: (port: NodePorts) => string): string => ports.map(url).join(' ')
  print(`${ports.length} validators on this machine; throwaway keys, never use them elsewhere`)
  print(`  data     ${folder} (logs: validator-<i>/node.log)`)
  print(`  CA       ${each(({ ca }) => `https://[::1]:${ca}`)}`)
  print(`  STOQ     ${each(({ stoq }) => `stoq://[::1]:${stoq}`)}`)
  print(`  API      ${each(({ api }) => `http://127.0.0.1:${api}`)}`)
  print(`  metrics  ${each(({ metrics }) => `http://127.0.0.1:${metrics}/metrics`)}`)
  print(`  p2p      ${each(({ p2p }) => `/ip4/127.0.0.1/tcp/${p2p}`)} (and the same ports by QUIC)`)
  print('Ctrl+C stops them. Try, in another terminal:')
  print(
    `  node dist/node.js request certificate | node dist/node.js validate - --to 'https://[::1]:${ports[0]?.ca}'`,
  )
  print(`  node dist/node.js status --api http://127.0.0.1:${ports[0]?.api}`)
  const { wallet, passphrase } = demoWalletFiles(folder)
  if (!existsSync(wallet)) return
  print(`  node dist/node.js wallet scan --wallet ${wallet} --passphrase-file ${passphrase}`)
}

interface OpenedNetwork {
  readonly folders: string[]
  readonly ports: NodePorts[]
  readonly isNew: boolean
}

/** The network's folders: those there are, or new ones. */
async function openNetwork(options: DevnetOptions, folder: string): Promise<OpenedNetwork> {
  const { createNetwork, moveNetwork, nodeFolders } = await import('./local-network/network-folder.ts')
  const nodeName = (index: number): string => `validator-${index}`
  const existing = nodeFolders({ folder, nodeName })
  if (existing.length > 0 && options.validators !== undefined && options.validators !== existing.length) {
    throw new CliError(
      'E_DEVNET_SIZE',
      `${folder} holds a network of ${existing.length} validators, not ${options.validators}`,
      {
        fix: 'leave out --validators to go on with it, or choose another folder with --data',
        exitCode: EXIT.data,
      },
    )
  }
  const count = existing.length > 0 ? existing.length : (options.validators ?? VALIDATORS_DEFAULT)
  const ports = Array.from({ length: count }, (_, i) =>
    nodePorts(options.basePort, i, options.caPort, options.stoqPort),
  )
  await requireNoneRuns(existing)
  await requireFreePorts(ports, 'stop it, or choose other ports with --base-port, --ca-port and --stoq-port')
  if (existing.length === 0) {
    const { DEMO_NOTE_VALUES } = await import('./local-network/demo-wallet.ts')
    const folders = await createNetwork({
      folder,
      nodeName,
      network: DEVNET_NAME,
      ports,
      walletNotes: DEMO_NOTE_VALUES,
      ...(options.assurance === undefined ? {} : { assurance: assurancePreset(options.assurance) }),
      ...(options.epochBlocks === undefined ? {} : { parameters: { epochBlocks: options.epochBlocks } }),
    })
    return { folders, ports, isNew: true }
  }
  await moveNetwork(existing, ports)
  return { folders: existing, ports, isNew: false }
}

/**
 * Nothing of a network is touched while one of its nodes runs, on whatever ports.
 * @throws CliError `E_DEVNET_RUNNING` (73)
 */
async function requireNoneRuns(folders: readonly string[]): Promise<void> {
  const running = []
  for (const folder of folders) {
    const info = readRunInfo(dataDirectoryAt(folder))
    // A process of that number may be another one by now: only a node answers there.
    if (info === undefined || !isRunning(info) || !(await answers(info.addresses.api))) continue
    running.push({ folder, ...info })
  }
  const [first] = running
  if (first === undefined) return
  const names = running.map(({ folder, pid, startedAt }) => `${folder}, process ${pid} since ${startedAt}`)
  // A few of them are no network: others may be needed for a quorum.
  const [up, all] = [running.length, folders.length]
  const use = up === all ? `use them (${first.addresses.api}), or ` : ''
  const pids = running.map(({ pid }) => pid).join(' ')
  throw new CliError('E_DEVNET_RUNNING', `${up} of the ${all} validators run already: ${names.join('; ')}`, {
    fix: `${use}stop them first (kill ${pids}); for a second network choose another folder with --data`,
    exitCode: EXIT.dataDirectory,
  })
}

export function registerDevnetCommand(program: Command): void {
  program
    .command('devnet')
    .description('run a network of validators on this machine')
    .option(
      '--validators <n>',
      `how many (default: those there are, else ${VALIDATORS_DEFAULT})`,
      wholeNumber(1, 32),
    )
    .option(
      '--data <dir>',
      `folder of the network (default: ${dirname(defaultDevnetFolder())}/${DEVNET_NAME})`,
    )
    .option(
      '--base-port <port>',
      'first port; each validator uses four, ten apart',
      portOption,
      BASE_PORT_DEFAULT,
    )
    .option(
      '--ca-port <port>',
      "port of the first validator's CA endpoint, the others following",
      portOption,
      CA_PORT_DEFAULT,
    )
    .option(
      '--stoq-port <port>',
      "port of the first validator's STOQ endpoint; the others' are beside their other ports",
      portOption,
      STOQ_PORT_DEFAULT,
    )
    .option('--epoch-blocks <n>', `${EPOCH_BLOCKS_HELP}; of a new network only`, epochBlocksOption)
    .addOption(
      new Option(
        '--assurance <level>',
        'how far requests must be backed (default: declared); of a new network only',
      ).choices(ASSURANCE_PRESETS),
    )
    .option('--until-height <height>', 'stop when this height is final', wholeNumber(1, 2 ** 48))
    .addHelpText(
      'after',
      '\nExamples:\n  $ hypermesh devnet\n  $ hypermesh devnet --data ./net --base-port 9600 --ca-port 8090 --stoq-port 9290 --until-height 10',
    )
    .action(async (options: DevnetOptions) => {
      const folder = options.data ?? defaultDevnetFolder()
      const { folders, ports, isNew } = await openNetwork(options, folder)
      describe(folder, ports)
      const { runNetwork } = await import('./local-network/run-network.ts')
      process.exitCode = await runNetwork({
        folders,
        ports,
        isNew,
        command: (index) =>
          [...ownCommand(), 'start', '--data', folders[index] ?? ''] as [string, ...string[]],
        ...(options.untilHeight === undefined ? {} : { untilHeight: options.untilHeight }),
      })
    })
}
