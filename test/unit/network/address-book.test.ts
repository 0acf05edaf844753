import { type Connection, TypedEventEmitter } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ADDRESS_BOOK, AddressBook, type AddressBookOptions } from '../../../src/network/address-book.ts'
import { networkKeyFromSeed } from '../../../src/network/network-key.ts'
import { bookInMemory, RecordingLogger } from '../../support/network-node.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const ids = await Promise.all(
  Array.from({ length: ADDRESS_BOOK.peersMax + 1 }, async (_, i) => {
    const { peerId } = await networkKeyFromSeed(new Uint8Array(32).fill(i))
    return peerId
  }),
)
const [A = '', B = ''] = ids

function bookWith(file: AddressBookOptions['file'] = bookInMemory()) {
  const logger = new RecordingLogger()
  const host = new TypedEventEmitter() as unknown as AddressBookOptions['host'] & EventTarget
  const book = new AddressBook({ host, file, logger })
  const opens = (id: string, address: string, direction: Connection['direction'] = 'outbound'): void => {
    const detail = { direction, remotePeer: peerIdFromString(id), remoteAddr: multiaddr(address) }
    host.dispatchEvent(new CustomEvent('connection:open', { detail }))
  }
  const says = (id: string, ...addresses: string[]): void => {
    const detail = { peerId: peerIdFromString(id), listenAddrs: addresses.map((text) => multiaddr(text)) }
    host.dispatchEvent(new CustomEvent('peer:identify', { detail }))
  }
  const known = () => book.known().map(({ addresses }) => addresses.map(String))
  return { book, file, logger, opens, says, known }
}

/** As it is written. */
function bookOf(id: string, address: string): string {
  return `${JSON.stringify({ peers: { [id]: { answered: [address], told: [] } } }, null, 2)}\n`
}

describe('the address book', () => {
  it('keeps where dialled peers answered, most recent first, beyond a restart', async () => {
    const { book, file, opens } = bookWith()
    book.start()
    opens(A, `/ip4/192.0.2.1/tcp/4001/p2p/${A}`)
    opens(B, '/ip4/192.0.2.2/udp/4001/quic-v1')
    opens(A, '/ip4/192.0.2.3/tcp/4001')
    opens(A, '/ip4/192.0.2.1/tcp/4001')
    await vi.advanceTimersByTimeAsync(ADDRESS_BOOK.writeAfterMs)
    const after = bookWith(file)
    after.book.start()
    expect(after.logger.lines).toEqual([])
    expect(after.known()).toEqual([
      [`/ip4/192.0.2.1/tcp/4001/p2p/${A}`, `/ip4/192.0.2.3/tcp/4001/p2p/${A}`],
      [`/ip4/192.0.2.2/udp/4001/quic-v1/p2p/${B}`],
    ])
    after.book.stop()
    book.stop()
  })

  it('keeps where those who came to us say that they listen, after those who answered', async () => {
    const { book, file, opens, says, known } = bookWith()
    book.start()
    opens(A, '/ip4/192.0.2.1/tcp/4001')
    opens(B, '/ip4/192.0.2.2/tcp/50123', 'inbound')
    expect(known()).toHaveLength(1)
    says(B, '/ip4/192.0.2.2/tcp/4001', '/ip4/192.0.2.2/tcp/4001/ws', `/ip4/192.0.2.2/udp/1/quic-v1/p2p/${B}`)
    says(B)
    const both = [
      [`/ip4/192.0.2.1/tcp/4001/p2p/${A}`],
      [`/ip4/192.0.2.2/tcp/4001/p2p/${B}`, `/ip4/192.0.2.2/udp/1/quic-v1/p2p/${B}`],
    ]
    expect(known()).toEqual(both)
    book.stop()
    const after = bookWith(file)
    after.book.start()
    expect(after.known()).toEqual(both)
    after.opens(B, '/ip4/192.0.2.7/tcp/4001')
    expect(after.known()).toEqual([[`/ip4/192.0.2.7/tcp/4001/p2p/${B}`, ...(both[1] ?? [])], both[0]])
    after.book.stop()
  })

  it('keeps beside where a peer answered where it says that it listens now, when it moved and came to us', () => {
    const { book, opens, says, known } = bookWith()
    book.start()
    opens(A, '/ip4/192.0.2.1/tcp/4001')
    says(A, '/ip4/192.0.2.1/tcp/4001')
    expect(known()).toEqual([[`/ip4/192.0.2.1/tcp/4001/p2p/${A}`]])
    opens(A, '/ip4/192.0.2.2/tcp/50123', 'inbound')
    says(A, '/ip4/192.0.2.2/tcp/4002')
    expect(known()).toEqual([[`/ip4/192.0.2.1/tcp/4001/p2p/${A}`, `/ip4/192.0.2.2/tcp/4002/p2p/${A}`]])
    book.stop()
  })

  it('does not forget who answered for a crowd that came', () => {
    const { book, opens, says, known } = bookWith()
    book.start()
    opens(A, '/ip4/192.0.2.1/tcp/4001')
    for (const id of ids.slice(1)) says(id, '/ip4/192.0.2.66/tcp/4001')
    expect(known()).toHaveLength(ADDRESS_BOOK.peersMax)
    expect(known()[0]).toEqual([`/ip4/192.0.2.1/tcp/4001/p2p/${A}`])
    expect(known().flat()).not.toContain(`/ip4/192.0.2.66/tcp/4001/p2p/${B}`)
    book.stop()
  })

  it('has room for so many peers and addresses, and forgets the oldest', () => {
    const { book, file, opens, known } = bookWith()
    book.start()
    for (const id of ids) opens(id, '/ip4/192.0.2.1/tcp/4001')
    expect(known()).toHaveLength(ADDRESS_BOOK.peersMax)
    expect(known().flat()).not.toContain(`/ip4/192.0.2.1/tcp/4001/p2p/${A}`)
    for (let port = 1; port <= ADDRESS_BOOK.addressesMax + 1; port += 1) opens(B, `/ip6/::1/tcp/${port}`)
    expect(known()[0]).toEqual(
      [5, 4, 3, 2].map((port) => multiaddr(`/ip6/::1/tcp/${port}/p2p/${B}`).toString()),
    )
    // What is not written yet is written at the end.
    expect(file.read()).toBeNull()
    book.stop()
    expect(file.read()?.length).toBeLessThan(ADDRESS_BOOK.textMax / 2)
    const after = bookWith(file)
    after.book.start()
    expect(after.known()).toEqual(known())
    after.book.stop()
  })

  it.each([
    ['torn', '{"peers": {'],
    ['no book', '[]'],
    ['of no peers', '{"peers": null}'],
    ['too long', `{"peers": {}${' '.repeat(ADDRESS_BOOK.textMax)}}`],
  ])('that is %s is said once, and begun anew', (_, text) => {
    const file = bookInMemory()
    file.text = text
    const { book, logger, opens, known } = bookWith(file)
    book.start()
    expect(known()).toEqual([])
    expect(logger.lines).toMatchObject([{ level: 'warn' }])
    opens(B, '/ip4/192.0.2.1/tcp/4001')
    book.stop()
    expect(file.text).toBe(bookOf(B, '/ip4/192.0.2.1/tcp/4001'))
  })

  it('leaves out entries that are none, says how many, and keeps the others', () => {
    const file = bookInMemory()
    const good = { answered: ['/ip4/192.0.2.1/tcp/4001'], told: [] }
    const [, , C = '', D = '', E = '', F = ''] = ids
    file.text = JSON.stringify({
      peers: {
        me: good,
        [A]: { answered: ['localhost:1'], told: [] },
        [B]: good,
        [C]: { answered: [], told: ['/ip4/192.0.2.1'] },
        [D]: { answered: 7, told: [] },
        [E]: { answered: ['/ip4/192.0.2.1/tcp/4001'] },
        [F]: null,
      },
    })
    const { book, logger, known } = bookWith(file)
    book.start()
    expect(known()).toEqual([[`/ip4/192.0.2.1/tcp/4001/p2p/${B}`]])
    expect(logger.lines).toMatchObject([{ level: 'warn', fields: { entries: 6 } }])
    book.stop()
    expect(file.text).toBe(bookOf(B, '/ip4/192.0.2.1/tcp/4001'))
  })

  it('is written at the end, whatever became of the file while the node ran', async () => {
    const { book, file, opens } = bookWith()
    book.start()
    opens(A, '/ip4/192.0.2.1/tcp/4001')
    await vi.advanceTimersByTimeAsync(ADDRESS_BOOK.writeAfterMs)
    ;(file as ReturnType<typeof bookInMemory>).text = null
    book.stop()
    expect(file.read()).toBe(bookOf(A, '/ip4/192.0.2.1/tcp/4001'))
  })

  it('says once that it cannot be written, and that it cannot again after it could', async () => {
    const memory = bookInMemory()
    let isFull = true
    const write = (text: string): void => {
      if (isFull) throw new Error('ENOSPC: no space left on device')
      memory.write(text)
    }
    const { book, logger, opens } = bookWith({ read: memory.read, write })
    book.start()
    const meets = async (id: string): Promise<void> => {
      opens(id, '/ip4/192.0.2.1/tcp/4001')
      await vi.advanceTimersByTimeAsync(ADDRESS_BOOK.writeAfterMs)
    }
    await meets(A)
    await meets(B)
    expect(logger.lines).toHaveLength(1)
    isFull = false
    await meets(A)
    expect(memory.text).not.toBeNull()
    isFull = true
    await meets(B)
    expect(logger.lines).toHaveLength(2)
    book.stop()
  })
})
