/** The audit log from a call over a socket to the command that checks it, on a real disk, over restarts and crashes. */
import {
  appendFile,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { registerAuditCommand } from '../../src/cli/audit.ts'
import { hashTransaction } from '../../src/codec/transaction.ts'
import { openAudit } from '../../src/composition/node-audit.ts'
import { SystemClock } from '../../src/composition/system-clock.ts'
import { createDataDirectory, sealDataDirectory } from '../../src/config/data-directory.ts'
import { resolveConfig } from '../../src/config/load.ts'
import type { AuditConfig } from '../../src/config/schema.ts'
import { createMetrics } from '../../src/observability/metrics.ts'
import { handleEnvelope } from '../../src/rpc/call-handler.ts'
import { ClientLimiter } from '../../src/rpc/client-limiter.ts'
import { encodeEnvelopeRequest } from '../../src/rpc/envelope.ts'
import { makeConsensusCalls } from '../../src/rpc/libp2p/consensus-calls.ts'
import type { AuditLog } from '../../src/validation/audit-log.ts'
import { CaEndpoint, resultIn } from '../support/http-calls.ts'
import { certificateRequest, fourProofRequest, vector } from '../support/requests.ts'

const CERTIFICATE = '/consensus/validation/certificate'
const { config } = resolveConfig({})

let parent: string
let root: string
let said: { level: string; message: string; fields: Record<string, unknown> }[]
let metrics: ReturnType<typeof createMetrics>
let written: string

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'audit-'))
  root = join(parent, 'node')
  sealDataDirectory(createDataDirectory(root), 'test', 'ab'.repeat(32))
  await writeFile(join(root, 'config.toml'), '')
  said = []
  metrics = createMetrics({ version: '1', commit: 'x' })
})
afterEach(async () => {
  vi.restoreAllMocks()
  metrics.stop()
  await rm(parent, { recursive: true, force: true })
})

const logger = () => {
  const level = (name: string) => (fields: object, message: string) =>
    void said.push({ level: name, message, fields: fields as Record<string, unknown> })
  return { debug: level('debug'), info: level('info'), warn: level('warn'), error: level('error') }
}

async function opened(changes: Partial<AuditConfig> = {}): Promise<AuditLog> {
  const audit = await openAudit({
    config: { ...config.audit, ...changes },
    root,
    clock: new SystemClock(),
    metrics,
    logger: logger(),
  })
  if (audit === undefined) throw new Error('there is no audit log')
  return audit
}

async function answering(audit: AuditLog): Promise<CaEndpoint> {
  const ca = new CaEndpoint({}, { audit })
  ca.network.answersAtOnce = true
  await ca.listener.start()
  return ca
}

const folder = () => join(root, 'audit')
const newest = async () => join(folder(), (await readdir(folder())).sort().at(-1) ?? '')
const lines = async (): Promise<Record<string, unknown>[]> => {
  const texts = await Promise.all(
    (await readdir(folder())).sort().map((name) => readFile(join(folder(), name), 'utf8')),
  )
  return texts
    .join('')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** `hypermesh audit verify …`: what it prints. */
async function verify(...options: string[]): Promise<string> {
  written = ''
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    written += String(text)
    return true
  })
  try {
    const program = new Command().exitOverride()
    registerAuditCommand(program)
    await program.parseAsync(['audit', 'verify', '--data', root, ...options], { from: 'user' })
    return written
  } finally {
    spy.mockRestore()
  }
}

describe('the audit log', () => {
  it('has a line for every call on every carrier, with what was answered', async () => {
    const audit = await opened()
    const ca = await answering(audit)
    await ca.call(CERTIFICATE, { body: vector('certreq_json') })
    await ca.call(CERTIFICATE, { body: '{}' })
    await ca.call('/consensus/validation/batch', { body: `[{"four_proof":${vector('fpreq_json')}},{}]` })
    await ca.call('/consensus/validation/status/x')
    const options = {
      service: ca.service,
      limiter: new ClientLimiter(() => performance.now()),
      logger: logger(),
    }
    const envelope = encodeEnvelopeRequest({
      id: 'x',
      service: 'hypermesh',
      method: 'consensus/validate_certificate',
      payload: Buffer.from(vector('certreq_json')),
      metadata: [],
    })
    await handleEnvelope(envelope, options, '192.0.2.7')
    await makeConsensusCalls(options).answer(envelope, '12D3KooW', new AbortController().signal)
    ca.network.failures = [{ subject: 'work', reason: 'for a test' }]
    const other = vector('certreq_json').replace('"request_id":"', '"request_id":"2-')
    await ca.call(CERTIFICATE, { body: other })
    await ca.close()
    await audit.close()

    const certificate = hashTransaction({ kind: 'validate-certificate', request: certificateRequest() })
    const proofs = hashTransaction({ kind: 'validate-proofs', request: fourProofRequest() })
    const known = {
      method: 'validate_certificate',
      request_id: certificateRequest().requestId,
      request_key: certificate.requestKey,
      payload_hash: certificate.hash,
      result: 'Valid',
      failed_proofs: [],
      error_code: null,
    }
    const unread = {
      request_id: null,
      request_key: null,
      result: 'Error',
      error_code: 'INVALID_PROOF_FORMAT',
    }
    const found = await lines()
    // What a batch cannot read is told before the verdicts on the others are there.
    expect(found).toEqual([
      expect.objectContaining({ sequence: 1, carrier: 'http', client: '127.0.0.1', ...known }),
      expect.objectContaining({ carrier: 'http', method: 'validate_certificate', ...unread }),
      expect.objectContaining({ carrier: 'http', method: 'validate_batch', ...unread }),
      expect.objectContaining({
        method: 'validate_proofs',
        request_key: proofs.requestKey,
        request_id: null,
      }),
      expect.objectContaining({ carrier: 'stoq', client: '192.0.2.7', ...known }),
      expect.objectContaining({ carrier: 'libp2p', client: 'peer-12D3KooW', ...known }),
      expect.objectContaining({ sequence: 7, result: 'Invalid', failed_proofs: ['work_proof'] }),
    ])
    expect(await verify()).toMatch(/^in order: 7 lines in 1 file, 1 to 7\n {2}newest {5}[0-9a-f]{64}\n$/)
    expect(await metrics.render()).toContain('hypermesh_audit_lines_total 7')
    expect(said).toEqual([])
  })

  it('goes on over files and restarts, keeps as many as it may, and the check says so', async () => {
    const changes = { fileBytesMax: 2_000, filesMax: 3 }
    for (let run = 0; run < 4; run++) {
      const audit = await opened(changes)
      const ca = await answering(audit)
      for (let i = 0; i < 4; i++) {
        await ca.call(CERTIFICATE, { body: vector('certreq_json') })
        await expect.poll(() => audit.waiting).toBe(0)
      }
      await ca.close()
      await audit.close()
    }
    const found = JSON.parse(await verify('--json')) as {
      files: number
      lines: number
      first: number
      broken: null
    }
    expect(found).toMatchObject({ files: 3, head: { sequence: 16 }, broken: null, lostCalls: 0 })
    expect(found.first).toBeGreaterThan(1)
    expect(found.lines).toBe(16 - found.first + 1)
    expect(await verify()).toContain(`older      lines 1 to ${found.first - 1} are gone with their files`)
  })

  it('cuts off what a crash left of a line, says so, and goes on', async () => {
    const first = await opened()
    const ca = await answering(first)
    for (const id of ['1', '2']) {
      await ca.call(CERTIFICATE, {
        body: vector('certreq_json').replace('"request_id":"', `"request_id":"${id}-`),
      })
    }
    await ca.close()
    await first.close()
    const path = await newest()
    const whole = await readFile(path)
    const second = whole.indexOf('\n') + 1
    // Wherever in the second line the crash was.
    for (const left of [1, 40, whole.length - second - 1]) {
      await writeFile(path, whole)
      await truncate(path, second + left)
      await expect(verify()).rejects.toMatchObject({
        code: 'E_AUDIT_BROKEN',
        message: `line 2 of ${path} breaks the chain`,
        advice: { why: 'it has no end: a node was stopped while it wrote, or still writes' },
      })
      said = []
      await (await opened()).close()
      expect(said.map(({ level, message }) => `${level}: ${message}`)).toEqual([
        'warn: the audit log ended within a line, which was cut off',
      ])
      expect((await lines()).map(({ event }) => event)).toEqual(['call', 'torn-line'])
      expect((await lines())[1]).toMatchObject({ sequence: 2, bytes: left })
      expect(await verify()).toMatch(/^in order: 2 lines/)
    }
  })

  it('that was tampered with is named by file and line, exit 1', async () => {
    const audit = await opened({ fileBytesMax: 1_000 })
    const ca = await answering(audit)
    for (let i = 0; i < 4; i++) {
      await ca.call(CERTIFICATE, { body: vector('certreq_json') })
      await expect.poll(() => audit.waiting).toBe(0)
    }
    await ca.close()
    await audit.close()
    const [, path = ''] = (await readdir(folder())).sort().map((name) => join(folder(), name))
    await writeFile(path, (await readFile(path, 'utf8')).replace('"Valid"', '"Error"'))
    await expect(verify()).rejects.toMatchObject({
      code: 'E_AUDIT_BROKEN',
      exitCode: 1,
      message: `line 1 of ${path} breaks the chain`,
      advice: { why: expect.stringMatching(/^its hash is [0-9a-f]{64}, it says [0-9a-f]{64}$/) },
    })
    await rm(path)
    await expect(verify()).rejects.toMatchObject({
      advice: { why: 'it has the number 3, line 2 was to come' },
    })
  })

  it.each(['warn', 'refuse'] as const)(
    'whose last line is not in order is not gone on with; the choice is %s',
    async (onFailure) => {
      await mkdir(folder())
      await writeFile(join(folder(), 'audit-000000000001.jsonl'), 'what is this\n')
      const parts = {
        config: { ...config.audit, onFailure },
        root,
        clock: new SystemClock(),
        metrics,
        logger: logger(),
      }
      if (onFailure === 'refuse') {
        await expect(openAudit(parts)).rejects.toMatchObject({ code: 'E_AUDIT_DAMAGED', exitCode: 65 })
      } else {
        expect(await openAudit(parts)).toBeUndefined()
        expect(said).toMatchObject([{ level: 'error', fields: { error: { code: 'E_AUDIT_DAMAGED' } } }])
      }
      expect(await metrics.render()).toContain('hypermesh_audit_failing 1')
      expect(await readFile(join(folder(), 'audit-000000000001.jsonl'), 'utf8')).toBe('what is this\n')
    },
  )

  it('that cannot be written refuses calls when that is chosen, with a full result', async () => {
    const audit = await opened({ onFailure: 'refuse', fileBytesMax: 700 })
    const ca = await answering(audit)
    await ca.call(CERTIFICATE, { body: vector('certreq_json') })
    await expect.poll(() => audit.waiting).toBe(0)
    // The next line needs a new file, for which there is no folder.
    await rm(folder(), { recursive: true })
    await ca.call(CERTIFICATE, { body: vector('certreq_json') })
    await expect.poll(() => audit.isFailing).toBe(true)
    const refused = await ca.call(CERTIFICATE, { body: vector('certreq_json') })
    expect(refused.status).toBe(500)
    expect(resultIn(refused.body).result).toEqual({
      kind: 'error',
      errorCode: 'INTERNAL_CONSENSUS_ERROR',
      message: 'nothing is answered unrecorded here: the audit log cannot be written',
    })
    expect(said.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      'error: the audit log cannot be written; it is tried again',
    ])
    await mkdir(folder())
    await expect.poll(() => audit.isFailing, { timeout: 5_000 }).toBe(false)
    expect((await ca.call(CERTIFICATE, { body: vector('certreq_json') })).status).toBe(200)
    await ca.close()
    await audit.close()
    expect(await verify()).toMatch(/^in order: 3 lines/)
  })

  it('is not there when it is switched off, and the check says that there is none', async () => {
    const off = { ...config.audit, enabled: false }
    expect(
      await openAudit({ config: off, root, clock: new SystemClock(), metrics, logger: logger() }),
    ).toBeUndefined()
    await expect(verify()).rejects.toMatchObject({ code: 'E_AUDIT_NONE', exitCode: 65 })
    await expect(verify('--path', join(root, 'config.toml'))).rejects.toMatchObject({ code: 'E_FILE' })
  })

  it('takes a line without end as broken, however long it is', async () => {
    await mkdir(folder())
    const path = join(folder(), 'audit-000000000001.jsonl')
    await writeFile(path, '')
    for (let i = 0; i < 20; i++) await appendFile(path, 'x'.repeat(100_000))
    await expect(verify()).rejects.toMatchObject({ message: `line 1 of ${path} breaks the chain` })
    await chmod(path, 0o600)
  })
})
