/**
 * `init`: a node that joins a network. It needs the genesis and one address to begin at. Keys that lie in the folder
 * already are kept, so a validator of the genesis begins with `keys new`; else it is a node that is no validator.
 */

import type { Command } from 'commander'
import { genesisHash } from '../codec/genesis.ts'
import { annotatedConfig } from '../config/annotated.ts'
import { createDataDirectory, sealDataDirectory, writeFileWhole } from '../config/data-directory.ts'
import { SETTABLE_FIELDS } from '../config/fields.ts'
import { parseGenesis } from '../config/genesis-file.ts'
import { formatListenAddress, multiaddrProblem, parseListenAddress } from '../config/values.ts'
import { usageError } from './errors.ts'
import { p2pPortIsFree, tcpIsFree, udpIsFree } from './local-network/node-ports.ts'
import { readTextFile } from './parse-options.ts'
import { print, printJson } from './print.ts'
import { checkTrust } from './trust-option.ts'

/** Away from the consecutive ports of a devnet's CA endpoints. */
const PORT_STEP = 10
const P2P_PORT = 4_001
const P2P_LISTEN = [`/ip4/0.0.0.0/tcp/${P2P_PORT}`, `/ip4/0.0.0.0/udp/${P2P_PORT}/quic-v1`]

interface InitOptions {
  readonly genesis: string
  readonly bootstrap: readonly string[]
  readonly data: string
  readonly trust?: string
  readonly json?: boolean
  readonly validator?: boolean
}

/** Listeners whose default port another process has, and the next one that is free: set in config.toml. */
async function portsToMove(): Promise<[name: string, value: string | string[]][]> {
  const moved: [string, string | string[]][] = []
  const given = new Set<number>()
  for (const field of SETTABLE_FIELDS) {
    const address = field.kind === 'text' ? parseListenAddress(String(field.defaultValue)) : undefined
    if (address === undefined) continue
    let { port } = address
    const isFree = field.name === 'stoq.listen' ? udpIsFree : tcpIsFree
    while (given.has(port) || !(await isFree(address.host, port))) port += PORT_STEP
    given.add(port)
    if (port !== address.port) moved.push([field.name, formatListenAddress({ host: address.host, port })])
  }
  let p2p = P2P_PORT
  while (given.has(p2p) || !(await p2pPortIsFree(p2p))) p2p += PORT_STEP
  if (p2p !== P2P_PORT) {
    moved.push(['p2p.listen', P2P_LISTEN.map((address) => address.replace(`/${P2P_PORT}`, `/${p2p}`))])
  }
  return moved
}

async function init(options: InitOptions): Promise<void> {
  for (const address of options.bootstrap) {
    const problem = multiaddrProblem(address, true)
    if (problem !== undefined)
      throw usageError(
        `--bootstrap ${address}: ${problem}`,
        'copy an address that "hypermesh status" prints on a node of the network',
      )
  }
  checkTrust(options.trust)
  const text = readTextFile(options.genesis, 'genesis file')
  const genesis = parseGenesis(text, options.genesis)
  const { hasIdentity, takeNodeKeys } = await import('./node-keys.ts')
  const directory = createDataDirectory(options.data)
  const isNewKey = !hasIdentity(directory.root)
  const keys = await takeNodeKeys(directory.root, options.validator === true ? 'validator' : 'node')
  writeFileWhole(directory.genesis, text)
  const moved = await portsToMove()
  const trusted: [string, unknown][] = options.trust === undefined ? [] : [['sync.trust', options.trust]]
  const settings: [string, unknown][] = [
    ['schema', 1],
    ['p2p.bootstrap', options.bootstrap],
    ...trusted,
    ...moved,
  ]
  writeFileWhole(directory.config, annotatedConfig(new Map(settings)))
  const hash = genesisHash(genesis)
  sealDataDirectory(directory, genesis.network, hash)
  // A key that was made a moment ago has signed nothing. Of any other only its operator can say so, at the start.
  if (options.validator === true && isNewKey) {
    const { createSafetyRecord } = await import('../composition/node-storage.ts')
    await createSafetyRecord(directory, keys.id, hash)
  }
  if (options.json === true) {
    printJson({
      data: directory.root,
      network: genesis.network,
      genesis: hash,
      id: keys.id,
      peerId: keys.peerId,
    })
    return
  }
  print(`${directory.root} is a node of network ${genesis.network} (genesis ${hash})`)
  const isValidator = genesis.validators.some(({ id }) => id === keys.id)
  print(`  role     ${isValidator ? 'validator: its key was here, and is in the genesis' : roleOf(options)}`)
  print(`  peer id  ${keys.peerId}`)
  for (const [name, value] of moved)
    print(`  ${name} is ${[value].flat().join(', ')}: the default port is in use on this machine`)
  print(`Start it:\n  hypermesh start --data ${options.data}`)
}

function roleOf({ validator }: InitOptions): string {
  return validator === true
    ? 'no validator yet: "hypermesh stake bond" and "stake join" make it one'
    : 'no validator'
}

export function registerInitCommand(program: Command): void {
  program
    .command('init')
    .description('set up a node that joins a network; as a validator only with keys of the genesis')
    .requiredOption('--genesis <file>', "the network's genesis.json")
    .requiredOption('--bootstrap <multiaddr...>', 'where to find the network, each with /p2p/<peer id>')
    .requiredOption('--data <dir>', 'data directory to make; keys that "keys new" made there are kept')
    .option('--validator', 'it is going to be a validator: begin the signing record of its new key')
    .option('--trust <height:block-id>', 'a block that you know to be final; a chain without it is refused')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExample:\n  $ hypermesh init --genesis ./net/genesis.json --data ./joining \\\n      --bootstrap /ip4/127.0.0.1/tcp/9440/p2p/12D3KooW...',
    )
    .action(init)
}
