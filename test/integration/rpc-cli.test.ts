/** `request` and `validate` as commands, against a CA endpoint on a real socket. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { registerRequestCommand } from '../../src/cli/request.ts'
import { registerValidateCommand } from '../../src/cli/validate.ts'
import { ClientLimiter } from '../../src/rpc/client-limiter.ts'
import { makeCaServer } from '../../src/rpc/http/ca-server.ts'
import type { HttpListener } from '../../src/rpc/http/listener.ts'
import { makeSelfSigned } from '../../src/rpc/http/self-signed.ts'
import { ValidationService } from '../../src/validation/validation-service.ts'
import { DnsServer } from '../support/client/dns-server.ts'
import { FakeClock, FakeNetwork } from '../support/fake-network.ts'

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

let network: FakeNetwork
let service: ValidationService
let server: HttpListener
let directory: string
let written: string[]

function caServer(host: string): HttpListener {
  return makeCaServer(service, {
    listen: { host, port: 0 },
    tls: makeSelfSigned([host], Date.now()),
    limiter: new ClientLimiter(() => performance.now()),
    logger,
  })
}

beforeEach(async () => {
  network = new FakeNetwork()
  network.answersAtOnce = true
  service = new ValidationService({ ...network, clock: new FakeClock(), nodeName: 'n-1', version: '1' })
  server = caServer('::1')
  await server.start()
  directory = await mkdtemp(join(tmpdir(), 'hypermesh-cli-'))
  written = []
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written.push(String(text))
    return true
  })
})
afterEach(async () => {
  vi.restoreAllMocks()
  process.exitCode = undefined
  await server.close()
  await rm(directory, { recursive: true })
})

/** Runs one command line; what it wrote, and the exit code that it asked for. */
async function run(...args: readonly string[]): Promise<{ output: string; exitCode: unknown }> {
  written = []
  process.exitCode = undefined
  const program = new Command().exitOverride().configureOutput({ writeErr: () => {} })
  registerRequestCommand(program)
  registerValidateCommand(program)
  await program.parseAsync(args, { from: 'user' })
  return { output: written.join(''), exitCode: process.exitCode }
}

async function freshFile(...args: readonly string[]): Promise<string> {
  const path = join(directory, 'request.json')
  await writeFile(path, (await run('request', ...args)).output)
  return path
}

describe('request and validate', () => {
  it.each(['certificate', 'four-proof'])('show a Valid %s, exit 0', async (kind) => {
    const { output, exitCode } = await run('validate', await freshFile(kind), '--to', server.url)
    expect(output).toMatch(/^Valid\n {2}proofs {6}space ok, stake ok, work ok, time ok\n/)
    expect(output).toContain('decided by  3 validators, 75.0 % of the stake')
    expect(exitCode).toBe(0)
  })

  it('show what is Invalid with the reason, exit 1', async () => {
    network.failures = [{ subject: 'space', reason: 'total_storage is 1024, the minimum is 1048576' }]
    const { output, exitCode } = await run(
      'validate',
      await freshFile('certificate'),
      '--to',
      `${server.url}/`,
    )
    expect(output).toContain('Invalid: space_proof\n  reason      total_storage is 1024')
    expect(output).toContain('space FAILED, stake ok')
    expect(exitCode).toBe(1)
  })

  it('print the raw answer, the same for the same request', async () => {
    const file = await freshFile('certificate')
    const first = await run('validate', file, '--to', server.url, '--json')
    const again = await run('validate', file, '--to', server.url, '--json')
    expect(JSON.parse(first.output)).toMatchObject({ result: 'Valid', validator_id: 'n-1' })
    expect(again.output).toBe(first.output)
  })

  it('say when there is no verdict, exit 69, and when the request is none, exit 65', async () => {
    network.notReady = 'no quorum seen for 12 s'
    const waiting = await run('validate', await freshFile('certificate'), '--to', server.url)
    expect(waiting.output).toBe('Error CONSENSUS_NOT_INITIALIZED: no quorum seen for 12 s\n')
    expect(waiting.exitCode).toBe(69)
    const broken = join(directory, 'broken.json')
    await writeFile(broken, '{"certificate_request":{}}')
    const refused = await run('validate', broken, '--to', server.url)
    expect(refused.output).toContain('Error INVALID_PROOF_FORMAT: certificate_request: missing field')
    expect(refused.exitCode).toBe(65)
  })

  it.each([
    ['no JSON', 'nonsense', 'E_REQUEST', 65],
    ['no request', '{"a":1}', 'E_REQUEST', 65],
  ])('refuse a file that is %s', async (_name, text, code, exitCode) => {
    const file = join(directory, 'x.json')
    await writeFile(file, text)
    await expect(run('validate', file, '--to', server.url)).rejects.toMatchObject({ code, exitCode })
  })

  it.each([
    ['nobody listens', 'https://[::1]:1', 'E_NO_ANSWER', 69],
    ['the address is none', 'nonsense', 'E_ENDPOINT', 64],
    ['the multiaddr is none', '/ip4/nonsense', 'E_ADDR_FORM', 78],
    ['what stands for the peer id is none', '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWfoo', 'E_ENDPOINT', 64],
    ['the multiaddr names no peer', '/ip4/127.0.0.1/tcp/1', 'E_ENDPOINT', 64],
  ])('say what is wrong when %s', async (_name, to, code, exitCode) => {
    const call = run('validate', await freshFile('certificate'), '--to', to)
    await expect(call).rejects.toMatchObject({ code, exitCode })
  })

  it('ask the next node when one does not answer, and say so', async () => {
    const tell = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
    const file = await freshFile('certificate')
    const { output, exitCode } = await run('validate', file, '--to', 'https://[::1]:1', '--to', server.url)
    expect(output).toMatch(/^Valid\n/)
    expect(exitCode).toBe(0)
    expect(tell.mock.calls.join('')).toMatch(/^https:\/\/\[::1\]:1: unreachable, connect ECONNREFUSED/)
  })

  it('find the nodes by DNS, and take the named one when there are none', async () => {
    const dns = await DnsServer.start()
    // What "localhost" is, is not the same everywhere; this it is.
    const published = caServer('127.0.0.1')
    await published.start()
    try {
      const port = Number(new URL(published.url).port)
      const file = await freshFile('certificate')
      const discover = ['--discover', 'example.test', '--dns', dns.address]
      const none = run('validate', file, ...discover)
      await expect(none).rejects.toMatchObject({ code: 'E_NO_ENDPOINT', exitCode: 69 })
      expect((await run('validate', file, ...discover, '--to', server.url)).output).toMatch(/^Valid\n/)
      dns.records.set('_hypermesh._tcp.example.test', [{ priority: 1, weight: 1, port, target: 'localhost' }])
      expect((await run('validate', file, ...discover)).output).toMatch(/^Valid\n/)
      expect(dns.asked).toContain('_stoq._udp.hypermesh.example.test')
    } finally {
      await published.close()
      await dns.close()
    }
  })

  it('wait for the verdict when told to', async () => {
    network.notReady = 'no quorum seen for 12 s'
    const file = await freshFile('certificate')
    const checks = vi.spyOn(network.readiness, 'check')
    const asked = run('validate', file, '--to', server.url, '--wait')
    await expect.poll(() => checks.mock.calls.length).toBeGreaterThan(1)
    network.notReady = null
    expect((await asked).output).toMatch(/^Valid\n/)
  })

  it('do not ask by STOQ who cannot be verified, unless told to', async () => {
    const file = await freshFile('certificate')
    const elsewhere = 'stoq://192.0.2.1:9292'
    const advice = {
      fix: expect.stringMatching(/^add --insecure if you trust the way to it, or ask by libp2p/),
    }
    await expect(run('validate', file, '--to', elsewhere)).rejects.toMatchObject({
      code: 'E_STOQ_TRUST',
      exitCode: 64,
      message: expect.stringContaining(`who answers at ${elsewhere} cannot be verified`),
      advice,
    })
    const pin = join(directory, 'pin.pem')
    await writeFile(pin, makeSelfSigned(['::1'], Date.now()).cert)
    const pinned = run('validate', file, '--to', 'stoq://[::1]:9292', '--pin', pin)
    await expect(pinned).rejects.toMatchObject({ code: 'E_STOQ_TRUST', advice })
    const nobody = run('validate', file, '--to', 'stoq://[::1]:1', '--insecure', '--timeout', '1')
    await expect(nobody).rejects.toMatchObject({ code: 'E_NO_ANSWER', exitCode: 69 })
  })

  it('say that nobody is named', async () => {
    const call = run('validate', await freshFile('certificate'))
    await expect(call).rejects.toMatchObject({ code: 'E_USAGE', message: 'no node is named' })
  })

  it('say that another certificate is shown than the one that is pinned', async () => {
    const pin = join(directory, 'other.crt')
    await writeFile(pin, makeSelfSigned(['::1'], Date.now()).cert)
    const call = run('validate', await freshFile('certificate'), '--to', server.url, '--pin', pin)
    await expect(call).rejects.toMatchObject({
      code: 'E_NO_ANSWER',
      advice: {
        why: expect.stringContaining('the certificate shown is not the pinned one'),
        fix: expect.stringContaining('the file of --pin'),
      },
    })
  })

  it('say that the DNS server does not answer', async () => {
    const discover = ['--discover', 'example.test', '--dns', '127.0.0.1:1']
    await expect(run('validate', await freshFile('certificate'), ...discover)).rejects.toMatchObject({
      code: 'E_NO_ENDPOINT',
      message: 'DNS does not say which nodes are published under example.test',
      advice: { why: expect.stringContaining('the DNS server does not answer') },
    })
  })

  it('take no DNS server without a domain', async () => {
    const call = run('validate', await freshFile('certificate'), '--to', server.url, '--dns', '127.0.0.1:53')
    await expect(call).rejects.toMatchObject({
      code: 'E_USAGE',
      exitCode: 64,
      message: expect.stringMatching(/^--dns is for --discover/),
    })
  })

  it('say https to one who wrote http to a port with TLS, and the other way round', async () => {
    const file = await freshFile('certificate')
    const plain = run('validate', file, '--to', server.url.replace('https:', 'http:'))
    const { host, port } = new URL(server.url)
    await expect(plain).rejects.toMatchObject({
      code: 'E_NO_ANSWER',
      advice: { fix: expect.stringContaining(`write https://${host}`) },
    })
    await server.close()
    server = makeCaServer(
      new ValidationService({ ...network, clock: new FakeClock(), nodeName: 'n', version: '1' }),
      {
        listen: { host: '::1', port: Number(port) },
        tls: null,
        limiter: new ClientLimiter(() => performance.now()),
        logger,
      },
    )
    await server.start()
    await expect(run('validate', file, '--to', server.url.replace('http:', 'https:'))).rejects.toMatchObject({
      code: 'E_NO_ANSWER',
      advice: { fix: expect.stringContaining(`write http://${host}`) },
    })
  })

  it('refuse a file that is not there, and a kind that there is not', async () => {
    const missing = run('validate', join(directory, 'none'), '--to', server.url)
    await expect(missing).rejects.toMatchObject({ code: 'E_FILE', exitCode: 65 })
    await expect(run('request', 'nonsense')).rejects.toThrow('certificate')
    await expect(run('request', 'certificate', '--bad', 'luck')).rejects.toThrow('space')
  })
})
