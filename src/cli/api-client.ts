/** Calls a node's public API over HTTP. Shapes are those of rpc/http/api-ports.ts as JSON; it checks the status only. */

import type { Command } from 'commander'
import { apiFailure } from './api-failure.ts'
import { CliError } from './errors.ts'
import { apiAddress } from './node-location.ts'

/** Options of every command that asks a node. */
export interface ApiOptions {
  readonly api?: string
  readonly data?: string
  readonly json?: boolean
}

/** Which node to ask, for a command with one form of output. */
export function addNodeOptions(command: Command): Command {
  return command
    .option('--data <dir>', 'data directory of the node to ask (default: the node that is set up here)')
    .option('--api <url>', 'base URL of the API to ask instead')
}

export function addApiOptions(command: Command): Command {
  return addNodeOptions(command).option('--json', 'print the raw answer')
}

const DEADLINE_MS = 5_000

/**
 * GETs one route.
 * @returns the parsed body of a 2xx answer
 * @throws CliError `E_NO_ANSWER` (69) when nobody answers, `E_NOT_FOUND` or `E_API` (1) for another status
 */
export function askApi(options: ApiOptions, route: string): Promise<unknown> {
  return call(options, route, {})
}

/**
 * POSTs JSON to one route.
 * @returns as {@link askApi}
 * @throws CliError as {@link askApi}
 */
export function tellApi(options: ApiOptions, route: string, body: object): Promise<unknown> {
  return call(options, route, { method: 'POST', body: JSON.stringify(body) })
}

async function call(options: ApiOptions, route: string, init: RequestInit): Promise<unknown> {
  const base = apiAddress(options)
  let response: Response
  let text: string
  try {
    response = await fetch(`${base}${route}`, { ...init, signal: AbortSignal.timeout(DEADLINE_MS) })
    text = await response.text()
  } catch (error) {
    throw apiFailure(base, error)
  }
  if (response.ok) return JSON.parse(text) as unknown
  const problem = parseProblem(text)
  throw new CliError(
    response.status === 404 ? 'E_NOT_FOUND' : 'E_API',
    problem.detail ?? `the node answered ${response.status}`,
    {
      why: `${base}${route} answered ${response.status}`,
      fix: problem.fix ?? fixOf(response.status),
    },
  )
}

/** What to do about an answer that does not say it itself. */
function fixOf(status: number): string {
  if (status === 429 || status === 503)
    return 'wait a moment and try again; "hypermesh status" says how the node is'
  if (status >= 500) return 'look into the log of the node'
  return 'check that --api is the public API of a hypermesh node of this version'
}

/** RFC 9457 body of an error, as far as it is one. */
function parseProblem(text: string): { detail?: string; fix?: string } {
  try {
    const { detail, fix } = JSON.parse(text) as { detail?: unknown; fix?: unknown }
    return {
      ...(typeof detail === 'string' ? { detail } : {}),
      ...(typeof fix === 'string' ? { fix } : {}),
    }
  } catch {
    return {}
  }
}
