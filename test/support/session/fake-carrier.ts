/** A stream under the test's control: what is sent on it is kept, what it delivers the test decides. */

import type { AbortOptions, Logger } from '@libp2p/interface'
import { AbstractStream, type SendResult } from '@libp2p/utils'
import type { Uint8ArrayList } from 'uint8arraylist'

/** The log of a library that says nothing. */
export const silent: Logger = Object.assign(() => {}, {
  enabled: false,
  trace: () => {},
  error: () => {},
  newScope: () => silent,
})

export class FakeCarrier extends AbstractStream {
  readonly sent: Uint8Array[] = []
  /** What the next `send` answers: whether the carrier takes more at once. */
  takesMore = true
  closedWrite = false
  closedRead = false
  resets = 0

  constructor(direction: 'inbound' | 'outbound' = 'outbound') {
    super({ id: 'fake', log: silent, direction })
  }

  sendData(data: Uint8ArrayList): SendResult {
    this.sent.push(data.subarray())
    return { sentBytes: data.byteLength, canSendMore: this.takesMore }
  }
  sendReset(): void {
    this.resets += 1
  }
  async sendCloseWrite(_options?: AbortOptions): Promise<void> {
    this.closedWrite = true
  }
  async sendCloseRead(_options?: AbortOptions): Promise<void> {
    this.closedRead = true
  }
  sendPause(): void {}
  sendResume(): void {}

  /** Everything sent so far, as one buffer. */
  wire(): Buffer {
    return Buffer.concat(this.sent)
  }
  drain(): void {
    this.safeDispatchEvent('drain')
  }
}
