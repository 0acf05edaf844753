/** Trust as nodes show it, and requests that it comes from. */
import { expect } from 'vitest'
import type { TrustHistoryView, ValidatorView } from '../../../src/rpc/http/api-ports.ts'
import { ask } from './ca-client.ts'
import { certificate, certificateBody } from './fresh.ts'
import type { NodeProcess } from './node-process.ts'

export type Trust = NonNullable<ValidatorView['trust']>

async function get<T>(url: string): Promise<T> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) })
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status} ${await response.text()}`)
  return (await response.json()) as T
}

export function validatorsAt(node: NodeProcess): Promise<(ValidatorView & { trust: Trust })[]> {
  return get(`${node.api}/v1/validators`)
}

export async function trustAt(node: NodeProcess): Promise<Trust[]> {
  return (await validatorsAt(node)).map(({ trust }) => trust)
}

/** @param id of a validator or of its account */
export function trustHistoryAt(node: NodeProcess, id: string): Promise<TrustHistoryView> {
  return get(`${node.api}/v1/validators/${id}/trust`)
}

/** The value of one line of a node's metrics. @param metrics `http://127.0.0.1:9442` */
export async function metricAt(metrics: string, series: string): Promise<number> {
  const text = await (await fetch(`${metrics}/metrics`, { signal: AbortSignal.timeout(5_000) })).text()
  const line = text.split('\n').find((row) => row.startsWith(`${series} `))
  if (line === undefined) throw new Error(`no series ${series}`)
  return Number(line.slice(series.length))
}

/** Asks for a verdict on a new request, good or bad by turns, and expects the right one. */
export async function judgedRightly(node: NodeProcess, isGood: boolean): Promise<void> {
  const { text } = await ask(
    node.ca,
    'certificate',
    certificateBody(certificate(isGood ? {} : { bad: 'stake' })),
  )
  const { result } = JSON.parse(text)
  expect(isGood ? result : result.Invalid?.failed_proofs).toEqual(isGood ? 'Valid' : ['stake_proof'])
}
