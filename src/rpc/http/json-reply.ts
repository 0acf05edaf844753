/** JSON answers of the public API. */
import type { FastifyReply } from 'fastify'

/** bigint as a decimal string: a bare integer beyond 2^53 is rounded by most of those who read it. */
export function sendJson(reply: FastifyReply, value: unknown): FastifyReply {
  const json = JSON.stringify(value, (_key, entry: unknown) =>
    typeof entry === 'bigint' ? entry.toString() : entry,
  )
  return reply.header('content-type', 'application/json').header('cache-control', 'no-store').send(json)
}
