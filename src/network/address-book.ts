/**
 * Where this node's peers can be dialled, so that it finds the network again when it was restarted and its bootstrap
 * peers are away: where they answered, and where they say themselves that they listen. Who was dialled with success
 * comes before who only came to us, and never makes room for it: a crowd of callers cannot push out whom we found
 * ourselves. What others say of each other is not in it. Where the text is kept is a port.
 */

import type { Connection, IdentifyResult, Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Multiaddr, multiaddr } from '@multiformats/multiaddr'
import type { Logger } from '../types/logger.ts'
import { transportOf, withoutPeerId } from './addresses.ts'
import { guarded, normaliseError } from './guard.ts'

/** Bounds of an {@link AddressBook}. */
export const ADDRESS_BOOK = {
  peersMax: 64,
  /** Of one peer, of each kind. */
  addressesMax: 4,
  /** What is longer is not read. */
  textMax: 65_536,
  /** Connections come in crowds; the text is written once for those of so long. */
  writeAfterMs: 1_000,
} as const

/** Where the text of an {@link AddressBook} is kept. */
export interface AddressBookFile {
  /** @returns null when nothing has been written yet. @throws Error when it cannot be read */
  read(): string | null
  /** Replaces the text, in whole or not at all. @throws Error when it cannot be written */
  write(text: string): void
}

/** A peer and where to dial it: where it answered before where it says that it listens. */
export interface KnownPeer {
  readonly peerId: PeerId
  /** Each with the peer id at its end. */
  readonly addresses: readonly Multiaddr[]
}

/** Parts of an {@link AddressBook}. */
export interface AddressBookOptions {
  readonly host: Pick<Libp2p, 'addEventListener' | 'removeEventListener'>
  readonly file: AddressBookFile
  readonly logger: Logger
}

/** What is kept of one peer; addresses without the peer id. */
interface Entry {
  /** Where it answered with its key, most recent last. */
  readonly answered: readonly string[]
  /** Where it says that it listens. */
  readonly told: readonly string[]
}

const NOTHING: Entry = { answered: [], told: [] }

/** The book. It is no safety record: what cannot be read or written is said in the log, and the node goes on. */
export class AddressBook {
  readonly #options: AddressBookOptions
  /** By peer id; the order of a map is the order of being put in. */
  readonly #peers = new Map<string, Entry>()
  readonly #onOpen: (event: CustomEvent<Connection>) => void
  readonly #onIdentify: (event: CustomEvent<IdentifyResult>) => void
  #timer: NodeJS.Timeout | undefined
  #cannotWrite = false

  constructor(options: AddressBookOptions) {
    this.#options = options
    const onError = (error: Error): void =>
      options.logger.debug({ detail: error.message }, 'a peer was not put into the book')
    this.#onOpen = guarded(({ detail: { direction, remotePeer, remoteAddr } }: CustomEvent<Connection>) => {
      if (direction === 'outbound') this.#onAnswer(remotePeer.toString(), bare(remoteAddr))
    }, onError)
    this.#onIdentify = guarded(({ detail: { peerId, listenAddrs } }: CustomEvent<IdentifyResult>) => {
      const dialled = listenAddrs.filter((address) => transportOf(address) !== undefined)
      if (dialled.length > 0) this.#onTold(peerId.toString(), dialled.map(bare))
    }, onError)
  }

  /** Reads what was kept, and listens for connections. */
  start(): void {
    const { host } = this.#options
    this.#read()
    host.addEventListener('connection:open', this.#onOpen)
    host.addEventListener('peer:identify', this.#onIdentify)
  }

  /** Writes it once more, whatever has become of the file meanwhile. */
  stop(): void {
    const { host } = this.#options
    host.removeEventListener('connection:open', this.#onOpen)
    host.removeEventListener('peer:identify', this.#onIdentify)
    if (this.#peers.size > 0) this.#write()
  }

  /** Everybody in it: first who answered, the most recent of either kind first. */
  known(): KnownPeer[] {
    const entries = [...this.#peers].reverse()
    const ordered = [true, false].flatMap((kind) =>
      entries.filter(([, { answered }]) => answered.length > 0 === kind),
    )
    return ordered.map(([id, { answered, told }]) => ({
      peerId: peerIdFromString(id),
      addresses: [...new Set([...answered.toReversed(), ...told])].map((address) =>
        multiaddr(address).encapsulate(`/p2p/${id}`),
      ),
    }))
  }

  #read(): void {
    const { file, logger } = this.#options
    try {
      const text = file.read()
      if (text === null) return
      const { entries, strange } = parseBook(text)
      for (const [id, entry] of entries) this.#peers.set(id, entry)
      if (strange.length > 0) {
        logger.warn(
          { entries: strange.length, first: strange[0] },
          'the address book has entries that are none',
        )
      }
    } catch (thrown) {
      logger.warn(
        { detail: normaliseError(thrown).message, fix: 'delete it; the node writes it anew' },
        'the address book cannot be read; the node begins with its bootstrap peers',
      )
    }
  }

  #onAnswer(id: string, address: string): void {
    const { answered, told } = this.#peers.get(id) ?? NOTHING
    const others = answered.filter((known) => known !== address)
    this.#put(id, { answered: [...others, address].slice(-ADDRESS_BOOK.addressesMax), told })
  }

  #onTold(id: string, addresses: readonly string[]): void {
    const { answered } = this.#peers.get(id) ?? NOTHING
    this.#put(id, { answered, told: addresses.slice(0, ADDRESS_BOOK.addressesMax) })
  }

  #put(id: string, entry: Entry): void {
    this.#peers.delete(id)
    this.#peers.set(id, entry)
    if (this.#peers.size > ADDRESS_BOOK.peersMax) this.#forgetOne()
    this.#timer ??= setTimeout(() => this.#write(), ADDRESS_BOOK.writeAfterMs)
  }

  /** Who has never answered goes first, then who answered longest ago. */
  #forgetOne(): void {
    const ids = [...this.#peers.keys()]
    const callers = ids.filter((id) => this.#peers.get(id)?.answered.length === 0)
    const [first] = [...callers, ...ids]
    if (first !== undefined) this.#peers.delete(first)
  }

  #write(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    try {
      this.#options.file.write(`${JSON.stringify({ peers: Object.fromEntries(this.#peers) }, null, 2)}\n`)
      this.#cannotWrite = false
    } catch (thrown) {
      // Said once, not with every connection.
      const level = this.#cannotWrite ? 'debug' : 'warn'
      this.#cannotWrite = true
      this.#options.logger[level](
        { detail: normaliseError(thrown).message, fix: 'delete what is in its place; it is written again' },
        'the address book cannot be written; after a restart the node begins with its bootstrap peers',
      )
    }
  }
}

function bare(address: Multiaddr): string {
  return withoutPeerId(address).toString()
}

/**
 * @returns what is kept by peer id, at most as many as the bounds allow; and what is strange about each other entry
 * @throws Error for what is not a book as {@link AddressBook} writes it
 */
function parseBook(text: string): {
  readonly entries: readonly (readonly [string, Entry])[]
  readonly strange: readonly string[]
} {
  if (text.length > ADDRESS_BOOK.textMax) throw new Error(`it has ${text.length} characters`)
  const { peers } = JSON.parse(text) as { peers?: unknown }
  if (typeof peers !== 'object' || peers === null) throw new Error('it has no peers')
  const entries: [string, Entry][] = []
  const strange: string[] = []
  for (const [id, entry] of Object.entries(peers).slice(-ADDRESS_BOOK.peersMax)) {
    try {
      entries.push([peerIdFromString(id).toString(), parseEntry(entry)])
    } catch (thrown) {
      strange.push(`${id}: ${normaliseError(thrown).message}`)
    }
  }
  return { entries, strange }
}

function parseEntry(entry: Partial<Record<keyof Entry, unknown>> | null): Entry {
  return { answered: parseAddresses(entry?.answered), told: parseAddresses(entry?.told) }
}

function parseAddresses(addresses: unknown): readonly string[] {
  if (!Array.isArray(addresses)) throw new Error('"answered" and "told" must be lists of addresses')
  return addresses.slice(-ADDRESS_BOOK.addressesMax).map((text: unknown) => {
    const address = multiaddr(String(text))
    if (transportOf(address) === undefined)
      throw new Error(`${address} is of no transport that this node speaks`)
    return address.toString()
  })
}
