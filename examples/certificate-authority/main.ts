/**
 * A small certificate authority on the command line. Exit code: 0 issued, 1 the network's verdict is Invalid, 64 wrong
 * use, 65 the signing request cannot be used, 69 no verdict or no agreement.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { configuredEndpoints, NodeError, nodeClient, SrvDiscovery } from 'hypermesh-node/client/node'
import { Authority } from './authority.ts'
import { confirmByAgreement } from './evidence.ts'
import { issue } from './issue.ts'
import { makeSigningRequest } from './names.ts'

const USAGE = `usage: main.ts --ca FOLDER (--csr FILE | --name NAME) (--to URL --to URL … | --discover DOMAIN)
  --ca        folder of the CA: its key, its certificate, what it issues
  --csr       signing request (PKCS#10, PEM)
  --name      makes a key and a signing request for this name instead
  --to        CA endpoint of a node; two at least
  --discover  finds the nodes by the SRV records of a domain (--dns for another DNS server)
  --pin       certificate (PEM) that the nodes show
  --network   genesis hash, for nodes named by multiaddr
  --stake     stake to name in the request (default 10000)
  --timeout   seconds for each node's verdict (default 30)
`

const EXITS = { 'bad-request': 65, invalid: 1, 'no-verdict': 69, disagreement: 69 } as const

const { values } = parseArgs({
  options: {
    ca: { type: 'string' },
    csr: { type: 'string' },
    name: { type: 'string' },
    to: { type: 'string', multiple: true, default: [] },
    discover: { type: 'string' },
    dns: { type: 'string', multiple: true },
    pin: { type: 'string' },
    network: { type: 'string' },
    stake: { type: 'string', default: '10000' },
    timeout: { type: 'string', default: '30' },
  },
})

async function main(): Promise<number> {
  const { ca, csr, name, to, discover, dns, pin, network, stake, timeout } = values
  const isWrong =
    ca === undefined ||
    (csr === undefined) === (name === undefined) ||
    (to.length === 0 && discover === undefined) ||
    !/^\d{1,18}$/.test(stake) ||
    !/^[1-9]\d{0,2}$/.test(timeout)
  if (isWrong) {
    process.stderr.write(USAGE)
    return 64
  }
  const client = nodeClient({
    endpoints:
      discover === undefined
        ? configuredEndpoints(to, 'spread')
        : new SrvDiscovery({
            domain: discover,
            fallback: to,
            ...(dns === undefined ? {} : { servers: dns }),
          }),
    deadlineMs: Number(timeout) * 1_000,
    ...(network === undefined ? {} : { network }),
    ...(pin === undefined ? {} : { tls: { kind: 'pinned', certificate: readFileSync(pin, 'utf8') } }),
    onAttempt: ({ endpoint, outcome, why }) =>
      process.stderr.write(`${endpoint}: ${outcome}${why === '' ? '' : `, ${why}`}\n`),
  })
  try {
    const authority = await Authority.open(ca, 'HyperMesh example CA')
    const identity = {
      nodeId: 'example-ca',
      stakeHolder: 'example-ca',
      stakeHolderId: 'example-ca-1',
      stakeAmount: BigInt(stake),
    }
    const request = await signingRequest(ca, csr, name ?? '')
    const issued = await issue(request, {
      authority,
      identity,
      confirm: confirmByAgreement(client),
      folder: ca,
    })
    if (!issued.ok) {
      process.stderr.write(`nothing issued (${issued.code}): ${issued.detail}\n`)
      return EXITS[issued.code]
    }
    process.stdout.write(`issued ${join(ca, `${issued.value.serialNumber}.pem`)}\n`)
    return 0
  } finally {
    await client.close()
  }
}

async function signingRequest(folder: string, file: string | undefined, name: string): Promise<string> {
  if (file !== undefined) return readFileSync(file, 'utf8')
  const { csr, key } = await makeSigningRequest(name)
  const path = join(folder, `${name.replace(/[^a-z0-9.-]/gi, '_')}.key`)
  writeFileSync(path, key, { mode: 0o600 })
  return csr
}

try {
  process.exitCode = await main()
} catch (error) {
  if (!(error instanceof NodeError)) throw error
  process.stderr.write(`${error.code}: ${error.message}\n  fix: ${error.advice.fix ?? 'none known'}\n`)
  process.exitCode = error.exitCode
}
