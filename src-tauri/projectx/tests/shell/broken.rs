//! Servers that break off: what may have happened must be told, and nothing may happen twice.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use domain::broker::{Call, CallError, Class};
use projectx::{Credentials, Settings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use crate::client::Client;

const LOGIN: &str = r#"{"token":"t","success":true,"errorCode":0}"#;

/// Lets everyone log in, and hangs up on everything else once it has read the request.
async fn hang_up(mut stream: TcpStream, closes: Arc<AtomicUsize>) {
    let mut request = Vec::new();
    let mut buffer = [0; 4_096];
    while let Ok(count @ 1..) = stream.read(&mut buffer).await {
        request.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&request).into_owned();
        if !text.ends_with('}') {
            continue;
        }
        if !text.contains("/api/Auth/loginKey") {
            closes.fetch_add(usize::from(text.contains("closeContract")), Ordering::SeqCst);
            return;
        }
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{LOGIN}", LOGIN.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        request.clear();
    }
}

#[tokio::test]
async fn a_connection_that_ends_before_the_answer_may_have_acted_and_is_not_repeated() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let closes = Arc::new(AtomicUsize::new(0));
    let serving = tokio::spawn({
        let closes = closes.clone();
        async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(hang_up(stream, closes.clone()));
            }
        }
    });
    let url = format!("http://{address}");
    let mut client = Client::of(&Settings {
        base_url: url.clone(),
        user_hub_url: url.clone(),
        market_hub_url: url,
        credentials: Credentials::new("jdoe42", "key-1"),
    });
    client.wait_for("logged in").await;
    for count in 1..=3 {
        let close = Call::Close { account: 7.into(), contract: "C".into() };
        let error = client.ask(Class::Enforcement, close).await.unwrap_err();
        assert!(matches!(error, CallError::Protocol(_)) && error.may_have_acted(), "{error:?}");
        assert_eq!(closes.load(Ordering::SeqCst), count);
    }
    client.port.control.shutdown().await;
    serving.abort();
}
