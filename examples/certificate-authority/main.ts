/**
 * A small certificate authority on the command line. Exit code: 0 issued, 1 the network's verdict is Invalid, 64 wrong
 * use, 65 the signing request or what is to be trusted cannot be used, 69 no verdict, or none that is proven.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  configuredEndpoints,
  HTTPS_SERVICE,
  LIBP2P_SERVICE,
  NodeError,
  nodeClient,
  SrvDiscovery,
  STOQ_SERVICE,
} from 'hypermesh-node/client/node'
import { genesisTrust, parseCheckpointJson, parseGenesis, type ReceiptTrust } from 'hypermesh-node/receipt'
import { Authority } from './authority.ts'
import { confirmByReceipt } from './evidence.ts'
import { issue } from './issue.ts'
import { makeSigningRequest } from './names.ts'

const USAGE = `usage: main.ts --ca FOLDER (--csr FILE | --name NAME) (--genesis FILE | --checkpoint FILE)
               (--to ADDRESS … | --discover DOMAIN [--by https|stoq|libp2p])
  --ca          folder of the CA: its key, its certificate, what it issues
  --csr         signing request (PKCS#10, PEM)
  --name        makes a key and a signing request for this name instead
  --genesis     the network's genesis.json, by which receipts are checked
  --checkpoint  what "hypermesh verify --save-checkpoint" wrote, in its place
  --to          a node: https://…, stoq://… or a multiaddr; the next is asked when one fails
  --discover    finds the nodes by the SRV records of a domain (--dns for another DNS server)
  --by          by which service of that domain (default https)
  --pin         certificate (PEM) that the nodes show
  --stake       stake to name in the request (default 10000)
  --timeout     seconds for the verdict, and again for its receipt (default 30)
`

const EXITS = { 'bad-request': 65, invalid: 1, 'no-verdict': 69, 'no-proof': 69 } as const
const SERVICES = { https: HTTPS_SERVICE, stoq: STOQ_SERVICE, libp2p: LIBP2P_SERVICE } as const

const { values } = parseArgs({
  options: {
    ca: { type: 'string' },
    csr: { type: 'string' },
    name: { type: 'string' },
    genesis: { type: 'string' },
    checkpoint: { type: 'string' },
    to: { type: 'string', multiple: true, default: [] },
    discover: { type: 'string' },
    by: { type: 'string', default: 'https' },
    dns: { type: 'string', multiple: true },
    pin: { type: 'string' },
    stake: { type: 'string', default: '10000' },
    timeout: { type: 'string', default: '30' },
  },
})

async function main(): Promise<number> {
  const { ca, csr, name, genesis, checkpoint, to, discover, by, dns, pin, stake, timeout } = values
  const isWrong =
    ca === undefined ||
    (csr === undefined) === (name === undefined) ||
    (genesis === undefined) === (checkpoint === undefined) ||
    (to.length === 0 && discover === undefined) ||
    !isService(by) ||
    !/^\d{1,18}$/.test(stake) ||
    !/^[1-9]\d{0,2}$/.test(timeout)
  if (isWrong) {
    process.stderr.write(USAGE)
    return 64
  }
  const trust = checkpoint === undefined ? founders(genesis ?? '') : laterSet(checkpoint)
  if (trust === null) {
    process.stderr.write(`${checkpoint} is no checkpoint\n`)
    return 65
  }
  const client = nodeClient({
    endpoints:
      discover === undefined
        ? configuredEndpoints(to, 'as-given')
        : new SrvDiscovery({
            domain: discover,
            services: [SERVICES[by]],
            fallback: to,
            ...(dns === undefined ? {} : { servers: dns }),
          }),
    deadlineMs: Number(timeout) * 1_000,
    network: trust.genesisHash,
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
      confirm: confirmByReceipt(client, trust),
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

function isService(text: string): text is keyof typeof SERVICES {
  return Object.hasOwn(SERVICES, text)
}

function founders(file: string): ReceiptTrust {
  return genesisTrust(parseGenesis(readFileSync(file, 'utf8'), file))
}

function laterSet(file: string): ReceiptTrust | null {
  const trust = parseCheckpointJson(readFileSync(file, 'utf8'))
  return trust.ok ? trust.value : null
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
