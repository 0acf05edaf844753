/**
 * The QUIC library, and the only file that knows it: `@currentspace/http3`, whose native part (quiche, BoringSSL)
 * runs in a thread of its own. It gives connections and byte streams; what is said on them is not known here.
 */
import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import type * as Library from '@currentspace/http3'
import type { TlsMaterial } from '../http/self-signed.ts'
import { bindError, StoqError } from './errors.ts'

/** RFC 7301; what the STOQ code calls itself. */
const ALPN = ['stoq/1.0']
/** Without io_uring, which containers forbid, and without the notice that it is missing. */
const PORTABLE = { runtimeMode: 'portable', fallbackPolicy: 'error' } as const

/** One byte stream in both directions. Ending it closes our side; both ended, it is gone. */
export interface QuicStream extends Duplex {
  /** Gives both directions up: RESET_STREAM and STOP_SENDING. */
  close(code?: number): void
}

/** An accepted connection. */
export interface QuicConnection {
  /** IP address of the other side. */
  readonly remoteAddress: string
  /** Asks the other side for a sign of life, so that neither gives up an idle connection. */
  ping(): void
  /** Says why and ends it; streams under way are lost. */
  close(code: number, reason: string): void
}

/** Told of what happens on a connection. */
export interface QuicHandlers {
  /** A bidirectional stream of the other side. */
  readonly stream: (stream: QuicStream) => void
  readonly closed: () => void
}

/** A listening socket. */
export interface QuicListener {
  readonly port: number
  close(): Promise<void>
}

export interface ListenOptions {
  readonly host: string
  /** 0: any free one. */
  readonly port: number
  /** The library writes the key to a file for a moment, readable as the umask has it: one that is worth nothing. */
  readonly tls: TlsMaterial
  readonly idleTimeoutMs: number
  readonly streamsMax: number
  readonly connectionsMax: number
  readonly connection: (connection: QuicConnection) => QuicHandlers
  /** The listener itself has failed, and may be deaf from now on. */
  readonly failed: (error: Error) => void
}

/** Received and not yet taken off the connection, over all its streams. */
const CONNECTION_WINDOW_BYTES = 16 * 1024 * 1024

/** @throws StoqError `E_STOQ_UNAVAILABLE` where the library has nothing compiled for the platform */
async function load(): Promise<typeof Library> {
  try {
    return await import('@currentspace/http3')
  } catch (cause) {
    throw unavailable(cause)
  }
}

function unavailable(cause: unknown): StoqError {
  // The loader's own message is advice about npm; what it could not load is its cause.
  const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause
  const why = reason instanceof Error ? reason.message : String(reason)
  const platform = `${process.platform}-${process.arch}, Node ${process.versions.node}`
  return new StoqError('E_STOQ_UNAVAILABLE', `there is no QUIC for STOQ on this platform (${platform})`, {
    why: why.split('\n')[0] ?? why,
    fix: 'use HTTP or libp2p here; STOQ runs on Linux x64 and arm64 with glibc, and on macOS arm64',
    cause,
  })
}

/** The native part is looked for at the first use. */
function isMissingBinding(error: unknown): boolean {
  return error instanceof Error && /native binding|MODULE_NOT_FOUND|\.node\b/i.test(error.message)
}

/** Client-initiated and bidirectional (RFC 9000 §2.1). */
const isCall = (id: number): boolean => id % 4 === 0

/**
 * Opens a listener.
 * @throws StoqError `E_STOQ_UNAVAILABLE`, `E_PORT_IN_USE`, `E_LISTEN`, `E_STOQ_HOST`
 */
export async function listenQuic(options: ListenOptions): Promise<QuicListener> {
  const { port, failed } = options
  const host = await addressOf(options.host)
  const library = await load()
  await requireBindable(host, port)
  const server = library.createQuicServer({
    ...PORTABLE,
    ...options.tls,
    alpn: ALPN,
    maxIdleTimeoutMs: options.idleTimeoutMs,
    initialMaxStreamsBidi: options.streamsMax,
    initialMaxData: CONNECTION_WINDOW_BYTES,
    maxConnections: options.connectionsMax,
    // A connection costs memory: only for those who can be reached where they say they are (RFC 9000 §8.1).
    disableRetry: false,
  })
  server.on('error', failed)
  server.on('session', (session) => {
    const handlers = options.connection({
      remoteAddress: session.remoteAddress,
      ping: () => void session.ping(),
      close: (code, reason) => session.close(code, reason),
    })
    tameGhosts(session)
    // What ends a connection is told by 'close'; unheard, this one would end the process.
    session.on('error', () => {})
    session.on('close', handlers.closed)
    session.on('stream', (stream) => {
      if (isCall(stream.id)) handlers.stream(stream)
      else stream.close()
    })
  })
  try {
    const bound = await server.listen(port, host)
    return { port: bound.port, close: () => server.close() }
  } catch (cause) {
    throw isMissingBinding(cause) ? unavailable(cause) : bindError(cause, host, port)
  }
}

/** The library takes addresses only. */
async function addressOf(host: string): Promise<string> {
  if (isIP(host) !== 0) return host
  try {
    return (await lookup(host)).address
  } catch (cause) {
    throw new StoqError('E_STOQ_HOST', `the host name ${host} cannot be resolved`, {
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'write an IP address, such as [::1]:9292',
      cause,
    })
  }
}

/** Asked first: a listener of the library that could not bind leaves its thread behind, which keeps a process up. */
async function requireBindable(host: string, port: number): Promise<void> {
  const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4')
  try {
    socket.bind({ address: host, port, exclusive: true })
    await once(socket, 'listening')
  } catch (cause) {
    throw bindError(cause, host, port)
  } finally {
    socket.close()
  }
}

/** What makes streams anew, on either side; on the calling one the library's types do not show it. */
type StreamMaker = Pick<Library.QuicServerSession, '_getOrCreateStream'>

/**
 * Bytes that are on their way to us when a stream is given up may make the library open it anew, known to nobody:
 * its errors would be heard by nobody, which ends a process, and its bytes kept. Here every stream has a listener and
 * is emptied unless someone reads it. (Exported for its test: the race cannot be had on demand.)
 */
export function tameGhosts(session: StreamMaker): void {
  const make = session._getOrCreateStream.bind(session)
  const known = new WeakSet<Library.QuicStream>()
  session._getOrCreateStream = (id) => {
    const stream = make(id)
    if (!known.has(stream)) {
      known.add(stream)
      stream.on('error', () => {})
      // The one who is to read it is told in this same turn.
      queueMicrotask(() => {
        if (stream.listenerCount('data') === 0) stream.resume()
      })
    }
    return stream
  }
}

/** The calling side of a connection. */
export interface QuicClient {
  /** A stream of its own. */
  open(): QuicStream
  /** Aborted when the connection is gone, with why. */
  readonly gone: AbortSignal
  close(): Promise<void>
}

export interface DialOptions {
  readonly host: string
  readonly port: number
  /** For SNI; no name is verified. */
  readonly serverName: string
  readonly deadlineMs: number
  readonly idleTimeoutMs: number
}

/**
 * Connects, accepting any certificate: a node makes its own, and nothing vouches for it.
 * @throws StoqError `E_STOQ_UNAVAILABLE`, `E_STOQ_CONNECT`, `E_STOQ_HOST`
 */
export async function dialQuic(options: DialOptions): Promise<QuicClient> {
  const { host, port, serverName, deadlineMs, idleTimeoutMs } = options
  const address = await addressOf(host)
  const library = await load()
  const gone = new AbortController()
  const lost = (why: string): void =>
    gone.abort(
      new StoqError('E_STOQ_CONNECTION', `the STOQ connection to ${host} port ${port} is gone`, {
        why,
        fix: 'connect anew',
      }),
    )
  try {
    const session = await library.connectQuicAsync(
      { address, port, servername: serverName },
      {
        ...PORTABLE,
        alpn: ALPN,
        rejectUnauthorized: false,
        maxIdleTimeoutMs: idleTimeoutMs,
        connectTimeoutMs: deadlineMs,
      },
    )
    tameGhosts(session as unknown as StreamMaker)
    session.on('error', (error) => lost(error.message))
    session.on('close', ({ errorCode, reason }) =>
      lost(`closed with code ${errorCode}: ${reason || 'no reason'}`),
    )
    return { open: () => session.openStream(), gone: gone.signal, close: () => session.close() }
  } catch (cause) {
    if (isMissingBinding(cause)) throw unavailable(cause)
    throw new StoqError('E_STOQ_CONNECT', `no STOQ connection to ${host} port ${port}`, {
      why: cause instanceof Error ? cause.message : String(cause),
      fix: 'start a node there, or name another address',
      cause,
    })
  }
}
