/**
 * `start`: runs one node in this process until it is asked to stop. What a node consists of is validator-node.ts's
 * business; here are the data directory, the configuration, run.json and the signals.
 */

import type { Command } from 'commander'
import { BUILD } from '../config/build-info.ts'
import { openDataDirectory } from '../config/data-directory.ts'
import { loadConfig } from '../config/load.ts'
import { removeRunInfo, writeRunInfo } from '../config/run-file.ts'
import { createLogger } from '../observability/logger.ts'
import { addConfigOptions, flagsOf } from './config-options.ts'
import { usageError } from './errors.ts'
import { letHeapGrow, letHeapGrowApart } from './heap.ts'
import { defaultNode } from './node-location.ts'
import { exitCodeOf, onStopSignals } from './stop-signals.ts'
import { checkTrust } from './trust-option.ts'

interface StartOptions {
  readonly data?: string
  readonly iHaveNeverSigned?: boolean
  readonly trust?: string
}

async function start(data: string, options: StartOptions, command: Command): Promise<void> {
  const { directory } = openDataDirectory(data)
  checkTrust(options.trust)
  const trust = options.trust === undefined ? {} : { 'sync.trust': options.trust }
  const { config } = loadConfig(directory.config, { ...flagsOf(command), ...trust })
  const logger = createLogger(config.log)
  const stopping = Promise.withResolvers<void>()
  onStopSignals(
    ['SIGINT', 'SIGTERM', 'SIGHUP'],
    (signal) => {
      logger.info({ signal }, 'stopping; a second signal ends at once')
      stopping.resolve()
    },
    (signal) => process.exit(exitCodeOf(signal)),
  )
  const { startNode } = await import('../validator-node.ts')
  const hasNeverSigned = options.iHaveNeverSigned === true
  const node = await startNode({ dataDir: directory.root, config, logger, hasNeverSigned })
  const { addresses } = node
  try {
    const startedAt = new Date().toISOString()
    writeRunInfo(directory, { pid: process.pid, startedAt, version: BUILD.version, addresses })
    logger.info({ ...addresses, pid: process.pid, ...BUILD }, 'node started')
    letHeapGrowApart()
    await Promise.race([stopping.promise, node.stopped])
  } finally {
    letHeapGrow()
    await node.stop()
    removeRunInfo(directory)
    logger.info({}, 'node stopped')
  }
}

export function registerStartCommand(program: Command): void {
  const command = program.command('start').description('run a node')
  command
    .option('--data <dir>', 'its data directory (default: the node that is set up here)')
    .option('--trust <height:block-id>', 'the same as --sync.trust')
    .option('--i-have-never-signed', 'begin the safety record of a key that has never signed anything; once')
  addConfigOptions(command)
    .addHelpText('after', '\nExample:\n  $ hypermesh start --data ./net/node-0 --log.level info,p2p=debug')
    .action(async (options: StartOptions) => {
      const data = options.data ?? defaultNode()
      if (data === undefined) {
        throw usageError(
          'no node is set up here',
          'name a data directory with --data, or make one with "hypermesh init"',
        )
      }
      await start(data, options, command)
    })
}
