/** A TCP relay that can end a connection cleanly in the middle, as somebody on the path could. */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface CuttingProxy {
  readonly port: number
  /** Ends both halves with a FIN: to TCP it looks like a polite close. */
  cut(): void
  close(): Promise<void>
}

export async function cuttingProxy(targetPort: number): Promise<CuttingProxy> {
  const sockets: Socket[] = []
  const server = createServer((inbound) => {
    const outbound = connect(targetPort, '127.0.0.1')
    for (const [from, to] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      sockets.push(from)
      from.on('error', () => to.destroy())
      from.pipe(to)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    cut() {
      for (const socket of sockets) {
        socket.unpipe()
        socket.end()
      }
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
