/** The STOQ endpoint of a node where there is no QUIC for the platform, where it is off, and where its port is taken. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { endAll, run } from '../support/cli/processes.ts'

const SOURCE = join(import.meta.dirname, '..', '..', 'src')

/** Starts the endpoint in a process of its own and prints what came of it. */
const SCRIPT = `
  const { startStoq } = await import('${SOURCE}/composition/stoq-endpoint.ts')
  const { StopOrder } = await import('${SOURCE}/composition/stop-order.ts')
  const { SystemClock } = await import('${SOURCE}/composition/system-clock.ts')
  const { ClientLimiter } = await import('${SOURCE}/rpc/client-limiter.ts')
  const { createMetrics } = await import('${SOURCE}/observability/metrics.ts')
  const [enabled, port] = JSON.parse(process.argv[1])
  const logged = []
  const log = (level) => ({ error, ...fields }, message) => logged.push({ level, message, code: error?.code, ...fields })
  const logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
  const clock = new SystemClock()
  const metrics = createMetrics({ version: '0', commit: '0' })
  const order = new StopOrder()
  const outcome = await startStoq({
    config: { enabled, listen: { host: '::1', port } }, logger, clock, metrics,
    service: null, limiter: new ClientLimiter(() => 0),
  }, order).catch(({ code }) => ({ code }))
  await order.stop(() => {})
  metrics.stop()
  console.log(JSON.stringify({ outcome, logged }))
`

async function outcomeOf(enabled: boolean, port: number, env: Record<string, string> = {}) {
  const command = [process.execPath, '--input-type=module', '-e', SCRIPT, JSON.stringify([enabled, port])]
  const { code, stdout, stderr } = await run(command, { env }).ended
  expect(stderr).toBe('')
  expect(code).toBe(0)
  return JSON.parse(stdout) as { outcome: unknown; logged: Record<string, string>[] }
}

afterEach(endAll)

it('listens, and stops', async () => {
  const { outcome, logged } = await outcomeOf(true, 0)
  expect(outcome).toMatch(/^stoq:\/\/\[::1\]:\d+$/)
  expect(logged).toEqual([{ level: 'info', message: 'listening', concern: 'STOQ endpoint', url: outcome }])
})

it('goes without it, and says so, where the library has nothing compiled for the platform', async () => {
  // The library's own setting: look for its native part there, and nowhere else.
  const { outcome, logged } = await outcomeOf(true, 0, { NAPI_RS_NATIVE_LIBRARY_PATH: '/nowhere/http3.node' })
  expect(outcome).toBeNull()
  expect(logged).toEqual([
    {
      level: 'warn',
      message: 'no QUIC on this platform: the node goes without its STOQ endpoint',
      code: 'E_STOQ_UNAVAILABLE',
      why: expect.stringContaining('/nowhere/http3.node'),
      fix: expect.stringContaining('use HTTP or libp2p here'),
    },
  ])
})

it('does not listen when it is switched off', async () => {
  expect(await outcomeOf(false, 0)).toEqual({ outcome: null, logged: [] })
})

it('does not go without it when its port is taken', async () => {
  const socket = createSocket('udp6').bind(0, '::1')
  try {
    await once(socket, 'listening')
    expect((await outcomeOf(true, socket.address().port)).outcome).toEqual({ code: 'E_PORT_IN_USE' })
  } finally {
    socket.close()
  }
})
