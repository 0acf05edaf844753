/**
 * The scalar nouns, branded so that a view is never passed for a height. Hashes are lower-case hex in
 * memory (comparable, usable as map keys); they become bytes only in codec.
 */

declare const brand: unique symbol
type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** Attempt counter of consensus. Starts at 1, never resets, never repeats across epochs. Genesis is view 0. */
export type View = Brand<number, 'View'>
/** Distance from genesis along the chain. Genesis is height 0. */
export type Height = Brand<number, 'Height'>
/** Period with a fixed validator set. */
export type Epoch = Brand<number, 'Epoch'>
/** Position of a validator in the set of its epoch. */
export type ValidatorIndex = Brand<number, 'ValidatorIndex'>
/** Milliseconds since the Unix epoch, as blocks carry them. */
export type UnixMs = Brand<number, 'UnixMs'>
/** Milliseconds of a monotonic clock with an arbitrary origin; only differences mean something. */
export type MonotonicMs = Brand<number, 'MonotonicMs'>

/** 32 bytes as 64 lower-case hex digits. */
export type Hex32 = Brand<string, 'Hex32'>
/** Hash of a block's header; never covers signatures. */
export type BlockHash = Brand<string, 'BlockHash'>
/** Hash of a transaction's canonical bytes. */
export type TransactionHash = Brand<string, 'TransactionHash'>
/** Hash of the genesis document: the network's identity. */
export type GenesisHash = Brand<string, 'GenesisHash'>
/** Merkle root over the whole state. */
export type StateRoot = Brand<string, 'StateRoot'>
/** A value that may be spent once. */
export type Nullifier = Brand<string, 'Nullifier'>
/** Identity of a validation request: its id and its payload together. */
export type RequestKey = Brand<string, 'RequestKey'>
/** SHA-256 of an ML-DSA-65 identity public key under its domain tag. */
export type ValidatorId = Brand<string, 'ValidatorId'>
/** The same hash of the ML-DSA-65 key that an account's transactions are signed with. */
export type AccountId = Brand<string, 'AccountId'>

/** Largest view, height, epoch or time that is accepted from outside: far beyond use, safely an integer. */
export const COUNTER_MAX = 2 ** 48

export const asView = (value: number): View => value as View
export const asHeight = (value: number): Height => value as Height
export const asEpoch = (value: number): Epoch => value as Epoch
export const asValidatorIndex = (value: number): ValidatorIndex => value as ValidatorIndex
export const asUnixMs = (value: number): UnixMs => value as UnixMs
export const asMonotonicMs = (value: number): MonotonicMs => value as MonotonicMs
export const nextView = (view: View): View => (view + 1) as View
export const nextHeight = (height: Height): Height => (height + 1) as Height
