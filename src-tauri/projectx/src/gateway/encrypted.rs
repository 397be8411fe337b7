//! Requests and hubs over TLS against a server with a certificate of its own: what is trusted, what is
//! not, and that calls share one connection.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{Request as Incoming, WebSocketUpgrade},
    http::Version,
    routing::{get, post},
};
use domain::broker::CallError;
use futures_util::{SinkExt, StreamExt, future::join_all};
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
    service::TowerToHyperService,
};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer},
};
use tokio::{net::TcpListener, sync::mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::Message;

use super::{
    dial::{Dial, DialError, Sockets},
    http::{Http, Post},
    settings::{self, Addresses, Settings},
};
use crate::{
    rest,
    session::{Credentials, Token},
};

struct Server {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    connections: mpsc::UnboundedReceiver<()>,
}

async fn server() -> Server {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_string()]).unwrap();
    let certificate = signed.cert.der().clone();
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let mut tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (opened, connections) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (acceptor, opened) = (acceptor.clone(), opened.clone());
            tokio::spawn(async move {
                let Ok(stream) = acceptor.accept(stream).await else { return };
                opened.send(()).unwrap();
                let service = TowerToHyperService::new(routes());
                let builder = auto::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
            });
        }
    });
    Server { address, certificate, connections }
}

fn routes() -> Router {
    Router::new()
        .route("/api/Auth/loginKey", post(async |request: Incoming| format!("{:?}", request.version())))
        .route(
            "/hubs/user",
            get(async |upgrade: WebSocketUpgrade| {
                upgrade.on_upgrade(async |mut socket| {
                    let message = socket.recv().await.unwrap().unwrap();
                    socket.send(message).await.unwrap();
                })
            }),
        )
}

impl Server {
    fn addresses(&self) -> Addresses {
        let port = self.address.port();
        let hub = format!("wss://localhost:{port}/hubs/user");
        Addresses::of(&Settings {
            base_url: format!("https://localhost:{port}"),
            user_hub_url: hub.clone(),
            market_hub_url: hub,
            credentials: Credentials::new("u", "k"),
        })
        .unwrap()
    }

    /// Trusts this server alone.
    fn trusting(&self) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth()
    }
}

#[tokio::test]
async fn calls_share_one_encrypted_http_2_connection() {
    let mut server = server().await;
    let http = Http::new(&server.addresses().rest, server.trusting()).unwrap();
    http.warm().await;
    server.connections.recv().await.unwrap();
    while server.connections.try_recv().is_ok() {}
    let request = rest::log_in(&Credentials::new("u", "k"));
    for received in join_all((0..20).map(|_| http.post(&request, None))).await {
        assert_eq!(received.unwrap().response.body, format!("{:?}", Version::HTTP_2));
    }
    assert!(server.connections.try_recv().is_err());
}

#[tokio::test]
async fn hubs_are_reached_encrypted() {
    let server = server().await;
    let sockets = Sockets::new(server.addresses().user_hub, server.trusting());
    let mut socket = sockets.dial(&Token::new("t")).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("hello"));
}

#[tokio::test]
async fn a_server_whose_certificate_the_system_does_not_know_is_not_talked_to() {
    let server = server().await;
    let addresses = server.addresses();
    // A system without any certificates cannot be fooled either.
    let Ok(tls) = settings::tls(&addresses) else { return };
    let http = Http::new(&addresses.rest, tls.clone()).unwrap();
    let error = http.post(&rest::log_in(&Credentials::new("u", "k")), None).await.unwrap_err();
    assert!(matches!(&error, CallError::Unreachable(why) if why.contains("certificate")), "{error:?}");
    let sockets = Sockets::new(addresses.user_hub, tls);
    let error = sockets.dial(&Token::new("t")).await.map(drop).unwrap_err();
    assert!(matches!(&error, DialError::Failed(why) if why.contains("certificate")), "{error:?}");
}
