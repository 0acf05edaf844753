/** Fixed-size messages from a stream that delivers them anyhow, late, or not at all. */

import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { HandshakeChannel } from '../../../src/session/handshake-channel.ts'
import { MESSAGE_BYTES } from '../../../src/session/handshake-messages.ts'
import { FakeCarrier } from '../../support/session/fake-carrier.ts'

function setUp() {
  const raw = new FakeCarrier()
  const deadline = new AbortController()
  return { raw, deadline, channel: new HandshakeChannel(raw, deadline.signal) }
}

const confirm = Buffer.concat([Uint8Array.of(4), randomBytes(MESSAGE_BYTES.confirm - 1)])

describe('read', () => {
  test.each([1, 2, 7, 19, 100])('a message that comes in pieces of %i bytes', async (size) => {
    const { raw, channel } = setUp()
    const message = channel.read('confirm')
    for (let at = 0; at < confirm.byteLength; at += size) raw.onData(confirm.subarray(at, at + size))
    const read = await message
    expect(read.ok && Buffer.compare(read.value, confirm)).toBe(0)
  })

  test('a message that was there before', async () => {
    const { raw, channel } = setUp()
    raw.onData(confirm)
    expect(await channel.read('confirm')).toMatchObject({ ok: true })
  })

  test('a message whose sender has already closed', async () => {
    const { raw, channel } = setUp()
    raw.onData(confirm)
    raw.onRemoteCloseWrite()
    expect(await channel.read('confirm')).toMatchObject({ ok: true })
    expect(await channel.read('confirm')).toMatchObject({ ok: false, code: 'closed' })
  })

  test('two messages of one chunk, and gives back the rest', async () => {
    const { raw, channel } = setUp()
    const first = channel.read('confirm')
    raw.onData(Buffer.concat([confirm, confirm, Buffer.from('rest')]))
    expect(await first).toMatchObject({ ok: true })
    expect(await channel.read('confirm')).toMatchObject({ ok: true })
    expect(Buffer.from(channel.release()).toString()).toBe('rest')
  })

  test.each<[string, Parameters<HandshakeChannel['read']>[0], Uint8Array, string, string]>([
    ['another kind', 'confirm', Uint8Array.of(3), 'malformed', 'kind 3'],
    ['something else for a hello', 'hello', Uint8Array.of(0), 'no-session-layer', 'does not speak'],
    [
      'a multistream greeting',
      'reply',
      Buffer.from('\x13/multistream/1.0.0\n'),
      'no-session-layer',
      'does not speak',
    ],
    ['a refusal that we know', 'reply', Uint8Array.of(255, 2), 'refused-by-remote', 'wrong-genesis'],
    ['a refusal that we do not know', 'reply', Uint8Array.of(255, 99), 'refused-by-remote', 'unknown'],
  ])('%s', async (_, kind, bytes, code, detail) => {
    const { raw, channel } = setUp()
    const message = channel.read(kind)
    raw.onData(bytes)
    expect(await message).toMatchObject({ ok: false, code, detail: expect.stringContaining(detail) })
  })

  test.each<[string, (raw: FakeCarrier) => void]>([
    ['ends', (raw) => raw.onRemoteCloseWrite()],
    ['is reset', (raw) => raw.onRemoteReset()],
    ['is aborted', (raw) => raw.abort(new Error('x'))],
    ['closes', (raw) => raw.onTransportClosed()],
  ])('a stream that %s in the middle', async (_, end) => {
    const { raw, channel } = setUp()
    const message = channel.read('confirm')
    raw.onData(confirm.subarray(0, 5))
    end(raw)
    expect(await message).toMatchObject({ ok: false, code: 'closed' })
    expect(await channel.read('confirm')).toMatchObject({ ok: false, code: 'closed' })
  })

  test('nothing, until the deadline', async () => {
    const { deadline, channel } = setUp()
    const message = channel.read('hello')
    deadline.abort()
    expect(await message).toMatchObject({ ok: false, code: 'too-slow' })
    expect(await channel.read('hello')).toMatchObject({ ok: false, code: 'too-slow' })
  })

  test('a flood cannot make it hold more than its bound', async () => {
    const { raw, channel } = setUp()
    const message = channel.read('confirm')
    raw.onData(confirm)
    expect(await message).toMatchObject({ ok: true })
    for (let chunk = 0; chunk < 10 && raw.status === 'open'; chunk += 1) raw.onData(randomBytes(64 * 1024))
    expect(raw.status).toBe('aborted')
  })

  test('leaves no listeners behind, and the stream with the bound that it had', async () => {
    const { raw, channel } = setUp()
    const message = channel.read('confirm')
    raw.onData(confirm)
    await message
    channel.release()
    expect(raw.listenerCount('message')).toBe(0)
    expect(raw.maxReadBufferLength).toBe(4 * 1024 * 1024)
  })
})

describe('refuse', () => {
  test('tells why and waits for the other side to go', async () => {
    const { raw, channel } = setUp()
    const refused = channel.refuse({ ok: false, code: 'stranger', detail: '' })
    expect([...raw.wire()]).toEqual([255, 8])
    raw.onTransportClosed()
    await refused
  })

  test.each(['closed', 'refused-by-remote'] as const)(
    'says nothing when the reason is "%s"',
    async (code) => {
      const { raw, channel } = setUp()
      await channel.refuse({ ok: false, code, detail: '' })
      expect(raw.sent).toEqual([])
    },
  )

  test('does not wait after the deadline', async () => {
    const { raw, channel, deadline } = setUp()
    deadline.abort()
    await channel.refuse({ ok: false, code: 'too-slow', detail: '' })
    expect(raw.sent).toHaveLength(1)
  })
})
