/** docs/reference/http.md: every route of the three listeners, and the shapes of their answers from the sources. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HttpRoute } from '../../src/observability/metrics.ts'
import { BATCH_ITEMS_MAX } from '../../src/rpc/batch.ts'
import { httpStatusOf } from '../../src/rpc/http/answer-status.ts'
import { PARAMETER_CHARACTERS_MAX } from '../../src/rpc/http/listener.ts'
import { TRANSACTION_BODY_BYTES_MAX } from '../../src/rpc/http/staking-routes.ts'
import { JSON_BYTES_MAX } from '../../src/rpc/lossless-json.ts'
import type { AnswerErrorCode } from '../../src/validation/answer.ts'
import { RECEIPT_WAIT_MS_MAX } from '../../src/validation/receipt-desk.ts'
import { CALL_DEADLINE_MAX_MS, CALL_DEADLINE_MIN_MS } from '../../src/validation/validation-limits.ts'
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
  '/consensus/validation/batch': {
    method: 'POST',
    listeners: ['ca'],
    text: `the verdicts on many requests, in their order; see [below](#batches). 200 when the batch could be read`,
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
  '/consensus/events': {
    method: 'GET',
    listeners: ['ca', 'api'],
    text: 'what becomes final, and readiness, as it happens; see [below](#events)',
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
  '/v1/validators/:id/trust': {
    method: 'GET',
    listeners: ['api'],
    text: 'how trust in a validator changed, by its id or its account (`TrustHistoryView`)',
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
  '/v1/operations': {
    method: 'GET',
    listeners: ['api'],
    text: 'operations that wait, the last 256 that were decided, and the key space of standard ones (`OperationsView`)',
  },
  '/v1/operations/:id': {
    method: 'GET',
    listeners: ['api'],
    text: 'an operation and how it was decided: outcome, tally, voters, what it cost in trust (`OperationResultView`)',
  },
  '/v1/shielded': {
    method: 'GET',
    listeners: ['api'],
    text: 'the notes of the final state, all together: number, root, worth, rewards (`ShieldedView`)',
  },
  '/v1/shielded/entries': {
    method: 'GET',
    listeners: ['api'],
    text:
      'shielded transactions in their order, `?from=0&limit=256`: nullifiers, commitments, ciphertexts (`ShieldedPage`). ' +
      'A wallet reads all of them and looks for its own',
  },
  '/v1/transactions': {
    method: 'POST',
    listeners: ['api'],
    text:
      'takes a staking, operator, operation, evidence or shielded transaction, `{"transaction": "<canonical bytes in base64>"}` of at most ' +
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
      `directions. The body has at most ${bytes(JSON_BYTES_MAX)}; it is JSON in UTF-8 and not compressed, and may be called\n` +
      '`application/json`, what `curl -d` calls it, or nothing. Valid, Invalid and Pending are HTTP 200.',
  },
  api: {
    title: 'Public API',
    text: '`api.listen`, by default `http://127.0.0.1:9441`. It shows no secret and asks nobody who he is; all it takes are transactions that prove by themselves who sent them.',
  },
  metrics: { title: 'Metrics', text: '`metrics.listen`, by default `http://127.0.0.1:9442`.' },
}

const ERRORS: Readonly<Record<AnswerErrorCode, string>> = {
  INVALID_PROOF_FORMAT: 'the request cannot be read; the message says where, and what was expected',
  BYZANTINE_NODE_DETECTED:
    'the request is by one whom the ledger bars: a validator that was punished for equivocation or is excluded, by its id, its account, or the name of its operator',
  REQUEST_NOT_FOUND: 'this node knows no request with this id',
  INTERNAL_CONSENSUS_ERROR: 'a fault of the node; its log has it',
  CONSENSUS_NOT_INITIALIZED:
    'the node is catching up or sees no quorum, or too little stake weighs in verdicts (safe mode); the message says which',
  RECEIPT_NOT_READY:
    'the request has no verdict yet, or the block that certifies the state with it is not final; `Retry-After` says when to come again',
  RECEIPT_UNAVAILABLE:
    'this node cannot make the receipt, the message says why: the checkpoint was pruned, too many validator sets lie between, or the network is mined',
  VALIDATION_TIMEOUT:
    'no verdict within `ca.deadline`; the request goes on: send it again, or ask for its status',
  TOO_MANY_REQUESTS:
    'this client sends more than `ca.rate`, or has more under way than `ca.max-in-flight-per-client`; `Retry-After` says when to come back',
  NODE_BUSY:
    'the node has more under way than `ca.max-in-flight`, more is asked than the network judges, the pool is full, or too many read events; `Retry-After` says when to come back',
  ROUTE_NOT_FOUND: 'there is no such path',
  METHOD_NOT_ALLOWED: 'the path takes another method; `Allow` says which',
  REQUEST_TIMEOUT: 'the request did not arrive within 30 s',
  REQUEST_TOO_LARGE: 'the body is too long, or (414, 431) the path or the headers are',
  UNSUPPORTED_MEDIA_TYPE:
    'the body is compressed, in another character set, or no JSON by its `Content-Type`',
}

function routesOf(listener: Listener): string {
  const rows = Object.entries(ROUTES)
    .filter(([, { listeners }]) => listeners.includes(listener))
    .map(([path, { method, text }]) => [method, code(path), text])
  return table(['method', 'path', 'answer'], rows)
}

/** The interfaces of the answers as the source has them. */
function viewsOf(root: string): string {
  const source = ['api-ports.ts', 'staking-ports.ts', 'operator-ports.ts', 'event-views.ts']
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
      'loopback) gets 429 with `Retry-After`; a client is an IPv4 address, an IPv6 /64, or by libp2p a peer. A path that\n' +
      'is there with another method gets 405 with `Allow`; every `GET` is there as `HEAD` too. On the CA endpoint every\n' +
      'error has the shape of its answers; elsewhere errors are `application/problem+json` (RFC 9457) with a `code` of\n' +
      '[the table](errors.md).',
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
            '### Deadlines',
            `A call waits for its verdict as long as \`ca.deadline\` says. A client may ask for less or more with\n` +
              `\`Prefer: wait=5\` (RFC 7240, seconds), between ${CALL_DEADLINE_MIN_MS} ms and ${CALL_DEADLINE_MAX_MS / 1_000} s. One that closes the connection is not\n` +
              'waited for; its request goes on, and its status has the verdict.',
            '### Batches',
            `A batch is an array of at most ${BATCH_ITEMS_MAX} items, each \`{"certificate": …}\` or \`{"four_proof": …}\` with the body of the\n` +
              'route of that name, and together within the limit of a body. All are judged at once; the answer is an array\n' +
              'with one full result for each, in the same order. One that cannot be read has `INVALID_PROOF_FORMAT` and a\n' +
              'message that begins with its place (`[3].certificate.…`), and spoils no other. The status is 200 whenever the\n' +
              'array itself could be read, whatever the results are; else 400 with one result. Limits count items, not calls:\n' +
              'a batch for which the rate has no room is refused as a whole with 429.',
          ]
        : []),
    ]),
    '## Events',
    '`GET /consensus/events` is a stream of Server-Sent Events, the same on the CA endpoint and on the public API, of this\n' +
      'kind, with one of the shapes below in `data`:',
    fenced(
      'text',
      'id: 5f0c2a91-17\nevent: verdict\ndata: {"requestKey":"…","requestIdHash":"…","kind":"validate-certificate",…}',
    ),
    table(
      ['event', 'when', 'shape'],
      [
        ['`verdict`', 'a request is decided for ever; before the block that it is in', '`VerdictEventView`'],
        ['`block`', 'a block is final, or settled where blocks are mined', '`BlockEventView`'],
        [
          '`readiness`',
          'another check of `/readyz` fails than before, or none; looked at each second',
          '`ReadinessEventView`',
        ],
        [
          '`gap`',
          'something between the `Last-Event-ID` and what follows is not kept any more',
          '`GapEventView`',
        ],
      ],
    ),
    '`?topics=verdict,block` chooses. A stream begins with what is new. With `Last-Event-ID` it goes on behind that event,\n' +
      'as browsers do by themselves; the newest 4096 events of this run of the node are kept. After a `gap` comes the\n' +
      'oldest that is kept: ask for the blocks between (`/v1/blocks/:reference`). A comment every 15 s shows that the stream\n' +
      'lives. At most 64 streams are open; one whose reader does not keep up is cut and comes back with its\n' +
      '`Last-Event-ID`. When the node stops, streams end.',
    '## Shapes of the public API and of events',
    'Times are Unix milliseconds. A `bigint` is a decimal string in JSON.',
    fenced('ts', viewsOf(root)),
  ])
}
