/**
 * What every validator would find wrong with an operation whatever it is asked: told before it is signed, for the network
 * says so only when it was voted on. What depends on more of the state than the policy is the network's to say.
 */
import { policyForm, readForm } from '../codec/operation-json.ts'
import { policyFault } from '../ledger/operations/check-policy.ts'
import { CONFIGURATION_KEYS } from '../ledger/operations/configuration-keys.ts'
import type { NetworkConfiguration, NetworkOperation } from '../types/operations.ts'
import type { ApiOptions } from './api-client.ts'
import { CliError } from './errors.ts'
import { EXIT } from './exit-codes.ts'
import { askPolicy } from './operators/operator-client.ts'

function rejected(why: string, fix: string): CliError {
  return new CliError('E_OPERATION', 'every validator would reject this operation', {
    why,
    fix,
    exitCode: EXIT.data,
  })
}

/**
 * Asks for the policy in force only where a value is to be set in it.
 * @throws CliError `E_OPERATION` (65) when the operation can have no effect; `E_NO_ANSWER` (69)
 */
export async function requireEffect(options: ApiOptions, operation: NetworkOperation): Promise<void> {
  const fault = await faultOf(options, operation)
  if (fault !== null)
    throw rejected(fault, "correct it; the API's /v1/policy shows the policy that is in force")
}

async function faultOf(options: ApiOptions, operation: NetworkOperation): Promise<string | null> {
  if (operation.kind === 'security-policy-update') return policyFault(operation.policy)
  return operation.kind === 'network-configuration' ? configurationFault(options, operation) : null
}

async function configurationFault(
  options: ApiOptions,
  { key, value }: NetworkConfiguration,
): Promise<string | null> {
  const row = CONFIGURATION_KEYS.get(key)
  if (row === undefined) {
    throw rejected(
      `there is no key "${key}" of network-configuration`,
      `use one of: ${[...CONFIGURATION_KEYS.keys()].join(', ')}`,
    )
  }
  if (row.set === null) return null
  const inForce = readForm(policyForm, await askPolicy(options))
  // A node of another version says it otherwise: then the network decides.
  if (!inForce.ok) return null
  const policy = row.set(inForce.value, value)
  return policy === null ? `"${value}" is no value of ${key}` : policyFault(policy)
}
