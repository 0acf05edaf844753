/** What commands print: status, peers, blocks, the changing line, JSON with large integers. */

import { describe, expect, it, vi } from 'vitest'
import { blockLines } from '../../../src/cli/block.ts'
import { LiveLines } from '../../../src/cli/local-network/live-lines.ts'
import { glimpseLine, type NetworkGlimpse } from '../../../src/cli/local-network/watcher.ts'
import { peerLines } from '../../../src/cli/peers.ts'
import { printJson } from '../../../src/cli/print.ts'
import { usageText } from '../../../src/cli/program.ts'
import { statusLines } from '../../../src/cli/status.ts'
import type { BlockView, PeerView, StatusView } from '../../../src/rpc/http/api-ports.ts'

const STATUS: StatusView = {
  version: '0.1.0',
  network: 'dev',
  genesisHash: 'aa',
  node: {
    name: 'n',
    peerId: '12D3',
    addresses: ['/ip4/127.0.0.1/tcp/4001/p2p/12D3', '/ip4/127.0.0.1/udp/4001/quic-v1/p2p/12D3'],
    role: 'validator',
    validatorId: 'bb',
    validatorIndex: 2,
    seat: 2,
    uptimeSeconds: 3_700,
  },
  ready: false,
  notReadyBecause: ['2 of 4 validators are connected, 3 are needed'],
  epoch: 0,
  view: 9,
  leader: { validatorIndex: 1, validatorId: 'cc', isThisNode: false },
  final: { height: 7, hash: 'dd', view: 8, time: 1_000_000, stateRoot: 'ee', voters: [0, 1, 3] },
  certifiedHeight: 6,
  lowestHeight: 0,
  targetHeight: 12,
  validators: 4,
  validatorsConnected: 1,
  peers: 2,
  epochEndHeight: 128,
  slashes: { recent: 0, burnt: 0n },
  mempool: { transactions: 5, bytes: 900 },
}

/** The same node while it does not vote. */
const FOLLOWER = { ...STATUS.node, role: 'follower' as const, validatorId: null, validatorIndex: null }

describe('status', () => {
  it('says what a person asks first', () => {
    const text = statusLines(STATUS, 1_001_500).join('\n')
    expect(text).toContain('hypermesh 0.1.0 · dev · validator 2 of 4 · up 1h 1m')
    expect(text).toContain('ready     no: 2 of 4 validators are connected, 3 are needed')
    expect(text).toContain('height 7 of 12 final 1.5 s ago, view 9, leader validator 1')
    expect(text).toContain('3 of 4 (0, 1, 3)')
    expect(text).toContain('address   /ip4/127.0.0.1/tcp/4001/p2p/12D3\n  address   /ip4/127.0.0.1/udp/')
    expect(text).toContain('ee (certified to height 6)')
  })

  it('says when all that it hears comes from one peer', () => {
    const peersOf = (change: Partial<StatusView>): string | undefined =>
      statusLines({ ...STATUS, ...change }, 1_001_500).find((line) => line.startsWith('  peers'))
    expect(peersOf({ peers: 1, validatorsConnected: 1 })).toBe(
      '  peers     1, of them 1 validators; without this one it hears nothing',
    )
    expect(peersOf({ peers: 2, validatorsConnected: 1 })).toBe('  peers     2, of them 1 validators')
  })

  it('says that nobody is there to ask who leads, and that the genesis is no block of this hour', () => {
    const alone = { ...STATUS, peers: 0, final: { ...STATUS.final, height: 0 } }
    const chain = statusLines(alone, 1_001_500).find((line) => line.startsWith('  chain'))
    expect(chain).toBe('  chain     height 0 of 12 (genesis), view 9, leader validator 1, as far as it knows')
  })

  it('says of a validator that only listens yet what it is, and that it signs nothing', () => {
    const text = statusLines({ ...STATUS, node: FOLLOWER }, 1_001_500).join('\n')
    expect(text).toContain('dev · validator 2 of 4, listening before it signs · up')
    expect(text).toContain('identity  its key is that of validator 2, and has signed nothing yet')
  })

  it('says it of a node that is no validator and is ready', () => {
    const node = { ...FOLLOWER, seat: null, uptimeSeconds: 200_000 }
    const leader = { validatorIndex: 2, validatorId: '', isThisNode: true }
    const text = statusLines(
      { ...STATUS, node, leader, ready: true, notReadyBecause: [], targetHeight: 7 },
      2_000_000,
    ).join('\n')
    expect(text).toContain('follower · up 2d 7h')
    expect(text).toContain('ready     yes')
    expect(text).toContain('height 7 final 17 min ago, view 9, leader this node')
    expect(text).toContain('identity  no validator')
  })

  it('says nothing of votes and finality where blocks are only mined', () => {
    const mined = {
      height: 30,
      hash: 'ff',
      time: 1_000_000,
      work: '9',
      bits: 1,
      settledHeight: 4,
      isMining: true,
    }
    const node = { ...FOLLOWER, seat: null }
    const text = statusLines({ ...STATUS, node, leader: null, mined }, 1_001_500).join('\n')
    expect(text).toContain('dev · miner · up')
    expect(text).toContain('mined     height 30 1.5 s ago, settled to 4, mining; none of it is final')
    expect(text).not.toMatch(/chain {5}|voted|leader|of them|identity/)
  })
})

it('peers are columns', () => {
  const peer: PeerView = {
    peerId: '12D3KooW',
    address: '/ip4/127.0.0.1/tcp/1',
    direction: 'outbound',
    transport: 'quic',
    identity: null,
    validatorIndex: 3,
    connectedSeconds: 1,
    rttMs: 1.25,
  }
  expect(
    peerLines([peer, { ...peer, validatorIndex: null, rttMs: null, direction: 'inbound', transport: 'tcp' }]),
  ).toEqual([
    'peer id   direction  over  round trip  who          address',
    '12D3KooW  outbound   quic  1.3 ms      validator 3  /ip4/127.0.0.1/tcp/1',
    '12D3KooW  inbound    tcp   -           -            /ip4/127.0.0.1/tcp/1',
  ])
})

it('a block shows what was decided in it', () => {
  const block: BlockView = {
    hash: 'aa',
    height: 3,
    view: 4,
    epoch: 0,
    parentHash: 'bb',
    time: 1_760_000_000_000,
    proposer: 1,
    transactionsRoot: 'cc',
    proofCommitment: 'dd',
    noteCommitmentRoot: 'ee',
    nullifierRoot: 'ff',
    parentStateRoot: '11',
    stateRoot: null,
    isFinal: true,
    voters: [0, 2, 3],
    bytes: 700,
    transactions: [
      {
        hash: '22',
        kind: 'validate-certificate',
        requestKey: '33',
        verdict: 'invalid',
        reasons: ['stake: 5 is below 100'],
      },
      { hash: '44', kind: 'validate-proofs', requestKey: '55', verdict: null, reasons: [] },
      { hash: '66', kind: 'shielded', requestKey: '77', verdict: null, reasons: [] },
    ],
  }
  const lines = blockLines(block)
  expect(lines[0]).toBe('block 3 · final by 3 validators (0, 2, 3)')
  expect(lines).toContain('  time              2025-10-09T08:53:20.000Z')
  expect(lines).toContain('  state             not executed here (of the parent: 11)')
  expect(lines.at(-3)).toBe('  - validate-certificate 22 invalid: stake: 5 is below 100')
  expect(lines.at(-2)).toBe('  - validate-proofs 44 not judged')
  expect(lines.at(-1)).toBe('  - shielded 66')
  expect(blockLines({ ...block, isFinal: false, voters: [] })[0]).toBe('block 3 · not final')
})

describe('the changing line', () => {
  const capture = (isTTY: boolean): { written: string[]; lines: LiveLines } => {
    const written: string[] = []
    return { written, lines: new LiveLines({ isTTY, columns: 20, write: (text) => written.push(text) }) }
  }

  it('is rewritten in place on a terminal, cut to its width, and makes room for lines that stay', () => {
    const { written, lines } = capture(true)
    lines.status('x'.repeat(50), 0)
    lines.status('two', 1)
    lines.say('stays')
    lines.say('too')
    expect(written[0]).toContain('x'.repeat(19))
    expect(written[0]).not.toContain('x'.repeat(20))
    expect(written[1]).toBe('\r\u001b[2K')
    expect(written.slice(3)).toEqual(['\r\u001b[2K', 'stays\n', 'too\n'])
  })

  it('is printed every ten seconds elsewhere', () => {
    const { written, lines } = capture(false)
    for (const at of [0, 1_000, 9_999, 10_000, 15_000, 20_001]) lines.status(String(at), at)
    expect(written).toEqual(['0\n', '10000\n', '20001\n'])
  })

  it('says how the network does', () => {
    const now: NetworkGlimpse = {
      answering: 4,
      ready: 4,
      height: 30,
      heightOfAll: 29,
      view: 31,
      reason: undefined,
    }
    const before = { ...now, height: 10 }
    expect(glimpseLine(now, before, 10, 4)).toBe(
      'height 30 · view 31 · 2.0 blocks/s · 4 of 4 validators answer',
    )
    const bad = { ...now, answering: 3, ready: 1, reason: 'no quorum' }
    expect(glimpseLine(bad, now, 1, 4)).toBe(
      'height 30 · view 31 · 0.0 blocks/s · 3 of 4 validators answer · 1 ready (no quorum)',
    )
  })
})

it('JSON keeps every digit', () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  try {
    printJson({ nonce: 2n ** 64n - 1n })
    expect(write.mock.calls[0]?.[0]).toBe('{\n  "nonce": 18446744073709551615\n}\n')
  } finally {
    write.mockRestore()
  }
})

it.each([
  [
    "error: unknown option '--x'\n(Did you mean --y?)\n",
    "E_USAGE: unknown option '--x'\n  fix: did you mean --y ?\n",
  ],
  [
    "error: unknown command 'z'\n(Did you mean one of a, b?)\n",
    "E_USAGE: unknown command 'z'\n  fix: did you mean one of a, b ?\n",
  ],
  [
    "error: missing required argument 'file'\n",
    "E_USAGE: missing required argument 'file'\n  fix: see --help\n",
  ],
])('%j reads as ours', (complaint, text) => expect(usageText(complaint)).toBe(text))
