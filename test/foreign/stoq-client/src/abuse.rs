//! What a client may not do, and what the node makes of it: an error that says so, and service for everybody else.
use crate::calls::{healthy, HEALTH};
use crate::latency::summary;
use crate::wire::{call, connect, exchange, ApiRequest, ApiResponse, Failure};
use quinn::{ConnectionError, VarInt};
use serde_json::{json, Value};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

fn refused_with(answer: &ApiResponse, part: &str) -> Result<String, Failure> {
    match &answer.error {
        Some(error) if !answer.success && error.contains(part) => Ok(error.clone()),
        seen => Err(format!("expected an error with \"{part}\", seen {seen:?}").into()),
    }
}

/// A payload of 9 MiB, and an envelope above 10 MiB: both are read to their end and answered with the reason.
pub async fn too_long(address: SocketAddr) -> Result<Value, Failure> {
    let (_endpoint, connection) = connect(address, Some("stoq/1.0")).await?;
    let started = Instant::now();
    let method = "consensus/validate_certificate";
    let nine_mib = call(&connection, "nine", method, vec![b' '; 9 << 20]).await?;
    let took = started.elapsed();
    let payload = refused_with(&nine_mib, "9437184 bytes")?;
    let eleven_mib = exchange(&connection, &vec![0; 11 << 20]).await?;
    let envelope = refused_with(&bincode::deserialize(&eleven_mib)?, "more than 10485760 bytes")?;
    healthy(&connection).await?;
    Ok(json!({ "payload_of_9_mib": payload, "envelope_of_11_mib": envelope, "took": summary(vec![took]) }))
}

/// Envelopes that are none, and methods that there are not.
pub async fn malformed(address: SocketAddr) -> Result<Value, Failure> {
    let (_endpoint, connection) = connect(address, Some("stoq/1.0")).await?;
    let envelope = |service: &str, method: &str| {
        bincode::serialize(&ApiRequest {
            id: "id".into(),
            service: service.into(),
            method: method.into(),
            payload: b"null".to_vec().into(),
            metadata: Default::default(),
        })
    };
    let good = envelope("hypermesh", HEALTH)?;
    let mut bad: Vec<Vec<u8>> = vec![vec![], vec![0xff; 8], vec![0xff; 4_000], b"GET / HTTP/1.1\r\n\r\n".to_vec()];
    bad.extend((1..good.len()).map(|length| good[..length].to_vec()));
    let count = bad.len();
    for bytes in bad {
        let answer: ApiResponse = bincode::deserialize(&exchange(&connection, &bytes).await?)?;
        refused_with(&answer, "Invalid request format: ")?;
    }
    let routes = [("hypermesh", "health"), ("hypermesh", "consensus/"), ("", ""), ("trustchain", HEALTH)];
    for (service, method) in routes {
        let answer = bincode::deserialize(&exchange(&connection, &envelope(service, method)?).await?)?;
        refused_with(&answer, &format!("Handler not found: {service}/{method}"))?;
    }
    for method in ["consensus/validate_certificate", "consensus/validate_proofs", "consensus/validation_status"] {
        refused_with(&call(&connection, "id", method, b"{\"a\":".to_vec()).await?, "Invalid request: ")?;
    }
    healthy(&connection).await?;
    Ok(json!({ "envelopes": count, "routes": routes.len() }))
}

/// As many half-open streams as a connection may have, less a few: cut after the node's deadline, with a reason.
pub async fn half_open_streams(address: SocketAddr) -> Result<Value, Failure> {
    let (_endpoint, connection) = connect(address, Some("stoq/1.0")).await?;
    let started = Instant::now();
    let count = 900;
    let mut streams = Vec::with_capacity(count);
    for _ in 0..count {
        let (mut send, mut receive) = connection.open_bi().await?;
        send.write_all(b"\x24").await?;
        streams.push(tokio::spawn(async move {
            let answer: ApiResponse = bincode::deserialize(&receive.read_to_end(1 << 20).await?)?;
            refused_with(&answer, "not finished within")?;
            let stop = tokio::time::timeout(Duration::from_secs(10), send.stopped()).await;
            Ok::<bool, Failure>(matches!(stop, Ok(Ok(Some(_)))))
        }));
    }
    healthy(&connection).await?;
    let mut stopped = 0;
    for stream in streams {
        stopped += usize::from(stream.await??);
    }
    let seconds = started.elapsed().as_secs();
    if stopped != count {
        return Err(format!("{stopped} of {count} streams were stopped").into());
    }
    healthy(&connection).await?;
    Ok(json!({ "streams": count, "stopped": stopped, "after_seconds": seconds }))
}

/// 500 connections at once, each with a call.
pub async fn many_connections(address: SocketAddr) -> Result<Value, Failure> {
    let mut open = Vec::new();
    for batch in 0..10 {
        let tasks: Vec<_> = (0..50).map(|_| tokio::spawn(connect(address, Some("stoq/1.0")))).collect();
        for task in tasks {
            open.push(task.await?.map_err(|error| format!("batch {batch}: {error}"))?);
        }
    }
    let mut times = Vec::new();
    for (_, connection) in &open {
        let started = Instant::now();
        healthy(connection).await?;
        times.push(started.elapsed());
    }
    for (_, connection) in &open {
        connection.close(VarInt::from_u32(0), b"closing");
    }
    Ok(json!({ "connections": open.len(), "calls": summary(times) }))
}

/// Packets that are no QUIC, streams that are reset, connections that vanish: a client beside them is served.
pub async fn floods(address: SocketAddr) -> Result<Value, Failure> {
    let (_beside_endpoint, beside) = connect(address, Some("stoq/1.0")).await?;
    let socket = std::net::UdpSocket::bind("[::1]:0")?;
    let mut datagrams = 0;
    for i in 0..20_000usize {
        let bytes: Vec<u8> = (0..1 + i % 1_400).map(|at| (i * 31 + at * 7) as u8).collect();
        datagrams += usize::from(socket.send_to(&bytes, address).is_ok());
        if i % 1_000 == 0 {
            healthy(&beside).await?;
        }
    }
    let (_endpoint, connection) = connect(address, Some("stoq/1.0")).await?;
    let resets = 5_000;
    for i in 0..resets {
        let (mut send, mut receive) = connection.open_bi().await?;
        send.write_all(b"half an envelope").await?;
        send.reset(VarInt::from_u32(7))?;
        receive.stop(VarInt::from_u32(7))?;
        if i % 500 == 0 {
            healthy(&beside).await?;
        }
    }
    let mut vanished = 0;
    for _ in 0..100 {
        let (endpoint, connection) = connect(address, Some("stoq/1.0")).await?;
        let (mut send, _receive) = connection.open_bi().await?;
        send.write_all(b"half an envelope").await?;
        // Nobody there any more who could say goodbye.
        endpoint.rebind(std::net::UdpSocket::bind("[::1]:0")?)?;
        std::mem::forget(endpoint);
        std::mem::forget(connection);
        vanished += 1;
    }
    let mut times = Vec::new();
    for _ in 0..50 {
        let started = Instant::now();
        healthy(&beside).await?;
        times.push(started.elapsed());
    }
    Ok(json!({ "datagrams": datagrams, "resets": resets, "vanished": vanished, "beside": summary(times) }))
}

/// The published client sends no ALPN. What the node makes of that, exactly; and of one that is not STOQ's.
pub async fn without_alpn(address: SocketAddr) -> Result<Value, Failure> {
    let mut seen = Vec::new();
    for alpn in [None, Some("h3")] {
        let outcome = match connect(address, alpn).await {
            Ok((_endpoint, connection)) => {
                healthy(&connection).await?;
                "served".to_string()
            }
            Err(error) => match error.downcast_ref::<ConnectionError>() {
                // 0x178: CRYPTO_ERROR with the TLS alert no_application_protocol (RFC 9001 §8.1).
                Some(ConnectionError::ConnectionClosed(close)) if u64::from(close.error_code) == 0x178 => {
                    "refused: 0x178, no_application_protocol".to_string()
                }
                _ => return Err(format!("ALPN {alpn:?}: {error}").into()),
            },
        };
        seen.push(json!({ "alpn": alpn, "outcome": outcome }));
    }
    let (_endpoint, connection) = connect(address, Some("stoq/1.0")).await?;
    healthy(&connection).await?;
    Ok(json!(seen))
}
