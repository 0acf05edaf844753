/** One validator's network layer in a process of its own, to be killed: keys and port by arguments, news by IPC. */

import { testNetwork } from './network-node.ts'

const [mlDsaSeed, networkSeed, listen, validators, bootstrap] = process.argv.slice(2)
if (
  mlDsaSeed === undefined ||
  networkSeed === undefined ||
  listen === undefined ||
  validators === undefined
) {
  throw new Error('usage: network-process ML-DSA-SEED NETWORK-SEED LISTEN VALIDATORS [BOOTSTRAP]')
}
const node = await testNetwork({
  mlDsaSeed: Buffer.from(mlDsaSeed, 'hex'),
  networkSeed: Buffer.from(networkSeed, 'hex'),
  listen: [listen],
  bootstrap: bootstrap === undefined ? [] : [bootstrap],
})
node.network.setValidators(validators.split(',') as (typeof node.id)[])
await node.network.start()
process.send?.({ addresses: node.host.addresses() })
