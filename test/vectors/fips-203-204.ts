/**
 * Published known answers for FIPS 203 and FIPS 204.
 *
 * - NIST ACVP-Server, gen-val/json-files/ML-DSA-keyGen-FIPS204, test group ML-DSA-65, tcId 26: the seed, and
 *   the first and last 40 bytes of the public key.
 * - C2SP CCTV ML-DSA/accumulated and Go's crypto/mlkem TestAccumulated: one hash over 100 random keys,
 *   signatures, ciphertexts, secrets and implicit rejections, so that no megabytes of vectors are kept.
 */

export const ACVP_ML_DSA_65_KEY_GEN = {
  seed: '8ab6448bf58f897d528a8de9f8e59329ac929a9cde7edf3e27e01bc9ef128a67',
  publicKeyHead: '49de190622b0681761a9db044015bf812760429001fdff5fc897166546277e8465c0c57e49aacd3c',
  publicKeyTail: '0942c3a5c83e27a9675c4fc395b29744763675bbabebdce1b816769d66f9bc72de319e1ec39e8f979e49b61c',
} as const

/** SHAKE-128 over public key and deterministic signature of the empty message, 100 seeds from SHAKE-128(""). */
export const CCTV_ML_DSA_65_ACCUMULATED_100 =
  '8358a1843220194417cadbc2651295cd8fc65125b5a5c1a239a16dc8b57ca199'

/** SHAKE-128 over key, ciphertext, secret and the secret of a random ciphertext, 100 rounds from SHAKE-128(""). */
export const GO_ML_KEM_768_ACCUMULATED_100 =
  '1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415'
