/**
 * The maverick as a process: `node main.ts --habits a,b --data <dir> [--setting value]`. Runs the real node of this
 * source tree, with its real storage, network and consensus, after giving the process its habits.
 */

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { genesisHash, validatorId } from '../../../src/codec/genesis.ts'
import { openDataDirectory } from '../../../src/config/data-directory.ts'
import { SETTABLE_FIELDS } from '../../../src/config/fields.ts'
import { parseGenesis } from '../../../src/config/genesis-file.ts'
import { loadConfig } from '../../../src/config/load.ts'
import { loadIdentity } from '../../../src/crypto/keystore.ts'
import { selectMlDsa65 } from '../../../src/crypto/select.ts'
import { createLogger } from '../../../src/observability/logger.ts'
import { startNode } from '../../../src/validator-node.ts'
import { isHabit, oppositeFindings } from './habits.ts'
import { misbehave } from './misbehave.ts'

const settings = Object.fromEntries(
  SETTABLE_FIELDS.map(({ name, kind }) => [name, { type: 'string' as const, multiple: kind === 'list' }]),
)
const { values } = parseArgs({
  options: { ...settings, habits: { type: 'string' }, data: { type: 'string' } },
})
const { habits, data, ...flags } = values as Record<string, string | string[] | undefined>
const names = String(habits ?? '').split(',')
const unknown = names.filter((name) => !isHabit(name))
if (unknown.length > 0) throw new Error(`no such habit: ${unknown.join(', ')}`)

const { directory } = openDataDirectory(String(data))
const { config } = loadConfig(
  directory.config,
  Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined)) as Record<
    string,
    string | string[]
  >,
)
const logger = createLogger(config.log)
const told = logger.module('maverick')
const genesis = parseGenesis(await readFile(directory.genesis, 'utf8'), directory.genesis)
const { keyPair } = await loadIdentity(join(directory.keys, 'identity.json'), selectMlDsa65())
const own = validatorId(keyPair.publicKey.raw)
misbehave(
  new Set(names.filter(isHabit)),
  { keyPair, genesisHash: genesisHash(genesis) },
  genesis.validators.map(({ id }) => id).filter((id) => id !== own),
  (kind, view) => told.debug({ kind, view }, 'the maverick misbehaved'),
)

const index = genesis.validators.findIndex(({ id }) => id === own)
const conduct = {
  ...(names.includes('lie-in-verdicts') ? { findings: oppositeFindings } : {}),
  // Or it would put its openings into the blocks that it leads.
  ...(names.includes('withhold-openings') ? { leavesOut: (voter: number) => voter === index } : {}),
}
const node = await startNode({ dataDir: directory.root, config, logger, conduct })
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void node.stop())
// Ends with the process that started it, as the nodes beside it do.
process.once('disconnect', () => process.exit(1))
logger.info({ habits: names, pid: process.pid }, 'maverick started')
await node.stopped
process.exit(0)
