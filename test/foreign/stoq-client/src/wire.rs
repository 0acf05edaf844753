//! The envelope and the connection, written as HyperMesh's own client writes them: bincode 1.3 of two structs, one
//! bidirectional stream per call, any certificate accepted.
use bytes::Bytes;
use quinn::{Connection, Endpoint};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, SignatureScheme};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

#[derive(Serialize, Deserialize, Debug)]
pub struct ApiRequest {
    pub id: String,
    pub service: String,
    pub method: String,
    pub payload: Bytes,
    pub metadata: HashMap<String, String>,
}

#[derive(Serialize, Deserialize, Debug)]
pub struct ApiResponse {
    pub request_id: String,
    pub success: bool,
    pub payload: Bytes,
    pub error: Option<String>,
    pub metadata: HashMap<String, String>,
}

const ANSWER_BYTES_MAX: usize = 10 * 1024 * 1024;

/// A stream that has no answer by then is a failure, where the original would wait for ever.
const CALL_DEADLINE: Duration = Duration::from_secs(30);

#[derive(Debug)]
struct AcceptAny;

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256, SignatureScheme::ED25519, SignatureScheme::RSA_PSS_SHA256]
    }
}

/// Connects as the original does: SNI `hypermesh`, 120 s idle, no keep-alive of its own.
pub async fn connect(address: SocketAddr, alpn: Option<&str>) -> Result<(Endpoint, Connection), Failure> {
    let mut tls = rustls::ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AcceptAny))
        .with_no_client_auth();
    tls.alpn_protocols = alpn.map(|name| name.as_bytes().to_vec()).into_iter().collect();
    let mut transport = quinn::TransportConfig::default();
    transport.max_idle_timeout(Some(Duration::from_secs(120).try_into()?));
    transport.max_concurrent_bidi_streams(1_000u32.into());
    let mut config = quinn::ClientConfig::new(Arc::new(quinn::crypto::rustls::QuicClientConfig::try_from(tls)?));
    config.transport_config(Arc::new(transport));
    let mut endpoint = Endpoint::client("[::1]:0".parse()?)?;
    endpoint.set_default_client_config(config);
    let connection = endpoint.connect(address, "hypermesh")?.await?;
    Ok((endpoint, connection))
}

/// Writes bytes on a stream of its own, closes that side, and reads the other to its end.
pub async fn exchange(connection: &Connection, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    let once = async {
        let (mut send, mut receive) = connection.open_bi().await?;
        send.write_all(bytes).await?;
        send.finish()?;
        Ok::<_, Failure>(receive.read_to_end(ANSWER_BYTES_MAX).await?)
    };
    tokio::time::timeout(CALL_DEADLINE, once).await?
}

/// One call.
pub async fn call(connection: &Connection, id: &str, method: &str, payload: Vec<u8>) -> Result<ApiResponse, Failure> {
    let request = ApiRequest {
        id: id.to_string(),
        service: "hypermesh".to_string(),
        method: method.to_string(),
        payload: payload.into(),
        metadata: HashMap::new(),
    };
    let answer = exchange(connection, &bincode::serialize(&request)?).await?;
    Ok(bincode::deserialize(&answer)?)
}
