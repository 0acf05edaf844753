/** docs/reference/http.md: every route of the three listeners, and the shapes of their answers from the sources. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HttpRoute } from '../../src/observability/metrics.ts'
import { httpStatusOf } from '../../src/rpc/http/ca-server.ts'
import { PARAMETER_CHARACTERS_MAX } from '../../src/rpc/http/listener.ts'
import { TRANSACTION_BODY_BYTES_MAX } from '../../src/rpc/http/staking-routes.ts'
import { JSON_BYTES_MAX } from '../../src/rpc/lossless-json.ts'
import type { AnswerErrorCode } from '../../src/validation/answer.ts'
import { RECEIPT_WAIT_MS_MAX } from '../../src/validation/receipt-desk.ts'
import { bytes, code, document, fenced, table } from './markdown.ts'

/** Which listener answers a route. */
export type Listener = 'ca' | 'api' | 'metrics'

export interface Route {
  readonly method: 'GET' | 'POST'
  readonly listeners: readonly Listener[]
  readonly text: string
}

/** By the patterns that metrics have for them: a route that is missing here does not compile. */
export const ROUTES: Readonly<Record<Exclude<HttpRoute, 'other'>, Route>> = {
  '/consensus/validation/certificate': {
    method: 'POST',
    listeners: ['ca'],
    text: 'the verdict on a certificate request; answered when it is final',
  },
  '/consensus/validation/four-proof': {
    method: 'POST',
    listeners: ['ca'],
    text: 'the verdict on a four-proof set',
  },
  '/consensus/validation/status/:id': {
    method: 'GET',
    listeners: ['ca'],
    text: `the answer to an earlier request by its request id, percent-encoded, at most ${PARAMETER_CHARACTERS_MAX} characters as sent; Pending while there is no verdict`,
  },
  '/consensus/validation/receipt/:id': {
    method: 'GET',
    listeners: ['ca'],
    text:
      "the receipt of a request's verdict, by the same ids: `receipt.json` as [src/ledger](../../src/ledger/README.md#receipts) " +
      'describes it. 503 with `Retry-After` while the state with the verdict is not certified; ' +
      `\`?wait_ms=\` (at most ${RECEIPT_WAIT_MS_MAX}) waits for it, \`?from_height=\` and \`?from_epoch=\` name the checkpoint that it is to be checked with`,
  },
  '/consensus/health': {
    method: 'GET',
    listeners: ['ca'],
    text: '200 when this node can give verdicts, else 503',
  },
  '/consensus/metrics': {
    method: 'GET',
    listeners: ['ca'],
    text: "counts of this node's answers, as TrustChain's `ValidationServiceMetrics`",
  },
  '/livez': { method: 'GET', listeners: ['api', 'metrics'], text: '200 when the process answers' },
  '/readyz': {
    method: 'GET',
    listeners: ['api', 'metrics'],
    text: '200 when every check holds, else 503 with those that fail and why; `?verbose` lists all',
  },
  '/metrics': { method: 'GET', listeners: ['metrics'], text: '[metrics](metrics.md) for Prometheus' },
  '/v1/status': {
    method: 'GET',
    listeners: ['api'],
    text: 'what a person asks first: height, view, leader, who voted, peers, why it is not ready (`StatusView`)',
  },
  '/v1/peers': { method: 'GET', listeners: ['api'], text: 'connections (list of `PeerView`)' },
  '/v1/validators': {
    method: 'GET',
    listeners: ['api'],
    text: 'the validator set, and who will be in the next one as things are (list of `ValidatorView`)',
  },
  '/v1/blocks/:reference': {
    method: 'GET',
    listeners: ['api'],
    text: 'one block by height, by hash, `final` or `head`, with the verdicts in it (`BlockView`)',
  },
  '/v1/accounts/:id': {
    method: 'GET',
    listeners: ['api'],
    text: 'an account in the final state: balance, stake, key (`AccountView`)',
  },
  '/v1/evidence': {
    method: 'GET',
    listeners: ['api'],
    text: 'punishments for equivocation within the evidence windows (list of `SlashView`)',
  },
  '/v1/operators/:name': {
    method: 'GET',
    listeners: ['api'],
    text: 'an operator in the final state, by its id, an alias or its account (`OperatorView`)',
  },
  '/v1/policy': {
    method: 'GET',
    listeners: ['api'],
    text: 'what the network asks of requests: floors, and the assurance levels (`PolicyView`)',
  },
  '/v1/transactions': {
    method: 'POST',
    listeners: ['api'],
    text:
      'takes a staking, operator or evidence transaction, `{"transaction": "<canonical bytes in base64>"}` of at most ' +
      `${bytes(TRANSACTION_BODY_BYTES_MAX)}; 202 when it waits, 200 when it is final already (\`TransactionView\`), ` +
      '400 when it can be legal nowhere, 409 when it is not legal now, 503 when there is no room. Sending it again changes nothing',
  },
  '/v1/transactions/:key': {
    method: 'GET',
    listeners: ['api'],
    text: 'whether such a transaction waits or is final, and at which height (`TransactionView`)',
  },
}

const LISTENERS: Readonly<Record<Listener, { title: string; text: string }>> = {
  ca: {
    title: 'CA endpoint',
    text:
      '`ca.listen`, by default `https://[::1]:8080` with a certificate that the node makes for itself. The shapes are\n' +
      "those of TrustChain's Rust client (serde's: externally tagged enums, byte strings as arrays of numbers, times as\n" +
      '`{"secs_since_epoch": …, "nanos_since_epoch": …}`). Integers are exact over the whole range of 64 bits in both\n' +
      `directions. The body has at most ${bytes(JSON_BYTES_MAX)}; its \`Content-Type\` does not matter. Valid, Invalid and Pending\nare HTTP 200.`,
  },
  api: {
    title: 'Public API',
    text: '`api.listen`, by default `http://127.0.0.1:9441`. It shows no secret and asks nobody who he is; all it takes are transactions that prove by themselves who sent them.',
  },
  metrics: { title: 'Metrics', text: '`metrics.listen`, by default `http://127.0.0.1:9442`.' },
}

const ERRORS: Readonly<Record<AnswerErrorCode, string>> = {
  INVALID_PROOF_FORMAT: 'the request cannot be read; the message says where, and what was expected',
  BYZANTINE_NODE_DETECTED: 'the requester is excluded; in this version nobody can be',
  REQUEST_NOT_FOUND: 'this node knows no request with this id',
  INTERNAL_CONSENSUS_ERROR: 'a fault of the node; its log has it',
  CONSENSUS_NOT_INITIALIZED: 'the node is catching up, or sees no quorum',
  RECEIPT_NOT_READY:
    'the request has no verdict yet, or the block that certifies the state with it is not final; `Retry-After` says when to come again',
  RECEIPT_UNAVAILABLE:
    'this node cannot make the receipt, the message says why: the checkpoint was pruned, too many validator sets lie between, or the network is mined',
  VALIDATION_TIMEOUT:
    'no verdict within `ca.deadline`; the request goes on: send it again, or ask for its status',
}

function routesOf(listener: Listener): string {
  const rows = Object.entries(ROUTES)
    .filter(([, { listeners }]) => listeners.includes(listener))
    .map(([path, { method, text }]) => [method, code(path), text])
  return table(['method', 'path', 'answer'], rows)
}

/** The interfaces of the answers as the source has them. */
function viewsOf(root: string): string {
  const source = ['api-ports.ts', 'staking-ports.ts', 'operator-ports.ts']
    .map((name) => readFileSync(join(root, 'src', 'rpc', 'http', name), 'utf8'))
    .join('\n')
  const interfaces = [
    ...source.matchAll(
      /(?:\/\*\*[^\n]*\*\/\n)?export interface (?:\w+View|ReadinessCheck) \{\n[\s\S]*?\n\}/g,
    ),
  ]
  return interfaces.map(([text]) => text.replaceAll('readonly ', '').replaceAll('export ', '')).join('\n\n')
}

export function httpDocument(root: string): string {
  const errors = Object.entries(ERRORS) as [AnswerErrorCode, string][]
  return document([
    '# HTTP',
    'Three listeners, one for each concern. A client that sends more than its rate (`ca.rate`; ten times that from\n' +
      'loopback) gets 429 with `Retry-After`. Apart from the calls of the CA endpoint, errors are `application/problem+json`\n' +
      '(RFC 9457) with a `code` of [the table](errors.md); so are those of the CA endpoint for what no route of it takes\n' +
      '(another path or method, an id that is no percent-encoding or too long).',
    ...(Object.keys(LISTENERS) as Listener[]).flatMap((listener) => [
      `## ${LISTENERS[listener].title}`,
      LISTENERS[listener].text,
      routesOf(listener),
      ...(listener === 'ca'
        ? [
            '### When there is no verdict',
            'The body is the same shape with the status `Error`, and one of these codes in `error_code`:',
            table(
              ['code', 'HTTP', 'when'],
              errors.map(([name, when]) => [code(name), String(httpStatusOf(name)), when]),
            ),
          ]
        : []),
    ]),
    '## Shapes of the public API',
    'Times are Unix milliseconds. A `bigint` is a decimal string in JSON.',
    fenced('ts', viewsOf(root)),
  ])
}
