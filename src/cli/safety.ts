/**
 * `safety show|export|import`: what a validator's key has signed, and how it moves to another machine. There is no
 * verb that removes or lowers anything.
 */

import { closeSync, fsyncSync, openSync, statSync, writeFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { ShownSafety } from '../composition/safety-transfer.ts'
import { CliError, usageError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { defaultNode } from './node-location.ts'
import { readTextFile } from './parse-options.ts'
import { columns, print, printJson } from './print.ts'

interface DataOptions {
  readonly data?: string
}

function dataOf(options: DataOptions): string {
  const data = options.data ?? defaultNode()
  if (data === undefined) throw usageError('no node is set up here', 'name its data directory with --data')
  return data
}

interface Figures {
  readonly kind: string
  readonly epoch: string
  readonly view: string
  readonly height: string | null
  readonly content: string
}

async function figuresOf({ record, genesisHash }: ShownSafety): Promise<Figures[]> {
  const { recordedMessages, signedEntry } = await import('../composition/safety-slots.ts')
  return recordedMessages(record).map((message) => {
    const { epoch, view, height, block_hash, high_qc_view } = signedEntry(genesisHash, message)
    const content = block_hash ?? `gave the view up, with a certificate of view ${high_qc_view}`
    return { kind: message.kind, epoch, view, height: height ?? null, content }
  })
}

async function show(options: DataOptions & { readonly json?: boolean }): Promise<void> {
  const { showSafety } = await import('../composition/safety-transfer.ts')
  const { selectMlDsa65 } = await import('../crypto/select.ts')
  const shown = await showSafety(dataOf(options), selectMlDsa65())
  const { validatorId, genesisHash, record, refuseUpToView, isHere } = shown
  const signed = await figuresOf(shown)
  const lock =
    record.highQc === null ? null : { view: record.highQc.view, blockHash: record.highQc.blockHash }
  if (options.json === true) {
    printJson({ validatorId, genesisHash, signed, lock, refuseUpToView, listensBeforeSigning: !isHere })
    return
  }
  print(`validator  ${validatorId}`)
  print(`network    ${genesisHash}`)
  const rows = signed.map(({ kind, epoch, view, height, content }) => [
    kind,
    view,
    epoch,
    height ?? '-',
    content,
  ])
  if (rows.length === 0) print('signed     nothing')
  else for (const line of columns([['signed', 'view', 'epoch', 'height', 'what'], ...rows])) print(line)
  print(`lock       ${lock === null ? 'none' : `view ${lock.view}, block ${lock.blockHash}`}`)
  if (refuseUpToView > 0) print(`refuses    everything up to view ${refuseUpToView} (imported mark)`)
  print(`next start ${isHere ? 'signs at once' : 'listens whether the key is in use elsewhere, then signs'}`)
}

async function exportTo(options: DataOptions & { readonly out?: string }): Promise<void> {
  const { takeSafety } = await import('../composition/safety-transfer.ts')
  const { formatSafetyFile, SAFETY_FILE_BYTES_MAX } = await import('../composition/safety-interchange.ts')
  const { selectMlDsa65 } = await import('../crypto/select.ts')
  const taken = await takeSafety(dataOf(options), selectMlDsa65())
  const text = formatSafetyFile(taken.genesisHash, taken)
  if (text.length > SAFETY_FILE_BYTES_MAX) {
    throw new CliError('E_SAFETY_FILE_SIZE', `the record would be a file of ${text.length} bytes`, {
      why: `no import reads more than ${SAFETY_FILE_BYTES_MAX} bytes`,
      fix: 'start the node once until it is ready, so that its blocks become final, and stop it again',
      exitCode: EXIT.data,
    })
  }
  if (options.out === undefined) process.stdout.write(text)
  else {
    writeNew(options.out, text)
    print(`${options.out} holds what validator ${taken.validatorId} has signed`)
    print('It is the newest record only as long as the key signs nothing: do not start this node again.')
  }
}

/** Durable, readable by the owner only, and never over anything. */
function writeNew(path: string, text: string): void {
  try {
    const file = openSync(path, 'wx', 0o600)
    try {
      writeFileSync(file, text)
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw new CliError('E_OUT', `${path} cannot be written`, {
      why: (error as Error).message,
      fix: 'choose another name with --out; nothing is ever overwritten',
      exitCode: EXIT.dataDirectory,
      cause: error,
    })
  }
}

async function importFrom(path: string, options: DataOptions & { readonly json?: boolean }): Promise<void> {
  const { importSafety } = await import('../composition/safety-transfer.ts')
  const { SAFETY_FILE_BYTES_MAX } = await import('../composition/safety-interchange.ts')
  const { selectMlDsa65 } = await import('../crypto/select.ts')
  const bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0
  if (bytes > SAFETY_FILE_BYTES_MAX) {
    throw new CliError('E_SAFETY_FILE_SIZE', `${path} has ${bytes} bytes`, {
      why: `no import reads more than ${SAFETY_FILE_BYTES_MAX} bytes`,
      fix: 'check that it is the file that "hypermesh safety export" wrote',
      exitCode: EXIT.data,
    })
  }
  const data = dataOf(options)
  const text = readTextFile(path, 'safety record')
  const { record, refuseUpToView } = await importSafety(data, { name: path, text }, selectMlDsa65())
  const { recordedMessages } = await import('../composition/safety-slots.ts')
  const views = Object.fromEntries(recordedMessages(record).map(({ kind, view }) => [kind, view]))
  if (options.json === true) {
    printJson({ data, views, refuseUpToView })
    return
  }
  const list = Object.entries(views).map(([kind, view]) => `${kind} ${view}`)
  print(`imported; newest views signed: ${list.length === 0 ? 'none' : list.join(', ')}`)
  if (refuseUpToView > 0) print(`nothing is signed up to view ${refuseUpToView}: only a mark is known there`)
  print('The node listens whether the key is in use elsewhere before it signs.')
}

export function registerSafetyCommand(program: Command): void {
  const safety = program
    .command('safety')
    .description("show, take out or bring in the record of what a validator's key has signed")
    .helpCommand(false)
  safety
    .command('show')
    .description('show what the key has signed last')
    .option('--data <dir>', 'data directory (default: the node that is set up here)')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ hypermesh safety show --data ./net/node-0')
    .action(show)
  safety
    .command('export')
    .description('write the record of a node that is stopped, to move its key to another machine')
    .option('--data <dir>', 'data directory (default: the node that is set up here)')
    .option('--out <file>', 'file to make, readable by you only (default: standard output)')
    .addHelpText('after', '\nExample:\n  $ hypermesh safety export --data ./net/node-0 --out ./safety.json')
    .action(exportTo)
  safety
    .command('import')
    .description('bring in a record: it is joined with the one that is there, and nothing is ever lowered')
    .argument('<file>', 'what "safety export" wrote where the key was in use')
    .option('--data <dir>', 'data directory (default: the node that is set up here)')
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  $ hypermesh safety import ./safety.json --data ./my-node')
    .action(importFrom)
}
