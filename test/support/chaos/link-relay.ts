/**
 * A TCP relay between one node that dials and one that listens, whose two directions can be slow, lossy, cut or
 * reset. What is lost in a TCP stream comes a retransmission later, and all behind it waits: so does it here.
 */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { Shape } from './fabric.ts'

/** Linux's least retransmission timeout (TCP_RTO_MIN). */
const RETRANSMISSION_MS = 200
/** Held in one direction; beyond it the sender is not read. */
const HELD_BYTES_MAX = 1_048_576
/** What a lost packet holds. */
const PACKET_BYTES = 1_448

/** What is imposed on one direction of a link, as of now. */
export interface Direction {
  shape: Shape
  isCut: boolean
}

/** One direction of one connection. */
class Pipe {
  readonly #to: Socket
  readonly #from: Socket
  readonly #direction: Direction
  readonly #random: () => number
  readonly #held: { readonly chunk: Buffer; readonly dueMs: number }[] = []
  #heldBytes = 0
  #lastDueMs = 0
  #timer: NodeJS.Timeout | undefined
  #hasEnded = false

  constructor(from: Socket, to: Socket, direction: Direction, random: () => number) {
    this.#from = from
    this.#to = to
    this.#direction = direction
    this.#random = random
    from.on('data', (chunk: Buffer) => this.#take(chunk))
    from.on('end', () => {
      this.#hasEnded = true
      this.pass()
    })
    from.on('error', () => to.destroy())
    from.on('close', () => {
      clearTimeout(this.#timer)
      if (!this.#hasEnded) to.destroy()
    })
  }

  /** Passes on what is due. Called again when conditions have changed. */
  pass(): void {
    clearTimeout(this.#timer)
    if (this.#direction.isCut || this.#to.destroyed) return
    const now = performance.now()
    for (let next = this.#held[0]; next !== undefined && next.dueMs <= now; next = this.#held[0]) {
      this.#held.shift()
      this.#heldBytes -= next.chunk.length
      this.#to.write(next.chunk)
    }
    if (this.#heldBytes < HELD_BYTES_MAX) this.#from.resume()
    const [next] = this.#held
    if (next !== undefined) this.#timer = setTimeout(() => this.pass(), next.dueMs - now)
    else if (this.#hasEnded) this.#to.end()
  }

  #take(chunk: Buffer): void {
    const { delayMs = 0, jitterMs = 0, lossPercent = 0, bitsPerSecond = 0 } = this.#direction.shape
    const packets = Math.ceil(chunk.length / PACKET_BYTES)
    const isLossy = this.#random() > (1 - lossPercent / 100) ** packets
    const jitter = (2 * this.#random() - 1) * jitterMs
    const arrivesMs = performance.now() + delayMs + jitter + (isLossy ? RETRANSMISSION_MS : 0)
    const transferMs = bitsPerSecond === 0 ? 0 : (chunk.length * 8_000) / bitsPerSecond
    this.#lastDueMs = Math.max(arrivesMs, this.#lastDueMs) + transferMs
    this.#held.push({ chunk, dueMs: this.#lastDueMs })
    this.#heldBytes += chunk.length
    if (this.#heldBytes >= HELD_BYTES_MAX) this.#from.pause()
    this.pass()
  }
}

export interface LinkRelay {
  readonly port: number
  /** Looks again at what is imposed. */
  changed(): void
  /** Ends every connection with a reset. */
  reset(): void
  close(): Promise<void>
}

/**
 * @param out what the dialling node sends
 * @param back what the listening node sends
 */
export async function linkRelay(
  targetPort: number,
  out: Direction,
  back: Direction,
  random: () => number,
): Promise<LinkRelay> {
  const pipes = new Set<Pipe>()
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (inbound) => {
    const outbound = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true })
    for (const [from, to, direction] of [
      [inbound, outbound, out],
      [outbound, inbound, back],
    ] as const) {
      from.setNoDelay(true)
      const pipe = new Pipe(from, to, direction, random)
      pipes.add(pipe)
      sockets.add(from)
      from.on('close', () => {
        pipes.delete(pipe)
        sockets.delete(from)
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const reset = (): void => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    port: (server.address() as AddressInfo).port,
    changed: () => {
      for (const pipe of pipes) pipe.pass()
    },
    reset,
    async close() {
      reset()
      server.close()
      await once(server, 'close')
    },
  }
}
