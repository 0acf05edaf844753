/**
 * What the lanes do not compute twice: in one process every node decodes the same bytes and builds the same signing
 * payloads. Pure functions remember their last results by the identity of their argument. A test runs seeds with and
 * without, and with the runtime's own hashes (worker.ts) and without, and compares the traces (swarm.sim.test.ts).
 */
import type { SourceChange } from './source-change.ts'

const MESSAGES = 'src/codec/messages.ts'
const PAYLOADS = 'src/codec/signing-payloads.ts'

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
]
