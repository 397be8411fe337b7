//! Opens the socket of a hub: straight to the hub without negotiation, the token in the query (gateway
//! reference 6.1).

use std::{future::Future, sync::Arc, time::Duration};

use reqwest::Url;
use rustls::ClientConfig;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    time::timeout,
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{self, protocol::WebSocketConfig},
};

use crate::{mask::masked, session::Token};

/// One of several addresses of a host may lead nowhere; the next is tried after this time.
const ADDRESS_TIMEOUT: Duration = Duration::from_secs(5);

/// Largest message that is read: depth snapshots exceed 10 KB, nothing known comes near this.
const MESSAGE_LIMIT: usize = 16 * 1024 * 1024;

/// How a hub is reached. Tests bring a pipe instead of a socket.
pub(super) trait Dial: Send + Sync + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    fn dial(
        &self,
        token: &Token,
    ) -> impl Future<Output = Result<WebSocketStream<Self::Stream>, DialError>> + Send;
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DialError {
    #[error("the session is not valid")]
    Unauthorized,
    #[error("{0}")]
    Failed(String),
}

/// Real sockets.
pub(super) struct Sockets {
    url: Url,
    tls: Arc<ClientConfig>,
}

impl Sockets {
    pub fn new(url: Url, mut tls: ClientConfig) -> Self {
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { url, tls: Arc::new(tls) }
    }
}

impl Dial for Sockets {
    type Stream = MaybeTlsStream<TcpStream>;

    async fn dial(&self, token: &Token) -> Result<WebSocketStream<Self::Stream>, DialError> {
        let host = self.url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_string();
        let port = self.url.port_or_known_default().unwrap_or(443);
        let stream =
            connect(&host, port).await.map_err(|error| DialError::Failed(masked(&error.to_string())))?;
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("access_token", token.text());
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MESSAGE_LIMIT))
            .max_frame_size(Some(MESSAGE_LIMIT));
        let connector = Connector::Rustls(self.tls.clone());
        match client_async_tls_with_config(url.as_str(), stream, Some(limits), Some(connector)).await {
            Ok((socket, _)) => Ok(socket),
            Err(tungstenite::Error::Http(response)) if response.status() == 401 => {
                Err(DialError::Unauthorized)
            }
            Err(error) => Err(DialError::Failed(masked(&error.to_string()))),
        }
    }
}

async fn connect(host: &str, port: u16) -> std::io::Result<TcpStream> {
    let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, "the host has no address");
    for address in lookup_host((host, port)).await? {
        match timeout(ADDRESS_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => last = std::io::ErrorKind::TimedOut.into(),
        }
    }
    Err(last)
}
