/** What follows from holding a certificate, whoever sent it (R0, R1, R4, R6, R11). */
import type { QuorumCertificate, TimeoutCertificate } from '../types/certificates.ts'
import type { CertificateBundle } from '../types/messages.ts'
import { nextView, type ValidatorIndex, type View } from '../types/primitives.ts'
import { mintVerified, type Verified } from '../types/verified.ts'
import type { StepContext } from './context.ts'
import { enterView } from './view-entry.ts'

/** A peer is answered, and asked, at most this often: certificates are large. */
const EXCHANGE_INTERVAL_MS = 100

/** A prepare certificate, or the pre-commit certificate that stands for it and says more (R0). */
function applyCertificate(context: StepContext, certificate: Verified<QuorumCertificate>): void {
  // Everybody has the epoch's root, and nothing can be learnt from a certificate that needs no signatures.
  if (certificate.signatures.length === 0) return
  if (certificate.kind === 'pre-commit') applyFinalityCertificate(context, certificate)
  else applyPrepareCertificate(context, certificate)
}

/** R4, R1: a prepare certificate locks its block and ends its view. */
export function applyPrepareCertificate(
  context: StepContext,
  certificate: Verified<QuorumCertificate>,
): void {
  const { state } = context
  state.certificates.add(certificate)
  if (certificate.view >= state.view) enterView(context, nextView(certificate.view), 'quorum-certificate')
}

/** R6: a pre-commit certificate makes its block final as soon as the block is here. */
export function applyFinalityCertificate(
  context: StepContext,
  certificate: Verified<QuorumCertificate>,
): void {
  const { state } = context
  const { header, hash } = context.final
  const isBeside = certificate.view === header.view || certificate.height === header.height
  if (isBeside && header.height > 0 && certificate.blockHash !== hash) {
    context.halt('accountable-fork', {
      final: header,
      finality: state.certificates.finality,
      other: certificate,
    })
    return
  }
  applyPrepareCertificate(context, certificate)
  if (certificate.height > header.height) state.certificates.addPendingFinality(certificate)
}

/** R1: a timeout certificate ends its view; the prepare certificate inside it counts like any other. */
export function applyTimeoutCertificate(
  context: StepContext,
  certificate: Verified<TimeoutCertificate>,
): void {
  const { state } = context
  applyCertificate(context, mintVerified(certificate.highQc))
  state.certificates.addTimeout(certificate)
  if (certificate.view >= state.view) enterView(context, nextView(certificate.view), 'timeout-certificate')
}

/** Certificates that a peer sent us, asked for or not (R11). */
export function onCertificates(context: StepContext, bundle: Verified<CertificateBundle>): void {
  if (bundle.highQc !== null) applyCertificate(context, mintVerified(bundle.highQc))
  if (bundle.highTc !== null) applyTimeoutCertificate(context, mintVerified(bundle.highTc))
  if (bundle.finality !== null) applyFinalityCertificate(context, mintVerified(bundle.finality))
}

/** R11: answers one who is behind with our highest certificates, as far as they are news to it. */
export function sendCertificates(context: StepContext, to: ValidatorIndex, theirView: View): void {
  const { state, now } = context
  const { highQc, highTc, finality } = state.certificates
  const last = state.lastReplyAt.get(to)
  if (last !== undefined && context.since(last) < EXCHANGE_INTERVAL_MS) return
  const bundle: CertificateBundle = {
    kind: 'certificates',
    // R0: the finality certificate of the same view says it already.
    highQc: highQc.view > (finality?.view ?? 0) ? highQc : null,
    highTc: highTc !== null && highTc.view >= theirView ? highTc : null,
    finality,
  }
  if (bundle.highQc === null && bundle.highTc === null && bundle.finality === null) return
  state.lastReplyAt.set(to, now.monotonicMs)
  context.perform({ kind: 'send', to, message: bundle })
}

/** Asks a peer that seems ahead for its highest certificates. */
export function requestCertificates(context: StepContext, from: ValidatorIndex): void {
  const { state, now } = context
  if (state.self === null || from === state.self) return
  const last = state.lastRequestAt.get(from)
  if (last !== undefined && context.since(last) < EXCHANGE_INTERVAL_MS) return
  state.lastRequestAt.set(from, now.monotonicMs)
  context.perform({ kind: 'send', to: from, message: { kind: 'certificate-request', view: state.view } })
}
