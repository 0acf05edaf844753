/**
 * What the lanes do not compute twice: in one process every node decodes the same bytes and builds the same signing
 * payloads. Pure functions remember their last results by the identity of their argument, and SHA-256 is
 * OpenSSL's. A test runs seeds with and without and compares the traces (lane.sim.test.ts).
 */
import type { SourceChange } from './source-change.ts'

const MESSAGES = 'src/codec/messages.ts'
const PAYLOADS = 'src/codec/signing-payloads.ts'
const HASHES = 'src/codec/hashes.ts'

export const ACCELERATIONS: readonly SourceChange[] = [
  {
    file: MESSAGES,
    find: '  return decode(messageSchema, bytes, MESSAGE_BYTES_MAX)',
    replace: `  let known = decodedMessages.get(bytes)
  if (known === undefined) {
    known = decode(messageSchema, bytes, MESSAGE_BYTES_MAX)
    decodedMessages.set(bytes, known)
  }
  return known`,
  },
  {
    file: MESSAGES,
    find: '  return encode(messageSchema, message)',
    replace: `  let known = encodedMessages.get(message)
  if (known === undefined) {
    known = encode(messageSchema, message)
    encodedMessages.set(message, known)
  }
  return known`,
  },
  {
    file: MESSAGES,
    find: '/** Canonical bytes of a consensus message. */',
    replace: `const decodedMessages = new WeakMap<Uint8Array, Result<ConsensusMessage, 'malformed'>>()
const encodedMessages = new WeakMap<ConsensusMessage, Uint8Array>()
/** Canonical bytes of a consensus message. */`,
  },
  {
    file: PAYLOADS,
    find: `  const { epoch, view, height, blockHash } = of
  return encode(votePayload, { genesisHash, epoch, view, height, blockHash })`,
    replace: `  let known = payloads.get(of)
  if (known === undefined) {
    const { epoch, view, height, blockHash } = of
    known = encode(votePayload, { genesisHash, epoch, view, height, blockHash })
    payloads.set(of, known)
  }
  return known`,
  },
  {
    file: PAYLOADS,
    find: 'interface Scope {',
    replace: 'const payloads = new WeakMap<object, Uint8Array>()\ninterface Scope {',
  },
  {
    file: HASHES,
    find: `  const hash = hasher.create()
  hash.update(prefixOf(domain))
  hash.update(u32le(parts.length))
  for (const part of parts) {
    hash.update(u32le(part.length))
    hash.update(part)
  }
  return hash.digest()`,
    replace: `  const input = Buffer.concat([
    prefixOf(domain),
    u32le(parts.length),
    ...parts.flatMap((part) => [u32le(part.length), part]),
  ])
  return new Uint8Array(nativeHash(hasher === sha256 ? 'sha256' : 'sha384', input, 'buffer'))`,
  },
  {
    file: HASHES,
    find: '  return sha256(bytes)',
    replace: "  return new Uint8Array(nativeHash('sha256', bytes, 'buffer'))",
  },
  {
    file: HASHES,
    find: "import { DOMAINS, type Domain } from './domains.ts'",
    replace:
      "import { hash as nativeHash } from 'node:crypto'\nimport { DOMAINS, type Domain } from './domains.ts'",
  },
]
