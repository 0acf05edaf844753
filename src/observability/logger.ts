/**
 * The node's log: one JSON object per line for machines, one readable line for a person at a terminal. Everything
 * happens in this thread: a worker would lose the last lines of a crash, which are the ones wanted. A level for
 * all, and one for each module. Key material never gets out, whatever a caller puts into the fields.
 */

import { type DestinationStream, pino, stdTimeFunctions } from 'pino'
import type { Logger } from '../types/logger.ts'
import { humanLine } from './human-line.ts'

/** A logger that can name a part of the node; the part has its own level. */
export interface ModuleLogger extends Logger {
  /** `p2p`, or below it `p2p.gossip`; a level set for `p2p` holds below it too. */
  module(name: string): ModuleLogger
}

export interface LoggerOptions {
  /** `info`, or `info,p2p=debug`. */
  readonly level: string
  readonly format: 'auto' | 'human' | 'json'
  /** Where lines go; standard output when absent. */
  readonly output?: { readonly isTTY?: boolean; write(line: string): unknown }
}

/** Names under which key material could get into the fields by mistake, at the top or one level down. */
const SECRET_NAMES = [
  'seed',
  'secretKey',
  'privateKey',
  'secret',
  'sharedSecret',
  'password',
  'passphrase',
  'token',
]
const SECRET_PATHS = SECRET_NAMES.flatMap((name) => [name, `*.${name}`])

/** The level for all, and for each module that has its own. */
function parseLevels(spec: string): { base: string; modules: ReadonlyMap<string, string> } {
  const [base = 'info', ...rest] = spec.split(',')
  return { base, modules: new Map(rest.map((part) => part.split('=') as [string, string])) }
}

function levelOf(name: string, levels: ReturnType<typeof parseLevels>): string {
  for (let at = name; ; at = at.slice(0, at.lastIndexOf('.'))) {
    const level = levels.modules.get(at)
    if (level !== undefined) return level
    if (!at.includes('.')) return levels.base
  }
}

/** Bytes as hex and bigints as text: JSON has neither. Errors keep their stack only when they are bugs of ours. */
function plainFields(fields: Record<string, unknown>): Record<string, unknown> {
  const plain: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(fields)) {
    if (value instanceof Uint8Array) plain[key] = Buffer.from(value).toString('hex')
    else if (typeof value === 'bigint') plain[key] = value.toString()
    else if (value instanceof Error) plain[key] = describeError(value)
    else plain[key] = value
  }
  return plain
}

function describeError(error: Error): object {
  const { code } = error as { code?: unknown }
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : { stack: error.stack }),
    ...(error.cause instanceof Error ? { cause: describeError(error.cause) } : {}),
  }
}

/** The root of all loggers of this process. */
export function createLogger(options: LoggerOptions): ModuleLogger {
  const output = options.output ?? process.stdout
  const isHuman = options.format === 'human' || (options.format === 'auto' && output.isTTY === true)
  const stream: DestinationStream = {
    write: (line) => output.write(isHuman ? humanLine(line, output.isTTY === true) : line),
  }
  const levels = parseLevels(options.level)
  const root = pino(
    {
      level: levels.base,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: plainFields },
      redact: { paths: SECRET_PATHS, censor: '[redacted]' },
    },
    stream,
  )

  const wrap = (inner: typeof root, name: string): ModuleLogger => ({
    debug: (fields, message) => inner.debug(fields, message),
    info: (fields, message) => inner.info(fields, message),
    warn: (fields, message) => inner.warn(fields, message),
    error: (fields, message) => inner.error(fields, message),
    module: (part) => {
      const full = name === '' ? part : `${name}.${part}`
      return wrap(root.child({ module: full }, { level: levelOf(full, levels) }), full)
    },
  })
  return wrap(root, '')
}
