/**
 * Every metric of the node, with its unit and the closed sets of its labels: the one place to look a name up (those of
 * its process are in process-metrics.ts, of the chain and its database in ledger-metrics.ts, of verdicts and trust in
 * verdict-metrics.ts, of shielded proofs in shielded-metrics.ts). Nothing is counted here; components get the handles of their own section.
 */

import { ledgerMetrics } from './ledger-metrics.ts'
import { MetricRegistry } from './metric-registry.ts'
import { type BuildInfo, processMetrics } from './process-metrics.ts'
import { shieldedMetrics } from './shielded-metrics.ts'
import { verdictMetrics } from './verdict-metrics.ts'

const NONE = {}
const PHASES = ['prepare', 'pre-commit', 'commit'] as const
const PROOFS = ['space', 'stake', 'work', 'time'] as const

/** Routes by pattern; whatever matches none of them is `other`. */
export const HTTP_ROUTES = [
  '/consensus/validation/certificate',
  '/consensus/validation/four-proof',
  '/consensus/validation/batch',
  '/consensus/validation/status/:id',
  '/consensus/validation/receipt/:id',
  '/consensus/health',
  '/consensus/metrics',
  '/consensus/events',
  '/livez',
  '/readyz',
  '/metrics',
  '/v1/status',
  '/v1/peers',
  '/v1/validators',
  '/v1/validators/:id/trust',
  '/v1/blocks/:reference',
  '/v1/accounts/:id',
  '/v1/evidence',
  '/v1/operators/:name',
  '/v1/policy',
  '/v1/operations',
  '/v1/operations/:id',
  '/v1/shielded',
  '/v1/shielded/entries',
  '/v1/transactions',
  '/v1/transactions/:key',
  'other',
] as const
export type HttpRoute = (typeof HTTP_ROUTES)[number]

const HTTP_CODES = ['2xx', '3xx', '4xx', '5xx'] as const

/** What `/readyz` looks at. */
export const READY_CHECKS = ['storage', 'signing', 'peers', 'quorum', 'sync', 'finality'] as const
export type ReadyCheck = (typeof READY_CHECKS)[number]

function consensusMetrics(r: MetricRegistry) {
  const name = (suffix: string): string => `hypermesh_consensus_${suffix}`
  return {
    height: r.gauge(name('height'), 'Height of the newest final block.', NONE),
    view: r.gauge(name('view'), 'View this node is in.', NONE),
    lastFinalTimestamp: r.gauge(
      name('last_final_timestamp_seconds'),
      'Unix time at which the newest block became final here.',
      NONE,
    ),
    finality: r.histogram(
      name('finality_seconds'),
      'From accepting a proposal to its block being final.',
      NONE,
    ),
    viewDuration: r.histogram(name('view_duration_seconds'), 'Time spent in a view.', NONE),
    viewsPerHeight: r.histogram(
      name('views_per_height'),
      'Views it took to finalize a block; 1 is the normal case.',
      NONE,
      [1, 2, 3, 5, 8, 13, 21],
    ),
    timeouts: r.counter(name('timeouts_total'), 'Views that ran out of time.', NONE),
    equivocations: r.counter(
      name('equivocations_total'),
      'Two contents signed for one position, seen by this node.',
      { kind: PHASES },
    ),
    proposals: r.counter(name('proposals_total'), 'Proposals: our own, and what became of those of others.', {
      outcome: ['own', 'accepted', 'refused'],
    }),
    quorumPower: r.gauge(
      name('quorum_power_ratio'),
      'Share of the stake in the last certificate of each kind; below 2/3 there is none.',
      { kind: PHASES },
    ),
    missingValidators: r.gauge(
      name('missing_validators'),
      'Validators that did not vote on the newest final block.',
      NONE,
    ),
    messagesIgnored: r.counter(
      name('messages_ignored_total'),
      'Messages that were of no use any more.',
      NONE,
    ),
  }
}

function validatorMetrics(r: MetricRegistry) {
  const name = (suffix: string): string => `hypermesh_validator_${suffix}`
  return {
    isActive: r.gauge(
      name('is_active'),
      "1 when this node's key is in the validator set of the epoch.",
      NONE,
    ),
    power: r.gauge(name('power_ratio'), "This validator's share of the stake.", NONE),
    signed: r.counter(name('signed_total'), 'Final blocks whose certificate has our vote.', NONE),
    missed: r.counter(name('missed_total'), 'Final blocks whose certificate lacks our vote.', NONE),
    signDuration: r.histogram(name('sign_duration_seconds'), 'One signature of a consensus message.', {
      scheme: ['ml-dsa-65'],
    }),
  }
}

function validationMetrics(r: MetricRegistry) {
  const name = (suffix: string): string => `hypermesh_validation_${suffix}`
  const kind = ['certificate', 'four-proof', 'batch', 'status'] as const
  return {
    requests: r.counter(name('requests_total'), 'Validation calls answered.', {
      kind,
      result: ['valid', 'invalid', 'pending', 'error', 'refused', 'abandoned'],
    }),
    refusals: r.counter(
      name('refusals_total'),
      'Calls refused for lack of room, by the limit that was reached.',
      {
        reason: ['rate', 'client-in-flight', 'node-in-flight', 'behind', 'pool', 'audit'],
      },
    ),
    duration: r.histogram(name('duration_seconds'), 'From a call to its answer.', { kind }),
    proofFailures: r.counter(name('proof_failures_total'), 'Proofs that failed in the verdicts given.', {
      proof: PROOFS,
    }),
    pending: r.gauge(name('pending'), 'Requests without a verdict yet.', NONE),
    idempotentHits: r.counter(name('idempotent_hits_total'), 'Calls answered from an earlier verdict.', NONE),
  }
}

function auditMetrics(r: MetricRegistry) {
  const name = (suffix: string): string => `hypermesh_audit_${suffix}`
  return {
    lines: r.counter(name('lines_total'), 'Lines of the audit log that were written.', NONE),
    lost: r.counter(name('lost_total'), 'Calls that the audit log does not have.', {
      reason: ['buffer-full', 'write-failed'],
    }),
    failing: r.gauge(name('failing'), '1 while the audit log cannot be written.', NONE),
    waiting: r.gauge(name('waiting'), 'Calls that wait to be written.', NONE),
  }
}

function eventMetrics(r: MetricRegistry) {
  const name = (suffix: string): string => `hypermesh_events_${suffix}`
  return {
    readers: r.gauge(name('readers'), 'Open streams of events.', NONE),
    cut: r.counter(name('cut_total'), 'Streams of events that were cut or not opened.', {
      reason: ['too-many', 'slow'],
    }),
  }
}

function p2pMetrics(r: MetricRegistry) {
  const name = (suffix: string): string => `hypermesh_p2p_${suffix}`
  const direction = ['inbound', 'outbound'] as const
  return {
    peers: r.gauge(name('peers'), 'Connections.', { direction, transport: ['tcp', 'quic', 'other'] }),
    bootstrapPeers: r.gauge(name('bootstrap_peers'), 'Bootstrap peers that we are connected to.', NONE),
    streamsCut: r.counter(name('streams_cut_total'), 'Protocol streams that we cut.', {
      reason: [
        'silent',
        'oversize',
        'malformed',
        'rate',
        'slow',
        'not-admitted',
        'replaced',
        'reset',
        'failed',
      ],
    }),
    channelMessages: r.counter(name('channel_messages_total'), 'Messages of the consensus channel.', {
      direction: ['sent', 'received'],
    }),
    channelWrites: r.counter(name('channel_writes_total'), 'Writes that carried them.', NONE),
    channelDrops: r.counter(
      name('channel_drops_total'),
      'Messages of the consensus channel not delivered or not sent.',
      {
        reason: ['queue-full', 'expired', 'rate', 'not-a-validator'],
      },
    ),
    gossipReceived: r.counter(name('gossip_received_total'), 'Gossip messages by what we said of them.', {
      verdict: ['accept', 'ignore', 'reject'],
    }),
    gossipPublished: r.counter(name('gossip_published_total'), 'What we published.', {
      what: ['message', 'transaction'],
    }),
    gossipDrops: r.counter(name('gossip_drops_total'), 'Gossip dropped before anyone judged it.', {
      reason: ['malformed', 'oversize', 'busy', 'unsent-full', 'handler-failed'],
    }),
    blockRequests: r.counter(name('block_requests_total'), 'Our requests for blocks.', {
      result: ['answered', 'refused', 'failed'],
    }),
    blocksServed: r.counter(name('blocks_served_total'), "Others' requests for blocks.", {
      result: ['answered', 'not-found', 'malformed', 'rate'],
    }),
    snapshotRequests: r.counter(name('snapshot_requests_total'), 'Our requests for snapshots.', {
      result: ['answered', 'refused', 'failed'],
    }),
    snapshotsServed: r.counter(name('snapshots_served_total'), "Others' requests for snapshots.", {
      result: ['answered', 'not-found', 'malformed', 'rate'],
    }),
    dials: r.counter(name('dials_total'), 'Attempts to connect.', { result: ['connected', 'failed'] }),
    connectionsRefused: r.counter(
      name('connections_refused_total'),
      'Connections refused for lack of room, or because the peer is banned.',
      {
        reason: ['address-full', 'no-slot', 'banned'],
      },
    ),
    connectionsGivenUp: r.counter(name('connections_given_up_total'), 'Connections that we closed.', {
      reason: ['silent', 'duplicate', 'rejected'],
    }),
    identities: r.counter(name('identities_total'), 'Identities that peers presented.', {
      result: ['accepted', 'known', 'refused'],
    }),
    handshakes: r.counter(name('handshakes_total'), 'Post-quantum handshakes, by how they ended.', {
      result: ['completed', 'refused'],
    }),
  }
}

function httpMetrics(r: MetricRegistry) {
  return {
    requests: r.counter('hypermesh_http_requests_total', 'HTTP requests answered.', {
      route: HTTP_ROUTES,
      code: HTTP_CODES,
    }),
    duration: r.histogram(
      'hypermesh_http_request_duration_seconds',
      'HTTP requests, from headers to answer.',
      {
        route: HTTP_ROUTES,
      },
    ),
    ready: r.gauge('hypermesh_ready', '1 when the check passes.', { check: READY_CHECKS }),
  }
}

function stoqMetrics(r: MetricRegistry) {
  const name = (suffix: string): string => `hypermesh_rpc_stoq_${suffix}`
  return {
    connections: r.gauge(name('connections'), 'STOQ connections that are open.', NONE),
    accepted: r.counter(name('connections_total'), 'STOQ connections that clients opened.', {
      result: ['accepted', 'refused'],
    }),
    calls: r.counter(name('calls_total'), 'STOQ calls by what became of them.', {
      result: ['answered', 'too-long', 'no-room', 'late', 'gone', 'stopping'],
    }),
    duration: r.histogram(
      name('call_duration_seconds'),
      'From the first byte of a STOQ call to its answer.',
      NONE,
    ),
  }
}

/** All handles, by the component that uses them. */
export function createMetrics(build: BuildInfo) {
  const registry = new MetricRegistry()
  const lag = processMetrics(registry, build)
  return {
    consensus: consensusMetrics(registry),
    validator: validatorMetrics(registry),
    validation: validationMetrics(registry),
    verdicts: verdictMetrics(registry),
    shielded: shieldedMetrics(registry),
    audit: auditMetrics(registry),
    events: eventMetrics(registry),
    p2p: p2pMetrics(registry),
    ledger: ledgerMetrics(registry),
    http: httpMetrics(registry),
    stoq: stoqMetrics(registry),
    /** The text of `GET /metrics`. */
    render: (): Promise<string> => registry.render(),
    /** Stops the one timer there is. */
    stop: (): void => lag.stop(),
  }
}

export type Metrics = ReturnType<typeof createMetrics>

/** The class of an HTTP status code, as a label. */
export function statusClass(code: number): (typeof HTTP_CODES)[number] {
  if (code < 300) return '2xx'
  if (code < 400) return '3xx'
  return code < 500 ? '4xx' : '5xx'
}
