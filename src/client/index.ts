/**
 * `hypermesh-node/client`: what a program needs to ask a HyperMesh network for verdicts, in any JavaScript host. Nothing
 * here or below it imports a module of Node; what needs one is in `hypermesh-node/client/node`.
 */

export { consensusProofBincode, fourProofSetBincode, timeProofHash } from '../codec/proofs.ts'
export type { ProvenVerdict, Receipt, ReceiptTrust, VerifySignature } from '../receipt.ts'
export type { HealthReading } from '../rpc/trustchain-json-response.ts'
export { type ErrorAdvice, NodeError, ok, type Refusal, type Result, refuse } from '../types/errors.ts'
export type { AuthoritySignature, NetworkOperation } from '../types/operations.ts'
export type {
  CertificateRequest,
  CertificateType,
  CertificateValidationRequest,
  ConsensusProof,
  ConsensusRequirements,
  FourProofSet,
  FourProofValidationRequest,
  SecondsNanos,
  SpaceProof,
  StakeProof,
  TimeProof,
  ValidationContext,
  WorkloadType,
  WorkProof,
  WorkState,
} from '../types/validation-request.ts'
export type { AnswerErrorCode, AnswerStatus, ValidationAnswer } from '../validation/answer.ts'
export { systemTimeOf } from '../validation/answer.ts'
export { type Backoff, DEFAULT_BACKOFF } from './backoff.ts'
export type { BatchItem, BatchResult } from './batch-calls.ts'
export type { CallLimits, Carrier, CarrierFactory, CarrierReply, Carriers, ClientMethod } from './carrier.ts'
export { type Answered, type Attempt, ClientError } from './client-error.ts'
export { type Clock, type Random, systemClock } from './clock.ts'
export {
  configuredEndpoints,
  type EndpointChoice,
  type EndpointOrigin,
  type EndpointSource,
  type Scheme,
} from './endpoint.ts'
export type { EndpointState } from './endpoint-pool.ts'
export { type EnvelopeChannel, envelopeCarrier } from './envelope-carrier.ts'
export { type FetchOptions, fetchCarrier } from './fetch-carrier.ts'
export type { EndpointHealth } from './health.ts'
export {
  type CallOptions,
  type ClientOptions,
  HypermeshClient,
  type ReceiptOptions,
  type StatusReport,
} from './hypermesh-client.ts'
export { verifyReceiptOf } from './offline-receipt.ts'
export type { OperationSigner } from './operation-bytes.ts'
export type { TrustAdjustment } from './operation-shapes.ts'
export {
  type ConsensusResult,
  type OperationCall,
  type OperationId,
  OperationsClient,
  type ProposalOptions,
} from './operations-client.ts'
export type { PublicApiOptions } from './public-api.ts'
export type { ProvenReceipt } from './receipt-calls.ts'
export type { HeldReceipt, HeldReceiptRefusal } from './receipt-check.ts'
export {
  certificateRequestBytes,
  fourProofRequestBytes,
  lookAtRequest,
  type RequestKind,
} from './request-bytes.ts'
export type { Verdict } from './verdict.ts'
