//! What a client may expect: every method, many calls at a time, no call waiting for another, no connection dying.
use crate::latency::summary;
use crate::request;
use crate::wire::{call, connect, ApiRequest, ApiResponse, Failure};
use quinn::Connection;
use serde_json::{json, Value};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

pub const HEALTH: &str = "consensus/health";
const CERTIFICATE: &str = "consensus/validate_certificate";

/// The payload of a success.
fn payload(answer: &ApiResponse) -> Result<Value, Failure> {
    if !answer.success {
        return Err(format!("no success: {:?}", answer.error).into());
    }
    Ok(serde_json::from_slice(&answer.payload)?)
}

fn expect(holds: bool, what: &str, seen: &Value) -> Result<(), Failure> {
    if holds {
        Ok(())
    } else {
        Err(format!("{what}: {seen}").into())
    }
}

/// Whether the node serves: one health call that must succeed.
pub async fn healthy(connection: &Connection) -> Result<(), Failure> {
    let health = payload(&call(connection, "health", HEALTH, b"null".to_vec()).await?)?;
    expect(health["status"] == "healthy", "not healthy", &health)
}

/// All four methods once, and what they say of each other.
pub async fn methods(address: SocketAddr) -> Result<Value, Failure> {
    let (_endpoint, connection) = connect(address, Some("stoq/1.0")).await?;
    healthy(&connection).await?;

    let (id, bytes) = request::certificate();
    let answer = call(&connection, "certificate", CERTIFICATE, bytes.clone()).await?;
    let certificate = payload(&answer)?;
    expect(answer.request_id == "certificate", "the id is not echoed", &json!(answer.request_id))?;
    expect(certificate["result"] == "Valid", "certificate", &certificate)?;
    let hash_bytes = certificate["proof_hash"].as_array().map_or(0, Vec::len);
    expect(hash_bytes == 32, "a hash has 32 bytes", &certificate)?;
    let again = call(&connection, "again", CERTIFICATE, bytes).await?;
    expect(again.payload == answer.payload, "the same again is the same", &payload(&again)?)?;

    let proofs = call(&connection, "proofs", "consensus/validate_proofs", request::four_proof()).await?;
    let proofs = payload(&proofs)?;
    expect(proofs["result"] == "Valid", "four proofs", &proofs)?;

    let ask = |id: &str| json!({ "request_id": id }).to_string().into_bytes();
    let status = payload(&call(&connection, "status", "consensus/validation_status", ask(&id)).await?)?;
    expect(status["proof_hash"] == certificate["proof_hash"], "status", &status)?;
    let unknown = payload(&call(&connection, "unknown", "consensus/validation_status", ask("no-such")).await?)?;
    expect(unknown["result"]["Error"]["error_code"] == "REQUEST_NOT_FOUND", "unknown id", &unknown)?;
    Ok(json!({ "validator_id": certificate["validator_id"] }))
}

/// A call as the known client makes it: the same bytes again when the network had no verdict in time, three times at
/// most. How often that was is handed back.
async fn persistent(
    connection: &Connection,
    id: &str,
    method: &str,
    bytes: Vec<u8>,
) -> Result<(ApiResponse, usize), Failure> {
    for again in 0..3 {
        let answer = call(connection, id, method, bytes.clone()).await?;
        let is_late = answer.error.as_deref().is_some_and(|error| error.contains("VALIDATION_TIMEOUT"));
        if !is_late {
            return Ok((answer, again));
        }
    }
    Ok((call(connection, id, method, bytes).await?, 3))
}

/// 1, 10, 100 and 500 calls at a time on one connection, each answered with its own answer.
pub async fn concurrency(address: SocketAddr) -> Result<Value, Failure> {
    let (_endpoint, connection) = connect(address, Some("stoq/1.0")).await?;
    let mut rounds = Vec::new();
    for count in [1, 10, 100, 500] {
        for method in [HEALTH, CERTIFICATE] {
            let started = Instant::now();
            let tasks: Vec<_> = (0..count)
                .map(|i| {
                    let connection = connection.clone();
                    tokio::spawn(async move {
                        let bytes = if method == HEALTH { b"null".to_vec() } else { request::certificate().1 };
                        let started = Instant::now();
                        let id = format!("call-{i}");
                        let (answer, again) = persistent(&connection, &id, method, bytes).await?;
                        let seen = payload(&answer)?;
                        expect(answer.request_id == id, "another's answer", &json!(answer.request_id))?;
                        expect(seen["result"] == "Valid" || seen["status"] == "healthy", "verdict", &seen)?;
                        Ok::<_, Failure>((started.elapsed(), again))
                    })
                })
                .collect();
            let mut times = Vec::with_capacity(count);
            let mut sent_again = 0;
            for task in tasks {
                let (time, again) = task.await??;
                times.push(time);
                sent_again += again;
            }
            rounds.push(json!({
                "at_a_time": count,
                "method": method,
                "sent_again": sent_again,
                "all_ms": started.elapsed().as_millis() as u64,
                "each": summary(times),
            }));
        }
    }
    // One after another: what a call costs when nothing else is going on.
    let mut times = Vec::new();
    for _ in 0..200 {
        let started = Instant::now();
        healthy(&connection).await?;
        times.push(started.elapsed());
    }
    Ok(json!({ "rounds": rounds, "one_after_another": summary(times) }))
}

/// A request that comes in two halves, three seconds apart, holds up nobody and is answered.
pub async fn slow_request(address: SocketAddr) -> Result<Value, Failure> {
    let (_endpoint, connection) = connect(address, Some("stoq/1.0")).await?;
    let bytes = bincode::serialize(&ApiRequest {
        id: "slow".into(),
        service: "hypermesh".into(),
        method: HEALTH.into(),
        payload: b"null".to_vec().into(),
        metadata: Default::default(),
    })?;
    let (mut send, mut receive) = connection.open_bi().await?;
    let (first, second) = bytes.split_at(bytes.len() / 2);
    send.write_all(first).await?;
    let started = Instant::now();
    let mut times = Vec::new();
    while started.elapsed() < Duration::from_secs(3) {
        let before = Instant::now();
        healthy(&connection).await?;
        times.push(before.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    send.write_all(second).await?;
    send.finish()?;
    let answer: ApiResponse = bincode::deserialize(&receive.read_to_end(1 << 20).await?)?;
    expect(answer.request_id == "slow" && answer.success, "the slow one", &json!(answer.error))?;
    Ok(json!({ "others": summary(times) }))
}

/// A connection that says nothing for so long still works: the known client never makes another one.
pub async fn after_idling(address: SocketAddr, seconds: u64) -> Result<Value, Failure> {
    let (_endpoint, connection) = connect(address, Some("stoq/1.0")).await?;
    healthy(&connection).await?;
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let started = Instant::now();
    healthy(&connection).await?;
    let received = connection.stats().frame_rx.ping;
    Ok(json!({ "idle_seconds": seconds, "pings_received": received, "then": summary(vec![started.elapsed()]) }))
}
