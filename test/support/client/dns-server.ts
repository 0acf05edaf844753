/**
 * A small DNS server on a UDP port of loopback: answers questions for SRV and A records from tables (RFC 1035, RFC
 * 2782). Knows no compression, no other type and no recursion.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import type { AddressInfo } from 'node:net'

export interface SrvEntry {
  readonly priority: number
  readonly weight: number
  readonly port: number
  /** `.` for "not offered here". */
  readonly target: string
}

const TYPE_A = 1
const TYPE_SRV = 33
const RESPONSE_CODES = { ok: 0, 'server failure': 2, 'no such name': 3 } as const

function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '')
  return Buffer.concat([
    ...labels.map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0]),
  ])
}

function readName(message: Buffer, from: number): { name: string; end: number } {
  const labels: string[] = []
  let at = from
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), end: at + 1 }
}

function encodeSrv({ priority, weight, port, target }: SrvEntry): Buffer {
  const fixed = Buffer.alloc(6)
  fixed.writeUInt16BE(priority, 0)
  fixed.writeUInt16BE(weight, 2)
  fixed.writeUInt16BE(port, 4)
  return Buffer.concat([fixed, encodeName(target)])
}

function encodeRecord(type: number, data: Buffer): Buffer {
  const head = Buffer.alloc(12)
  // The name is that of the question, at offset 12.
  head.writeUInt16BE(0xc00c, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(60, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

export class DnsServer {
  readonly #socket: Socket
  /** By name in lower case; what is not there does not exist. */
  readonly records = new Map<string, readonly SrvEntry[]>()
  /** Of hosts, by name in lower case: their IPv4 address. */
  readonly hosts = new Map<string, string>()
  /** `silent`: questions are heard and not answered. */
  mode: 'answering' | 'failing' | 'silent' = 'answering'
  /** Names that were asked for, in order. */
  readonly asked: string[] = []

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (message, from) => this.#answer(message, from))
  }

  static async start(): Promise<DnsServer> {
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
    return new DnsServer(socket)
  }

  /** As `--dns` and `Resolver.setServers` take it. */
  get address(): string {
    return `127.0.0.1:${(this.#socket.address() as AddressInfo).port}`
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()))
  }

  #answer(message: Buffer, from: RemoteInfo): void {
    const { name, end } = readName(message, 12)
    this.asked.push(name)
    if (this.mode === 'silent') return
    const type = message.readUInt16BE(end)
    const records = this.mode === 'failing' ? undefined : this.#recordsOf(name, type)
    const code = this.mode === 'failing' ? 'server failure' : records === undefined ? 'no such name' : 'ok'
    const head = Buffer.alloc(12)
    head.writeUInt16BE(message.readUInt16BE(0), 0)
    head.writeUInt16BE(0x8180 | RESPONSE_CODES[code], 2)
    head.writeUInt16BE(1, 4)
    head.writeUInt16BE(records?.length ?? 0, 6)
    const question = message.subarray(12, end + 4)
    this.#socket.send(
      Buffer.concat([head, question, ...(records ?? []).map((data) => encodeRecord(type, data))]),
      from.port,
      from.address,
    )
  }

  /** What there is of a type under a name; nothing when there is no such name at all. */
  #recordsOf(name: string, type: number): Buffer[] | undefined {
    const host = this.hosts.get(name)
    if (host !== undefined) return type === TYPE_A ? [Buffer.from(host.split('.').map(Number))] : []
    const entries = this.records.get(name)
    return entries === undefined ? undefined : type === TYPE_SRV ? entries.map(encodeSrv) : []
  }
}
