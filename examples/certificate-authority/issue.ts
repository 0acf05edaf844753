/** One certificate from beginning to end: read, ask, and only then sign. The only place that signs, and it has one way in. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ok, type Result } from 'hypermesh-node/client'
import type { Authority, Issued } from './authority.ts'
import type { Confirm, EvidenceRefusal } from './evidence.ts'
import { type CaIdentity, certificateValidationRequest } from './four-proofs.ts'
import { readSigningRequest } from './names.ts'

/** What issuing takes. */
export interface IssueOptions {
  readonly authority: Authority
  readonly identity: CaIdentity
  readonly confirm: Confirm
  /** Where certificates and their evidence are kept. */
  readonly folder: string
}

/**
 * Issues a certificate for a signing request, if the network's verdict is Valid and a receipt proves it. Keeps
 * `<serial>.pem`, `<serial>.receipt.json` and `<serial>.request.json`, the evidence first: no certificate is without.
 */
export async function issue(
  csr: string,
  { authority, identity, confirm, folder }: IssueOptions,
): Promise<Result<Issued, EvidenceRefusal | 'bad-request'>> {
  const applicant = await readSigningRequest(csr)
  if (!applicant.ok) return applicant
  const evidence = await confirm(certificateValidationRequest(applicant.value, identity, folder))
  if (!evidence.ok) return evidence
  const issued = await authority.sign(applicant.value, evidence.value)
  const file = (kind: string): string => join(folder, `${issued.serialNumber}.${kind}`)
  writeFileSync(file('request.json'), evidence.value.request)
  writeFileSync(file('receipt.json'), evidence.value.receipt)
  writeFileSync(file('pem'), issued.pem)
  return ok(issued)
}
