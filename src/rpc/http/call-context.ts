/** What HTTP knows of a call besides its body: how long the caller wants to wait, and whether it is still there. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CallContext } from '../../validation/ports.ts'

/** `Prefer: wait=5` (RFC 7240 §4.3), in seconds; undefined when it is not there or cannot be read. */
export function preferredWaitMs(prefer: string | readonly string[] | undefined): number | undefined {
  const text = [prefer ?? ''].flat().join(',')
  const seconds = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?=$|[,;])/i.exec(text)?.[1]
  return seconds === undefined ? undefined : Number(seconds) * 1_000
}

/** The context of one call; its signal is aborted when the connection ends before the answer is out. */
export function callContext(request: FastifyRequest, reply: FastifyReply): CallContext {
  const gone = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort()
  })
  const deadlineMs = preferredWaitMs(request.headers['prefer'])
  return { carrier: 'http', signal: gone.signal, ...(deadlineMs === undefined ? {} : { deadlineMs }) }
}
