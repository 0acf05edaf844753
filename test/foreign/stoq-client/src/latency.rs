//! Percentiles of measured times.
use serde_json::{json, Value};
use std::time::Duration;

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100_000.0).round() / 100.0
}

/// Count, median, 99th percentile and maximum, in milliseconds.
pub fn summary(mut times: Vec<Duration>) -> Value {
    times.sort();
    let at = |share: f64| times.get(((times.len() - 1) as f64 * share).round() as usize).copied();
    json!({
        "count": times.len(),
        "p50_ms": at(0.5).map(milliseconds),
        "p99_ms": at(0.99).map(milliseconds),
        "max_ms": at(1.0).map(milliseconds),
    })
}
