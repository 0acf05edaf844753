/** What a person is told when the API gave no answer: by what answers there in its place, over real sockets. */

import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { askApi } from '../../../src/cli/api-client.ts'
import { makeSelfSigned } from '../../../src/rpc/http/self-signed.ts'

let server: Pick<Server, 'listen' | 'close' | 'address'> | null = null
afterEach(() => void server?.close())

async function listening(made: NonNullable<typeof server>): Promise<number> {
  server = made
  await new Promise<void>((resolve) => void made.listen(0, '127.0.0.1', resolve))
  return (made.address() as AddressInfo).port
}

const status = (api: string) => askApi({ api }, '/v1/status')
const refusal = (message: RegExp, why: RegExp, fix: RegExp) => ({
  code: 'E_NO_ANSWER',
  exitCode: 69,
  message: expect.stringMatching(message),
  advice: { why: expect.stringMatching(why), fix: expect.stringMatching(fix) },
})

it('says http to one who wrote https', async () => {
  const port = await listening(createServer((_request, response) => void response.end('{}')))
  await expect(status(`https://127.0.0.1:${port}`)).rejects.toMatchObject(
    refusal(
      /does not speak TLS$/,
      /^the handshake failed \(\w+\)$/,
      new RegExp(`plain HTTP: write http://127\\.0\\.0\\.1:${port}$`),
    ),
  )
})

it('tells the API from an endpoint with TLS', async () => {
  const port = await listening(createTlsServer(makeSelfSigned(['127.0.0.1'], Date.now())))
  await expect(status(`https://127.0.0.1:${port}`)).rejects.toMatchObject(
    refusal(/is not trusted here$/, /\(DEPTH_ZERO_SELF_SIGNED_CERT\)$/, /plain HTTP.*"validate --to"$/),
  )
  await expect(status(`http://127.0.0.1:${port}`)).rejects.toMatchObject(
    refusal(/does not speak plain HTTP$/, /./, /a CA endpoint, which has TLS/),
  )
})

it('says when nobody is there, and when a port is not asked', async () => {
  await expect(status('http://127.0.0.1:2')).rejects.toMatchObject(
    refusal(/^no node answers at/, /ECONNREFUSED/, /^start it with/),
  )
  await expect(status('http://127.0.0.1:1')).rejects.toMatchObject(
    refusal(/^no node answers at/, /do not ask port 1: it belongs to another protocol$/, /api\.listen/),
  )
})
