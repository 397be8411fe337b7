//! One hub socket: frames of the core out, messages of the client in.

use std::time::Duration;

use axum::extract::ws::{Message, WebSocket};
use tokio::time::{self, timeout};

use super::shared::Handle;
use crate::gateway::{ConnectionId, Frame};

/// How long the close handshake of a socket may take (gateway reference 6.5).
const CLOSE_WAIT: Duration = Duration::from_secs(5);

/// How long a client may refuse to read before its socket is given up.
const SEND_WAIT: Duration = Duration::from_secs(10);

/// Why a socket's task goes on or ends.
enum Next {
    Goes,
    Ends,
}

/// Carries one connection until either side ends it.
pub(super) async fn run(handle: Handle, id: ConnectionId, mut socket: WebSocket) {
    let Some(_alive) = handle.alive() else { return handle.closed(id) };
    let waker = handle.waker(id);
    loop {
        if let Next::Ends = send(&handle, id, &mut socket).await {
            break;
        }
        tokio::select! {
            () = waker.notified() => {}
            message = socket.recv() => match message {
                Some(Ok(message)) => {
                    if let Next::Ends = receive(&handle, id, message) {
                        break;
                    }
                }
                Some(Err(_)) | None => break,
            },
        }
    }
    handle.closed(id);
}

async fn send(handle: &Handle, id: ConnectionId, socket: &mut WebSocket) -> Next {
    for frame in handle.take(id) {
        match frame {
            Frame::Text(text) => {
                let sent = timeout(SEND_WAIT, socket.send(Message::Text((&*text).into()))).await;
                if !matches!(sent, Ok(Ok(()))) {
                    return Next::Ends;
                }
            }
            Frame::Close => {
                close(handle, socket).await;
                return Next::Ends;
            }
            Frame::Reset => return Next::Ends,
        }
    }
    Next::Goes
}

/// Says goodbye and waits for the client's; one that does not answer, or is gone, is left alone, and
/// at the simulator's own end nobody is waited for.
async fn close(handle: &Handle, socket: &mut WebSocket) {
    if let Ok(Ok(())) = timeout(SEND_WAIT, socket.send(Message::Close(None))).await {
        let answered = async { while let Some(Ok(_)) = socket.recv().await {} };
        tokio::select! {
            () = answered => {}
            () = time::sleep(CLOSE_WAIT) => {}
            () = handle.stopped() => {}
        }
    }
}

fn receive(handle: &Handle, id: ConnectionId, message: Message) -> Next {
    match message {
        Message::Text(text) => handle.with(|gateway, now| gateway.receive(now, id, &text)),
        Message::Binary(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            handle.with(|gateway, now| gateway.receive(now, id, &text));
        }
        Message::Ping(_) | Message::Pong(_) => {}
        Message::Close(_) => return Next::Ends,
    }
    Next::Goes
}
