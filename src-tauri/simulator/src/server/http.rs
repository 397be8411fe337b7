//! HTTP requests to and from the core's plain form, and WebSocket upgrades.

use std::io;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{
        Request, State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    serve::ListenerExt,
};
use tokio::{net::TcpListener, sync::watch, time};

use super::{hub, shared::Handle};
use crate::gateway::{CLIENT_MESSAGE_LIMIT, HttpRequest, HttpResponse, Hub, Method};

/// Largest request body, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;

/// Serves until told to stop; then requests under way are still answered.
pub(super) async fn serve(listener: TcpListener, handle: Handle, mut stopping: watch::Receiver<bool>) {
    let listener = listener.tap_io(|stream| {
        // Without it a small answer may wait for an acknowledgement; failing to set it only costs time.
        let _ = stream.set_nodelay(true);
    });
    let router = Router::new().fallback(answer).with_state(handle);
    let stopped = async move {
        // A sender that is gone says the same as one that said so.
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    let served: io::Result<()> = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
    drop(served);
}

async fn answer(
    State(handle): State<Handle>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    if let (Ok(upgrade), Some(hub)) = (upgrade, hub_of(parts.uri.path())) {
        return open(&handle, hub, upgrade, &parts);
    }
    match axum::body::to_bytes(body, BODY_LIMIT).await {
        Ok(body) => reply(&handle, &plain(&parts, body)).await,
        Err(_) => StatusCode::PAYLOAD_TOO_LARGE.into_response(),
    }
}

async fn reply(handle: &Handle, request: &HttpRequest) -> Response {
    let response = handle.with(|gateway, now| gateway.handle(now, request));
    let delay = response.delay.to_std().unwrap_or_default();
    if !delay.is_zero() {
        tokio::select! {
            () = time::sleep(delay) => {}
            () = handle.stopped() => {}
        }
    }
    convert(response)
}

fn open(handle: &Handle, hub: Hub, upgrade: WebSocketUpgrade, parts: &Parts) -> Response {
    let request = plain(parts, Bytes::new());
    let (token, id) = (request.token(), request.parameter("id"));
    let opened = handle.with(|gateway, now| gateway.open(now, hub, token.as_deref(), id.as_deref()));
    match opened {
        Ok(connection) => {
            let (owner, failed) = (handle.clone(), handle.clone());
            upgrade
                .max_message_size(2 * CLIENT_MESSAGE_LIMIT)
                .on_failed_upgrade(move |_| failed.closed(connection))
                .on_upgrade(move |socket| hub::run(owner, connection, socket))
        }
        Err(status) => status_of(status).into_response(),
    }
}

fn plain(parts: &Parts, body: Bytes) -> HttpRequest {
    HttpRequest {
        method: match parts.method {
            axum::http::Method::GET => Method::Get,
            axum::http::Method::POST => Method::Post,
            axum::http::Method::DELETE => Method::Delete,
            _ => Method::Other,
        },
        path: parts.uri.path().to_string(),
        query: parts.uri.query().unwrap_or_default().to_string(),
        authorization: text(&parts.headers, header::AUTHORIZATION),
        content_type: text(&parts.headers, header::CONTENT_TYPE),
        body: body.into(),
    }
}

fn convert(response: HttpResponse) -> Response {
    let mut converted = Response::new(Body::from(response.body));
    *converted.status_mut() = status_of(response.status);
    for (name, value) in response.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            converted.headers_mut().append(HeaderName::from_static(name), value);
        }
    }
    converted
}

fn status_of(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_string)
}

fn hub_of(path: &str) -> Option<Hub> {
    [Hub::User, Hub::Market].into_iter().find(|hub| hub.path().eq_ignore_ascii_case(path))
}
