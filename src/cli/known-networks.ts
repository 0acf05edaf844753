/**
 * Which networks this machine knows, by genesis hash: a session can only be opened by one who names the network. Looks
 * at the nodes set up here and at the API of one that runs; asks nobody else.
 */

import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isHex } from '../codec/hex.ts'
import { dataDirectoryAt, defaultDataHome, isInitialised, readDataVersion } from '../config/data-directory.ts'
import type { StatusView } from '../rpc/http/api-ports.ts'
import type { GenesisHash } from '../types/primitives.ts'
import { askApi } from './api-client.ts'

/** Genesis hash of a data directory, or of a devnet's folder by its first node; undefined when it is neither. */
export function genesisOfData(path: string): GenesisHash | undefined {
  const folders = [path, ...subfolders(path)]
  const found = folders.map(dataDirectoryAt).find(isInitialised)
  if (found === undefined) return undefined
  const { genesis } = readDataVersion(found)
  return isHex(genesis, 32) ? (genesis as GenesisHash) : undefined
}

/** Networks of all nodes in their default places, then that of the node whose API answers; each once. */
export async function knownNetworks(): Promise<GenesisHash[]> {
  const here = subfolders(defaultDataHome()).map(genesisOfData)
  const status = (await askApi({}, '/v1/status').catch(() => ({}))) as Partial<StatusView>
  const running = status.genesisHash ?? ''
  const all = [...here, isHex(running, 32) ? (running as GenesisHash) : undefined]
  return [...new Set(all.filter((genesis) => genesis !== undefined))]
}

function subfolders(path: string): string[] {
  if (!existsSync(path)) return []
  return readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(path, entry.name))
}
