/** The relay does to a stream what it is told, and nothing else. */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { type Direction, linkRelay } from '../../support/chaos/link-relay.ts'
import { until } from '../../support/e2e/until.ts'
import { seededRandom } from '../../support/seeded-random.ts'

const free = (): Direction => ({ shape: {}, isCut: false })

/** A relay between a socket that dials and one that was accepted. */
async function link(out = free(), back = free()) {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const relay = await linkRelay((server.address() as AddressInfo).port, out, back, seededRandom(1))
  const near = connect(relay.port, '127.0.0.1')
  near.on('error', () => undefined)
  const [far] = await accepted
  far.on('error', () => undefined)
  onTestFinished(async () => {
    near.destroy()
    far.destroy()
    await relay.close()
    server.close()
  })
  const heard = { near: '', far: '' }
  near.on('data', (chunk) => {
    heard.near += chunk
  })
  far.on('data', (chunk) => {
    heard.far += chunk
  })
  return { relay, near, far, heard }
}

it('passes on both ways, in order, and the end as well', async () => {
  const { near, far, heard } = await link()
  near.write('one ')
  near.end('two')
  far.write('three')
  await until(() => heard.far === 'one two' && heard.near === 'three', 5_000, 'all has arrived')
  await until(() => far.readableEnded, 5_000, 'the end has arrived')
  far.end()
})

it('delays what is said one way, and not the answer', async () => {
  const { near, far, heard } = await link({ shape: { delayMs: 150 }, isCut: false })
  const saidAt = performance.now()
  near.write('late')
  far.write('at once')
  await until(() => heard.near === 'at once', 5_000, 'the answer')
  await until(() => heard.far === 'late', 5_000, 'the delayed')
  expect(performance.now() - saidAt).toBeGreaterThanOrEqual(149)
})

it('lets a loss cost a retransmission', async () => {
  const { near, heard } = await link({ shape: { lossPercent: 100 }, isCut: false })
  const saidAt = performance.now()
  near.write('again')
  await until(() => heard.far === 'again', 5_000, 'the second try')
  expect(performance.now() - saidAt).toBeGreaterThanOrEqual(199)
})

it('takes the time that a slow link takes', async () => {
  const { near, heard } = await link({ shape: { bitsPerSecond: 80_000 }, isCut: false })
  const saidAt = performance.now()
  near.write('x'.repeat(2_000))
  await until(() => heard.far.length === 2_000, 5_000, 'all of it')
  expect(performance.now() - saidAt).toBeGreaterThanOrEqual(199)
})

it('holds what is said into a cut until it is healed', async () => {
  const out = free()
  const { relay, near, far, heard } = await link(out)
  out.isCut = true
  near.write('held')
  far.write('heard')
  await until(() => heard.near === 'heard', 5_000, 'the way that is not cut')
  // A free way there and back again: whatever was not held would have come by then.
  far.write(' twice')
  await until(() => heard.near === 'heard twice', 5_000, 'the same again')
  expect(heard.far).toBe('')
  out.isCut = false
  relay.changed()
  await until(() => heard.far === 'held', 5_000, 'what was held')
})

it('resets both sides', async () => {
  const { relay, near, far } = await link()
  const ended = Promise.all([once(near, 'error'), once(far, 'error')]) as Promise<[NodeJS.ErrnoException][]>
  relay.reset()
  expect((await ended).map(([error]) => error.code)).toEqual(['ECONNRESET', 'ECONNRESET'])
})
