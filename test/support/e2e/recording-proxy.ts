/** A TCP relay that keeps what the dialler sent: somebody on the path, who may say it again later. */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface RecordingProxy {
  readonly port: number
  /** Bytes of each connection from the dialling side, in the order in which they came. */
  readonly recorded: readonly (readonly Buffer[])[]
  close(): Promise<void>
}

export async function recordingProxy(targetPort: number): Promise<RecordingProxy> {
  const recorded: Buffer[][] = []
  const sockets: Socket[] = []
  const server = createServer((inbound) => {
    const chunks: Buffer[] = []
    recorded.push(chunks)
    const outbound = connect(targetPort, '127.0.0.1')
    inbound.on('data', (chunk: Buffer) => chunks.push(chunk))
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
    recorded,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/**
 * Says recorded bytes again on a new connection, each chunk when the other side has answered the one before.
 * @returns what came back, when the other side has closed the connection
 */
export function replay(port: number, chunks: readonly Buffer[]): Promise<Buffer> {
  return new Promise((resolve) => {
    const answers: Buffer[] = []
    const left = [...chunks]
    const socket = connect(port, '127.0.0.1')
    const sayNext = (): void => {
      const chunk = left.shift()
      if (chunk !== undefined) socket.write(chunk)
    }
    socket.on('connect', sayNext)
    socket.on('data', (answer: Buffer) => {
      answers.push(answer)
      sayNext()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(Buffer.concat(answers)))
  })
}
