//! Requests with the values of TrustChain's test profile and current times, as its serde writes them.
use ring::digest::{digest, SHA256};
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{json, Value};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

fn system_time(since_epoch: Duration) -> Value {
    json!({ "secs_since_epoch": since_epoch.as_secs(), "nanos_since_epoch": since_epoch.subsec_nanos() })
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970")
}

fn random_u64() -> u64 {
    let mut bytes = [0u8; 8];
    SystemRandom::new().fill(&mut bytes).expect("randomness");
    u64::from_le_bytes(bytes)
}

/// A certificate request and its id; no two are alike.
pub fn certificate() -> (String, Vec<u8>) {
    let now = now();
    let nonce = random_u64();
    let offset_us: u128 = 5_000;
    let mut preimage = Vec::with_capacity(40);
    preimage.extend_from_slice(&offset_us.to_le_bytes());
    preimage.extend_from_slice(&now.as_micros().to_le_bytes());
    preimage.extend_from_slice(&nonce.to_le_bytes());
    let id = format!("trustchain-{}-{nonce:x}.example", now.as_millis());
    let time = system_time(now);
    let request = json!({
        "certificate_request": {
            "common_name": "foreign.example",
            "san_entries": ["foreign.example"],
            "node_id": "test_node_001",
            "ipv6_addresses": ["::1"],
            "consensus_proof": {
                "stake_proof": { "stake_holder": "test", "stake_holder_id": "test-001", "stake_amount": 1000,
                                 "stake_timestamp": time },
                "time_proof": { "network_time_offset": { "secs": 0, "nanos": 5_000_000 },
                                "time_verification_timestamp": time, "nonce": nonce,
                                "proof_hash": digest(&SHA256, &preimage).as_ref() },
                "space_proof": { "node_id": "test-node", "storage_path": "/tmp/test", "total_size": 0,
                                 "total_storage": 1u64 << 30, "file_hash": "", "proof_timestamp": time },
                "work_proof": { "owner_id": "test-owner", "workload_id": "test-workload", "pid": 1234,
                                "computational_power": 1000, "workload_type": "Certificate",
                                "work_state": "Pending", "work_challenges": [], "proof_timestamp": time },
            },
            "timestamp": time,
        },
        "consensus_requirements": { "minimum_stake": 100, "max_time_offset": { "secs": 300, "nanos": 0 },
                                    "minimum_storage": 1u64 << 20, "minimum_compute": 10,
                                    "byzantine_tolerance": 0.0 },
        "request_id": id,
        "timestamp": time,
        "validation_context": { "ca_id": "trustchain-ca", "network_id": "hypermesh-production",
                                "certificate_type": "TLS", "metadata": {} },
    });
    (id, request.to_string().into_bytes())
}

/// A four-proof request; its sequence number is the time, so that each is above the last.
pub fn four_proof() -> Vec<u8> {
    let now = now();
    json!({
        "proof_set": {
            "space_proof": { "storage_commitment": 1u64 << 20, "network_position": "hypermesh://test-node",
                             "allocation_proof": [1, 2, 3, 4] },
            "stake_proof": { "stake_amount": 10_000, "authority_level": 100, "access_permissions": ["read", "write"] },
            "work_proof": { "computational_proof": [5, 6, 7, 8], "difficulty_target": 20,
                            "operation_signature": "certificate-issuance" },
            "time_proof": { "block_timestamp": now.as_secs(), "sequence_number": now.as_micros() as u64,
                            "temporal_proof": [9, 10, 11, 12] },
        },
        "operation": "certificate_issuance",
        "asset_id": "cert-001",
        "node_id": "test_node_001",
        "timestamp": system_time(now),
    })
    .to_string()
    .into_bytes()
}
