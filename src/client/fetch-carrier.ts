/**
 * HTTP by the platform's `fetch`: runs in browsers, Deno and Node, and leaves connections, their reuse and TLS to the
 * platform. For a node's self-signed certificate there is the carrier in node/.
 */
import type { CallLimits, Carrier, CarrierFactory, CarrierReply, ClientMethod } from './carrier.ts'
import { httpCall, httpReply, redirectReply } from './http-call.ts'

/** What every request carries. */
export interface FetchOptions {
  /** Further headers, as a proxy in front of the node may want them. */
  readonly headers?: Readonly<Record<string, string>>
}

export function fetchCarrier(options: FetchOptions = {}): CarrierFactory {
  return (endpoint) => new FetchCarrier(endpoint, options.headers ?? {})
}

class FetchCarrier implements Carrier {
  readonly #base: string
  readonly #headers: Readonly<Record<string, string>>

  constructor(base: string, headers: Readonly<Record<string, string>>) {
    this.#base = base
    this.#headers = headers
  }

  async call(method: ClientMethod, payload: Uint8Array, limits: CallLimits): Promise<CarrierReply> {
    const call = httpCall(this.#base, method, payload)
    let response: Response
    try {
      response = await fetch(call.url, {
        method: call.method,
        redirect: 'manual',
        credentials: 'omit',
        signal: limits.signal,
        headers: {
          ...this.#headers,
          ...(call.body === null ? {} : { 'content-type': 'application/json' }),
        },
        // A copy: fetch wants bytes of its own memory, not of a shared one.
        ...(call.body === null ? {} : { body: new Uint8Array(call.body) }),
      })
    } catch (error) {
      // The reason is in the cause; "fetch failed" alone tells nobody anything.
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
      throw cause
    }
    // A browser shows a redirect as an opaque answer with the status 0.
    if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
      await response.body?.cancel()
      return redirectReply()
    }
    const body = await readBounded(response, limits.answerBytesMax)
    return httpReply(method, response.status, response.headers.get('retry-after'), body)
  }

  async close(): Promise<void> {
    // The platform owns the connections and lets idle ones go.
  }
}

/** The body of a response. @throws Error when it is longer than `bytesMax` */
export async function readBounded(response: Response, bytesMax: number): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array()
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader()
  const parts: Uint8Array[] = []
  let length = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    length += value.length
    if (length > bytesMax) {
      await reader.cancel()
      throw new Error(`the answer is longer than ${bytesMax} bytes`)
    }
    parts.push(value)
  }
  const whole = new Uint8Array(length)
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
