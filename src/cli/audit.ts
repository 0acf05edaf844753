/** `audit verify`: whether the log of all validation calls is as the node wrote it. Works on files, without a node. */

import type { Command } from 'commander'
import { auditFolder } from '../composition/node-audit.ts'
import { openDataDirectory } from '../config/data-directory.ts'
import { loadConfig } from '../config/load.ts'
import { type AuditCheck, checkAuditLog } from './audit-check.ts'
import { CliError, usageError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { defaultNode } from './node-location.ts'
import { print, printJson } from './print.ts'

interface VerifyOptions {
  readonly data?: string
  readonly path?: string
  readonly json?: boolean
}

function folderOf({ data, path }: VerifyOptions): string {
  if (path !== undefined) return path
  const node = data ?? defaultNode()
  if (node === undefined) throw usageError('no node is set up here', 'name its data directory with --data')
  const { directory } = openDataDirectory(node)
  return auditFolder(directory.root, loadConfig(directory.config, {}).config.audit)
}

async function check(folder: string): Promise<AuditCheck> {
  try {
    return await checkAuditLog(folder)
  } catch (cause) {
    throw new CliError('E_FILE', `the audit log in ${folder} cannot be read`, {
      why: (cause as Error).message,
      fix: 'run as a user who may read it, or name a copy with --path',
      exitCode: EXIT.data,
      cause,
    })
  }
}

/** What a person reads of a log that is in order. */
export function auditLines({ files, lines, first, head, lostCalls }: AuditCheck): string[] {
  return [
    `in order: ${lines} lines in ${files} ${files === 1 ? 'file' : 'files'}, ${first} to ${head?.sequence}`,
    ...(first === 1 ? [] : [`  older      lines 1 to ${(first ?? 1) - 1} are gone with their files`]),
    ...(lostCalls === 0 ? [] : [`  missing    ${lostCalls} calls, as the log says itself`]),
    `  newest     ${head?.hash}`,
  ]
}

async function verify(options: VerifyOptions): Promise<void> {
  const folder = folderOf(options)
  const found = await check(folder)
  if (options.json === true) printJson(found)
  const { broken } = found
  if (broken !== null) {
    throw new CliError('E_AUDIT_BROKEN', `line ${broken.line} of ${broken.path} breaks the chain`, {
      why: broken.why,
      fix: 'compare it with a copy; every line before it is as it was written',
      exitCode: EXIT.failure,
    })
  }
  if (found.lines === 0) {
    throw new CliError('E_AUDIT_NONE', `there is no audit log in ${folder}`, {
      fix: 'name another data directory with --data, or the folder with --path; "audit.enabled" must be true',
      exitCode: EXIT.data,
    })
  }
  if (options.json !== true) for (const line of auditLines(found)) print(line)
}

export function registerAuditCommand(program: Command): void {
  const noun = program.command('audit').description('the log of all validation calls').helpCommand(false)
  noun
    .command('verify')
    .description('check the chain of the audit log and name the first line that breaks it')
    .option('--data <dir>', 'data directory (default: the node that is set up here)')
    .option('--path <folder>', 'the folder with the files instead, as for a copy')
    .option('--json', 'print what was found')
    .addHelpText(
      'after',
      '\nExit code: 0 in order, 1 a line breaks the chain, 65 there is no log.' +
        '\n\nExample:\n  $ hypermesh audit verify --data ./net/node-0',
    )
    .action((options: VerifyOptions) => verify(options))
}
