import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import {
  checkAddress,
  checkBootstrap,
  isLoopback,
  isPrivate,
  listenFailure,
  otherPeerAnswered,
  transportOf,
  withoutPeerId,
} from '../../../src/network/addresses.ts'
import type { NetworkError } from '../../../src/network/network-error.ts'

const PEER = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp'
const OTHER = '12D3KooWBaq7jThQ5zZH5SmBhbQY9hkimq51Nxp7wEzsyT9J6vWL'

function refusal(run: () => unknown): NetworkError {
  try {
    run()
  } catch (error) {
    return error as NetworkError
  }
  throw new Error('was not refused')
}

describe('addresses that an operator wrote', () => {
  it.each([
    ['127.0.0.1:4001', 'Did you mean /ip4/127.0.0.1/tcp/4001 ?'],
    ['[::1]:4001', 'Did you mean /ip6/::1/tcp/4001 ?'],
    ['tcp://node.example:4001', 'Did you mean /dns/node.example/tcp/4001 ?'],
    ['rubbish', 'Write it like /ip4/192.0.2.1/tcp/4001.'],
    ['/ip4/300.0.0.1/tcp/1', 'Write it like /ip4/192.0.2.1/tcp/4001.'],
  ])('%s is no multiaddr', (text, fix) => {
    const error = refusal(() => checkAddress(text, ['tcp', 'quic']))
    expect(error).toMatchObject({ code: 'E_ADDR_FORM', exitCode: 78, advice: { fix } })
    expect(error.message).toContain(`"${text}"`)
  })

  it.each([
    ['/ip4/1.2.3.4/udp/4001/quic-v1', ['tcp'], 'needs QUIC; this node speaks tcp.'],
    ['/ip4/1.2.3.4/tcp/4001', ['quic'], 'needs TCP; this node speaks quic.'],
    ['/ip4/1.2.3.4/tcp/4001/ws', ['tcp', 'quic'], 'is of another transport'],
    ['/ip4/1.2.3.4/udp/4001', ['tcp', 'quic'], 'is of another transport'],
  ] as const)('%s is not for a node that speaks %s', (text, transports, what) => {
    const error = refusal(() => checkAddress(text, transports))
    expect(error.code).toBe('E_ADDR_TRANSPORT')
    expect(error.message).toContain(what)
  })

  it.each([
    [`/ip4/1.2.3.4/tcp/4001/p2p/${PEER}`, undefined],
    [`/dnsaddr/bootstrap.example`, undefined],
    ['/ip4/1.2.3.4/tcp/4001', 'E_BOOTSTRAP_ID'],
    ['1.2.3.4:4001', 'E_ADDR_FORM'],
    [`/ip4/1.2.3.4/udp/1/quic-v1/p2p/${PEER}`, undefined],
  ])('%s as bootstrap entry: %s', (text, code) => {
    if (code === undefined) expect(checkBootstrap(text, ['tcp', 'quic']).toString()).toBe(text)
    else expect(refusal(() => checkBootstrap(text, ['tcp', 'quic'])).code).toBe(code)
  })

  it('are read for what they are', () => {
    const quic = multiaddr(`/ip4/10.0.0.1/udp/9/quic-v1/p2p/${PEER}`)
    expect(transportOf(quic)).toBe('quic')
    expect(withoutPeerId(quic).toString()).toBe('/ip4/10.0.0.1/udp/9/quic-v1')
    expect(isPrivate(quic)).toBe(true)
    expect(isPrivate(multiaddr('/ip4/172.32.0.1/tcp/1'))).toBe(false)
    expect(isPrivate(multiaddr('/ip6/fd00::1/tcp/1'))).toBe(true)
    expect(isLoopback(multiaddr('/ip6/::1/tcp/1'))).toBe(true)
    expect(isLoopback(multiaddr('/ip4/10.0.0.1/tcp/1'))).toBe(false)
  })
})

describe('failures of the library', () => {
  const listen = [multiaddr('/ip4/127.0.0.1/tcp/4001'), multiaddr('/ip4/127.0.0.1/udp/4001/quic-v1')]
  const thrown = (cause: string): Error =>
    new Error(`Some configured addresses failed:\n\n  ${cause}\n      at x\n`)

  it.each([
    [
      '/ip4/127.0.0.1/tcp/4001: Error: listen EADDRINUSE: address already in use',
      'E_PORT_IN_USE',
      '/tcp/4001',
    ],
    [
      '/ip4/127.0.0.1/udp/4001/quic-v1: Error: Address already in use (os error 98)',
      'E_PORT_IN_USE',
      '/udp/4001',
    ],
    ['/ip4/127.0.0.1/tcp/4001: Error: listen EADDRNOTAVAIL: x', 'E_ADDR_UNAVAILABLE', '/tcp/4001'],
    [
      '/ip4/127.0.0.1/udp/4001/quic-v1: Error: Cannot assign requested address',
      'E_ADDR_UNAVAILABLE',
      '/udp/4001',
    ],
    ['/ip4/127.0.0.1/tcp/4001: Error: listen EACCES: permission denied', 'E_PORT_DENIED', '/tcp/4001'],
    ['/ip4/127.0.0.1/tcp/4001: Error: a surprise', 'E_LISTEN', '/tcp/4001'],
  ])('to listen: %s', (cause, code, named) => {
    const error = listenFailure(listen, thrown(cause))
    expect(error.code).toBe(code)
    // "A port is taken" in the table of exit codes: no bug, and a supervisor may try again.
    expect(error.exitCode).toBe(69)
    expect(error.message).toContain(named)
    if (code !== 'E_LISTEN') expect(error.advice.fix).toBeTruthy()
  })

  it.each([
    [`Payload identity key ${OTHER} does not match expected remote identity key ${PEER}`],
    [`Dialed peer ${PEER} but connected to ${OTHER}`],
  ])('to meet whom the list names: %s', (text) => {
    const error = otherPeerAnswered(
      '/ip4/1.2.3.4/tcp/1',
      new AggregateError([new Error(text)], 'All dials failed'),
    )
    expect(error?.code).toBe('E_BOOTSTRAP_ID')
    expect(error?.message).toBe(`/ip4/1.2.3.4/tcp/1 answered as ${OTHER}, the list says ${PEER}.`)
  })

  it('of other kinds are not blamed on the list', () => {
    expect(otherPeerAnswered('/ip4/1.2.3.4/tcp/1', new Error('connect ECONNREFUSED'))).toBeUndefined()
  })
})
