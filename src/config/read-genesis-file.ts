/** The genesis file of a data directory, from the disk. Reading its text is genesis-file.ts's, which runs anywhere. */
import { readFileSync } from 'node:fs'
import type { Genesis } from '../types/genesis.ts'
import { GenesisError, parseGenesis } from './genesis-file.ts'

/**
 * Reads the genesis file of a data directory.
 * @throws GenesisError `E_GENESIS` (65) as {@link parseGenesis}, and when the file cannot be read
 */
export function readGenesisFile(path: string): Genesis {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new GenesisError('E_GENESIS', `${path} cannot be read: ${(cause as Error).message}`, {
      fix: "put the network's genesis.json there: the very file that the other nodes have",
      exitCode: 65,
      cause,
    })
  }
  return parseGenesis(text, path)
}
