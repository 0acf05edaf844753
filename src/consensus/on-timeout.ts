/** R8 to R11: timeouts of others, amplification, and the timeout certificate. */
import type { TimeoutCertificate } from '../types/certificates.ts'
import type { Timeout } from '../types/messages.ts'
import { asValidatorIndex, type ValidatorIndex, type View } from '../types/primitives.ts'
import { mintVerified, type Verified } from '../types/verified.ts'
import { applyTimeoutCertificate, requestCertificates, sendCertificates } from './certificate-rules.ts'
import { type StepContext, WINDOW_ABOVE } from './context.ts'
import { enterView, timeOutView } from './view-entry.ts'

export function onTimeout(context: StepContext, from: ValidatorIndex, timeout: Verified<Timeout>): void {
  const { state } = context
  if (timeout.view < state.view) {
    sendCertificates(context, from, timeout.view)
    return
  }
  exchangeFinality(context, from, timeout)
  if (timeout.view > state.view + WINDOW_ABOVE) {
    requestCertificates(context, from)
    return
  }
  // R10: h is proven when our highest certificate reaches it. Holding the one of exactly view h is not needed:
  // the timeout certificate then carries a higher one, which R3 (e) accepts for the same reason.
  if (timeout.highQcView > state.certificates.highQc.view) {
    const earlier = state.unprovenTimeouts.get(timeout.voter)
    if (earlier === undefined || earlier.view < timeout.view) {
      state.unprovenTimeouts.set(timeout.voter, timeout)
    }
    requestCertificates(context, from)
    return
  }
  countTimeout(context, timeout)
}

/** R14: who holds another final chain may take another for the leader; whoever is behind is told, or asks. */
function exchangeFinality(context: StepContext, from: ValidatorIndex, timeout: Timeout): void {
  const { height } = context.final.header
  if (timeout.final.height < height) sendCertificates(context, from, timeout.view)
  else if (timeout.final.height > height) requestCertificates(context, from)
}

/** Timeouts may have become countable by a new highest certificate (R10). */
export function reconsiderUnprovenTimeouts(context: StepContext): void {
  const { state } = context
  for (const [voter, timeout] of state.unprovenTimeouts) {
    if (timeout.highQcView > state.certificates.highQc.view) continue
    state.unprovenTimeouts.delete(voter)
    if (timeout.view >= state.view) countTimeout(context, timeout)
  }
}

/** Counts a timeout whose high view is proven, our own included; then R9, then the certificate. */
export function countTimeout(context: StepContext, timeout: Timeout): void {
  const { state } = context
  state.timeouts.add(timeout)
  const amplified = state.timeouts.highestAmplified(state.view)
  if (amplified !== null) {
    if (amplified > state.view) enterView(context, amplified, 'amplification')
    timeOutView(context)
  }
  formTimeoutCertificate(context, timeout.view)
}

function formTimeoutCertificate(context: StepContext, view: View): void {
  const { state } = context
  if (view < state.view || (state.certificates.highTc?.view ?? 0) >= view) return
  const timeouts = state.timeouts.quorumOf(view)
  if (timeouts === null) return
  const certificate: TimeoutCertificate = {
    epoch: state.epoch,
    view,
    timeouts: timeouts.map(({ voter, signature, highQcView }) => ({ voter, signature, highQcView })),
    highQc: state.certificates.highQc,
  }
  context.report({ kind: 'timeout-certificate-formed', view })
  relayToSilent(context, certificate)
  applyTimeoutCertificate(context, mintVerified(certificate))
}

/** Whoever's timeout is in the certificate can form it too; the others get it from us, once. */
function relayToSilent(context: StepContext, certificate: TimeoutCertificate): void {
  const { state } = context
  const voters = new Set(certificate.timeouts.map(({ voter }) => voter))
  for (let i = 0; i < state.electorate.size; i++) {
    const to = asValidatorIndex(i)
    if (voters.has(to) || to === state.self || state.unreachable.has(to)) continue
    context.perform({
      kind: 'send',
      to,
      message: { kind: 'certificates', highQc: null, highTc: certificate, finality: null },
    })
  }
}
