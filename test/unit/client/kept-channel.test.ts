/** A connection that is kept: shared, opened anew when it is dead or may be, and closed when nobody uses it. */
import { expect, it } from 'vitest'
import { KeptChannel, type KeptConnection } from '../../../src/client/node/kept-channel.ts'

interface Made extends KeptConnection {
  isOpen: boolean
  isClosed: boolean
}

/** A channel whose connections answer as `exchange` says; `made` are those that it opened. */
function setUp(exchange: (of: Made, request: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>) {
  const made: Made[] = []
  const channel = new KeptChannel(async () => {
    const connection: Made = {
      isOpen: true,
      isClosed: false,
      exchange: (request, { signal }) => exchange(connection, request, signal),
      close: async () => {
        connection.isClosed = true
      },
    }
    made.push(connection)
    return connection
  })
  const ask = (signal: AbortSignal = new AbortController().signal): Promise<Uint8Array> =>
    channel.exchange(Uint8Array.of(1), { deadlineMs: 1_000, signal, answerBytesMax: 10 })
  return { channel, made, ask }
}

const echo = async (of: Made, request: Uint8Array): Promise<Uint8Array> => {
  if (!of.isOpen) throw new Error('gone')
  return request
}

it('is opened once for calls at the same time and after each other', async () => {
  const { channel, made, ask } = setUp(echo)
  await Promise.all([ask(), ask(), ask()])
  await ask()
  expect(made).toHaveLength(1)
  await channel.close()
  expect(made[0]?.isClosed).toBe(true)
})

it('is opened anew when it is dead, by all who find it so, and the old one is closed', async () => {
  const { made, ask } = setUp(echo)
  await ask()
  const [first] = made
  if (first !== undefined) first.isOpen = false
  expect(await Promise.all([ask(), ask()])).toHaveLength(2)
  expect(made.map(({ isClosed }) => isClosed)).toEqual([true, false])
})

it('is not used again after a call without an answer, but left to those who still wait on it', async () => {
  const answers: (() => void)[] = []
  const { made, ask } = setUp(
    (_of, request) => new Promise((resolve) => answers.push(() => resolve(request))),
  )
  const waiting = ask()
  const giveUp = new AbortController()
  const hanging = ask(giveUp.signal)
  await expect.poll(() => answers.length).toBe(2)
  giveUp.abort(new Error('no answer in time'))
  await expect(hanging).rejects.toThrow('no answer in time')
  const next = ask()
  await expect.poll(() => answers.length).toBe(3)
  expect(made.map(({ isClosed }) => isClosed)).toEqual([false, false])
  for (const answer of answers) answer()
  expect(await waiting).toEqual(await next)
  expect(made.map(({ isClosed }) => isClosed)).toEqual([true, false])
})

it('that cannot be opened is tried anew by the next call, and a failure of the call alone keeps it', async () => {
  let dials = 0
  const channel = new KeptChannel(async () => {
    dials++
    if (dials === 1) throw new Error('nobody there')
    return {
      isOpen: true,
      exchange: () => Promise.reject(new Error('the answer is too long')),
      close: async () => {},
    }
  })
  const limits = { deadlineMs: 1_000, signal: new AbortController().signal, answerBytesMax: 10 }
  await expect(channel.exchange(new Uint8Array(), limits)).rejects.toThrow('nobody there')
  for (let i = 0; i < 2; i++) {
    await expect(channel.exchange(new Uint8Array(), limits)).rejects.toThrow('too long')
  }
  expect(dials).toBe(2)
})
