/** `hypermesh-node/client/node`: the client with what only Node can do. Everything of `hypermesh-node/client` is in it. */

export * from '../index.ts'
export { type HttpsOptions, httpsCarrier, type TlsTrust } from './https-carrier.ts'
export { type KeyFileSigner, keyFileSigner } from './key-file-signer.ts'
export { libp2pCarrier, type Networks } from './libp2p-carrier.ts'
export { type NodeCarrierOptions, nodeCarriers, nodeClient } from './node-client.ts'
export { type Discovery, SrvDiscovery, type SrvDiscoveryOptions, type SrvLookup } from './srv-discovery.ts'
export { HTTPS_SERVICE, LIBP2P_SERVICE, type SrvService, STOQ_SERVICE } from './srv-records.ts'
export { type StoqOptions, stoqCarrier } from './stoq-carrier.ts'
