/**
 * `wallet`: shielded money. Keys and notes lie in a file of the user's own, under a passphrase; a node is asked only for
 * what it tells everybody, and handed finished transactions.
 */

import { type Command, Option } from 'commander'
import type { AccountId } from '../types/primitives.ts'
import type { HistoryLine, Order, Outgoing, Wallet } from '../wallet/index.ts'
import { addApiOptions } from './api-client.ts'
import { accountOption, amountOption, u64Option } from './parse-options.ts'
import { columns, print, printJson } from './print.ts'
import type { WalletOptions } from './wallet/wallet-client.ts'

/** The same for everybody who does not say otherwise: a fee of one's own is a mark. */
const FEE_DEFAULT = 1n

interface PayOptions extends WalletOptions {
  readonly amount: bigint
  readonly fee: bigint
}

async function create(options: WalletOptions): Promise<void> {
  const { makeWallet } = await import('./wallet/wallet-client.ts')
  const { path, network, address } = await makeWallet(options)
  if (options.json === true) {
    printJson({ wallet: path, network: network.name, genesisHash: network.genesisHash, address })
    return
  }
  print(`wallet   ${path}`)
  print(`network  ${network.name} (genesis ${network.genesisHash})`)
  print(`address  ${address}`)
  print('Keep a copy of the file and the passphrase: nobody can restore either. Experimental, not audited.')
}

async function address(options: WalletOptions): Promise<void> {
  const { withWallet } = await import('./wallet/wallet-client.ts')
  const text = await withWallet(options, async (wallet) => wallet.address)
  if (options.json === true) printJson({ address: text })
  else print(text)
}

type Shown = Pick<Wallet, 'cursor' | 'isConfirmed'> & { readonly balance: ReturnType<Wallet['balance']> }

export function balanceLines({ balance, cursor, isConfirmed }: Shown): string[] {
  const { spendable, held, expected } = balance
  const isWaiting = held > 0n || expected > 0n
  return [
    `spendable  ${spendable}`,
    ...(isWaiting
      ? [`held       ${held}, by transactions on their way`, `expected   ${expected}, when those are final`]
      : []),
    `read up to height ${cursor.height}, ${cursor.entries} shielded transactions`,
    ...(isConfirmed
      ? []
      : ['not read to its end: what is shown may be wrong until "wallet scan" has come to it']),
  ]
}

async function balance(options: WalletOptions): Promise<void> {
  const { withWallet } = await import('./wallet/wallet-client.ts')
  const shown = await withWallet(options, async (wallet) => ({
    balance: wallet.balance(),
    cursor: wallet.cursor,
    isConfirmed: wallet.isConfirmed,
  }))
  if (options.json === true) {
    printJson({ ...shown.balance, ...shown.cursor, isConfirmed: shown.isConfirmed })
    return
  }
  for (const line of balanceLines(shown)) print(line)
}

async function scan(options: WalletOptions & { again?: boolean }): Promise<void> {
  const { scanWallet } = await import('./wallet/wallet-client.ts')
  const { scan: progress, wallet } = await scanWallet(options, options.again === true)
  if (options.json === true) {
    printJson({ found: progress.found, ...wallet.balance, ...wallet.cursor })
    return
  }
  print(`${progress.found === 1 ? '1 note' : `${progress.found} notes`} found`)
  for (const line of balanceLines(wallet)) print(line)
}

/** The ends of what is long. */
function short(text: string): string {
  return text.length <= 20 ? text : `${text.slice(0, 11)}…${text.slice(-6)}`
}

export function historyRows(lines: readonly HistoryLine[]): string[] {
  const rows = lines.map(({ kind, amount, fee, to, from, state, height, hash }) => [
    state === 'final' ? `height ${height}` : state,
    kind,
    `${amount}`,
    fee === 0n ? '' : `fee ${fee}`,
    kind === 'merge' || (to === null && from === null)
      ? ''
      : from === null
        ? `to ${short(to ?? '')}`
        : `from ${short(from)}`,
    hash === null ? 'genesis' : short(hash),
  ])
  return rows.length === 0 ? ['nothing happened yet'] : columns(rows)
}

async function history(options: WalletOptions): Promise<void> {
  const { withWallet } = await import('./wallet/wallet-client.ts')
  const lines = await withWallet(options, async (wallet) => wallet.history())
  if (options.json === true) printJson(lines)
  else for (const line of historyRows(lines)) print(line)
}

async function perform(options: PayOptions, orderOf: (wallet: Wallet) => Promise<Order>): Promise<void> {
  const { performOrder } = await import('./wallet/wallet-client.ts')
  const isJson = options.json === true
  const done = await performOrder(options, orderOf, (line) => (isJson ? undefined : print(line)))
  const last = done.at(-1) as Outgoing
  const fees = done.reduce((sum, { fee }) => sum + fee, 0n)
  if (isJson)
    printJson({
      key: last.key,
      hash: last.hash,
      height: last.height,
      amount: last.amount,
      fees,
      transactions: done.length,
    })
  else print(`final: ${last.amount} with fees of ${fees}, transaction ${last.hash} at height ${last.height}`)
}

async function send(options: PayOptions & { to: string }): Promise<void> {
  const { addressFrom } = await import('./wallet/wallet-client.ts')
  const { amount, fee } = options
  const to = addressFrom(options.to)
  await perform(options, async () => ({ kind: 'send', to, amount, fee }))
}

async function deposit(options: PayOptions): Promise<void> {
  const { depositOrder } = await import('./wallet/wallet-client.ts')
  await perform(options, () => depositOrder(options, options.amount, options.fee))
}

/** To an account that is named, else to that of the data directory. */
async function withdraw(options: PayOptions & { to?: AccountId }): Promise<void> {
  const { openSigner } = await import('./stake-client.ts')
  const { amount, fee } = options
  const to = options.to ?? (await openSigner(options)).id
  await perform(options, async () => ({ kind: 'withdraw', to, amount, fee }))
}

export function registerWalletCommand(program: Command): void {
  const wallet = program
    .command('wallet')
    .description('keep, receive and send shielded money (experimental, not audited)')
    .helpCommand(false)
  const named = (command: Command, example: string): Command =>
    command
      .option('--wallet <file>', 'the wallet (default: wallet.json beside the networks of this machine)')
      .option(
        '--passphrase-file <file>',
        'file whose first line is the passphrase (else HYPERMESH_WALLET_PASSPHRASE, else it is asked for)',
      )
      .addHelpText('after', `\nExample:\n  $ hypermesh wallet ${example}`)
  const verb = (name: string, description: string, example: string): Command =>
    named(addApiOptions(wallet.command(name).description(description)), example)
  /** Looks into the file alone. */
  const offlineVerb = (name: string, description: string, example: string): Command =>
    named(wallet.command(name).description(description).option('--json', 'print JSON'), example)
  const payingVerb = (name: string, description: string, example: string): Command =>
    verb(name, description, example)
      .requiredOption('--amount <n>', 'how much arrives; the fee comes on top', amountOption)
      .addOption(
        new Option('--fee <n>', 'of each transaction, to the proposer of its block')
          .argParser(u64Option)
          .default(FEE_DEFAULT, `${FEE_DEFAULT}`),
      )
  const genesis = [
    '--genesis <file>',
    "the network's genesis.json (default: that of --data or of the node that is set up here)",
  ] as const

  verb('new', 'make a wallet', 'new --wallet ./alice.json')
    .option(...genesis)
    .action(create)
  offlineVerb('address', 'print where the wallet is paid', 'address --wallet ./alice.json').action(address)
  offlineVerb('balance', 'show what is in it, as of the last scan', 'balance --wallet ./alice.json').action(
    balance,
  )
  verb('scan', 'read the chain from where it was left', 'scan --wallet ./alice.json')
    .option('--again', 'from its beginning: where the tree is damaged or a node has lied')
    .option(...genesis)
    .action(scan)
  payingVerb('send', 'pay an address', 'send --wallet ./alice.json --to ./bob.address --amount 500')
    .requiredOption('--to <address>', 'who is paid: an address, or a file that holds it')
    .action(send)
  offlineVerb('history', 'list what came and went', 'history --wallet ./alice.json').action(history)
  payingVerb(
    'deposit',
    'turn balance of an account into shielded money',
    'deposit --wallet ./alice.json --data ./net/node-0 --amount 1000',
  ).action(deposit)
  payingVerb(
    'withdraw',
    'turn shielded money into balance of an account, for all to see',
    'withdraw --wallet ./alice.json --data ./net/node-0 --amount 1000',
  )
    .option('--to <id>', "account (default: that of the data directory's key)", accountOption)
    .action(withdraw)
}
