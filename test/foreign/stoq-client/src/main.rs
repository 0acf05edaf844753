//! Calls a running node as HyperMesh's own Rust client does, and worse, and prints what came of it as JSON:
//! `stoq-client ADDRESS [IDLE_SECONDS]`. Ends with 1 when anything was not as it should be.
mod abuse;
mod calls;
mod latency;
mod request;
mod wire;

use serde_json::{json, Map, Value};
use std::net::SocketAddr;
use std::time::Instant;
use wire::Failure;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let Some(address) = arguments.get(1).and_then(|text| text.parse::<SocketAddr>().ok()) else {
        eprintln!("usage: stoq-client ADDRESS [IDLE_SECONDS], as in stoq-client '[::1]:9292'");
        std::process::exit(64);
    };
    let idle_seconds = arguments.get(2).and_then(|text| text.parse().ok()).unwrap_or(150);
    // With two providers compiled in, rustls takes none by itself and panics.
    rustls::crypto::ring::default_provider().install_default().expect("installed once");

    let started = Instant::now();
    let mut report = Report::default();
    // These two mostly wait; they do it beside everything else.
    let idle = tokio::spawn(calls::after_idling(address, idle_seconds));
    let half_open = tokio::spawn(abuse::half_open_streams(address));
    report.add("methods", calls::methods(address).await);
    report.add("concurrency", calls::concurrency(address).await);
    report.add("slow_request", calls::slow_request(address).await);
    report.add("too_long", abuse::too_long(address).await);
    report.add("malformed", abuse::malformed(address).await);
    report.add("many_connections", abuse::many_connections(address).await);
    report.add("floods", abuse::floods(address).await);
    report.add("without_alpn", abuse::without_alpn(address).await);
    report.add("half_open_streams", half_open.await.unwrap_or_else(|error| Err(error.into())));
    report.add("after_idling", idle.await.unwrap_or_else(|error| Err(error.into())));
    report.add("methods_afterwards", calls::methods(address).await);

    let document = json!({
        "address": address.to_string(),
        "ok": report.failed == 0,
        "seconds": started.elapsed().as_secs(),
        "checks": report.checks,
    });
    println!("{}", serde_json::to_string_pretty(&document).expect("JSON"));
    std::process::exit(i32::from(report.failed > 0));
}

#[derive(Default)]
struct Report {
    checks: Map<String, Value>,
    failed: usize,
}

impl Report {
    fn add(&mut self, name: &str, outcome: Result<Value, Failure>) {
        eprintln!("{name}: {}", if outcome.is_ok() { "ok" } else { "FAILED" });
        let entry = outcome.unwrap_or_else(|error| {
            self.failed += 1;
            json!({ "failed": error.to_string() })
        });
        self.checks.insert(name.to_string(), entry);
    }
}
