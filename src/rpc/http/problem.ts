/**
 * What a request is told that is not answered: RFC 9457 with the node's own code and advice. A listener whose clients
 * know one shape only says the same in that shape (an {@link ErrorForm}).
 */
import type { FastifyReply, FastifyRequest } from 'fastify'

/** RFC 9457, with the node's own code and advice. */
export interface Problem {
  readonly title: string
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly fix?: string
}

/** A body as it goes out. */
export interface ErrorBody {
  readonly contentType: string
  readonly body: string
}

/** How a listener writes its errors. @param requestId null when not even the head of the request could be read */
export type ErrorForm = (problem: Problem, requestId: string | null) => ErrorBody

/** `application/problem+json`. */
export const problemForm: ErrorForm = (problem, requestId) => ({
  contentType: 'application/problem+json',
  body: JSON.stringify({
    type: 'about:blank',
    ...problem,
    ...(requestId === null ? {} : { requestId }),
  }),
})

declare module 'fastify' {
  interface FastifyInstance {
    /** How this listener writes its errors. */
    errorForm: ErrorForm
  }
}

/** Answers in the form of the listener. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const { contentType, body } = request.server.errorForm(problem, request.id)
  return reply.code(problem.status).header('content-type', contentType).send(body)
}
