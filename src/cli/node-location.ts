/**
 * Finds the node that a command means: the data directory given, or the one there is. With several networks on a
 * machine it asks which, rather than choose.
 */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  type DataDirectory,
  dataDirectoryAt,
  defaultDataHome,
  isInitialised,
  requireInitialised,
} from '../config/data-directory.ts'
import { isRunning, readRunInfo } from '../config/run-file.ts'
import { CliError, usageError } from './errors.ts'
import { EXIT } from './exit-codes.ts'

/** Name of the network that `devnet` makes, and of its folder. */
export const DEVNET_NAME = 'dev'

/** Where `devnet` keeps its validators unless told otherwise. */
export function defaultDevnetFolder(): string {
  return join(defaultDataHome(), DEVNET_NAME)
}

/** Folder of the i-th validator of a devnet. */
export function devnetValidatorFolder(folder: string, index: number): string {
  return join(folder, `validator-${index}`)
}

/** Where the demonstration wallet of a devnet lies, and its passphrase. */
export function demoWalletFiles(folder: string): { readonly wallet: string; readonly passphrase: string } {
  return { wallet: join(folder, 'wallet.json'), passphrase: join(folder, 'wallet.passphrase') }
}

/** Initialised nodes in their default places, one per network. */
function defaultNodes(): string[] {
  const home = defaultDataHome()
  if (!existsSync(home)) return []
  return readdirSync(home)
    .map((name) => join(home, name))
    .filter((path) => isInitialised(dataDirectoryAt(path)))
}

/** The data directory of the one node that is set up here; undefined when there is none. */
export function defaultNode(): string | undefined {
  const nodes = defaultNodes()
  if (nodes.length > 1) {
    throw usageError(`there are several nodes here: ${nodes.join(', ')}`, 'say which one with --data')
  }
  return nodes[0]
}

function runningApi(directory: DataDirectory): string | undefined {
  const info = readRunInfo(directory)
  return info !== undefined && isRunning(info) ? info.addresses.api : undefined
}

/** @throws CliError `E_USAGE` (64) for what is no address of an HTTP API */
function baseUrl(api: string): string {
  if (!/^https?:\/\//.test(api) || !URL.canParse(api)) {
    throw usageError(`--api ${api}: not the URL of an API`, 'write it like http://127.0.0.1:9441')
  }
  return api.replace(/\/+$/, '')
}

/** Another node of this machine must not answer in its place. */
function notRunning(data: string): never {
  requireInitialised(dataDirectoryAt(data))
  throw new CliError('E_NO_ANSWER', `the node of ${data} does not run`, {
    fix: `start it with "hypermesh start --data ${data}", or name another one with --api`,
    exitCode: EXIT.network,
  })
}

/**
 * Base URL of the public API to ask.
 * @param options `api` wins; else the node of `data`; else the node set up here; else the devnet's first
 *   validator that runs; else the default address
 * @throws CliError `E_NO_ANSWER` (69) when the node that is meant does not run, DataDirectoryError (73) when it is none
 */
export function apiAddress(options: { readonly api?: string; readonly data?: string }): string {
  if (options.api !== undefined) return baseUrl(options.api)
  const fallback = 'http://127.0.0.1:9441'
  const data = options.data ?? defaultNode()
  if (data !== undefined) return runningApi(dataDirectoryAt(data)) ?? notRunning(data)
  for (let i = 0; existsSync(devnetValidatorFolder(defaultDevnetFolder(), i)); i++) {
    const address = runningApi(dataDirectoryAt(devnetValidatorFolder(defaultDevnetFolder(), i)))
    if (address !== undefined) return address
  }
  return fallback
}
