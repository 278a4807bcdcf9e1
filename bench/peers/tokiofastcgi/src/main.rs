//! The benchmark's tasks over tokio-fastcgi. usage: tokiofastcgi unix-socket-path task [size]

use std::io::Read;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::io::AsyncWrite;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio_fastcgi::{Request, RequestResult, Requests};

const HELLO: &[u8] =
    b"Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhello, world\n";
const TEXT: &str = "Content-Type: text/plain; charset=utf-8\r\n\r\n";

/// What the program was started for.
struct Task {
    name: String,
    large: Vec<u8>,
    waiting: AtomicUsize,
    released: watch::Sender<bool>,
}

impl Task {
    fn from_args() -> Task {
        let name = std::env::args().nth(2).expect("usage: tokiofastcgi unix-socket-path task [size]");
        let size = std::env::args().nth(3).map_or(0, |n| n.parse().expect("size"));
        let mut large = format!(
            "Content-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n"
        )
        .into_bytes();
        large.extend((0..size).map(|i: usize| (i % 251) as u8));
        Task { name, large, waiting: AtomicUsize::new(0), released: watch::channel(false).0 }
    }

    async fn handle<W: AsyncWrite + Unpin>(&self, request: Arc<Request<W>>) -> RequestResult {
        let sent = match self.name.as_str() {
            "hello" => request.get_stdout().write(HELLO).await,
            "bytes" => request.get_stdout().write(&self.large).await,
            "digest" => {
                let text = digest(&request);
                request.get_stdout().write(text.as_bytes()).await
            }
            "count" => {
                let text = count(&request);
                request.get_stdout().write(text.as_bytes()).await
            }
            "mixed" if request.get_str_param("QUERY_STRING") == Some("large") => {
                request.get_stdout().write(&self.large).await
            }
            "mixed" => request.get_stdout().write(HELLO).await,
            _ => {
                let text = self.wait(request.get_str_param("QUERY_STRING")).await;
                request.get_stdout().write(text.as_bytes()).await
            }
        };
        match sent {
            Ok(_) => RequestResult::Complete(0),
            Err(_) => RequestResult::Complete(1),
        }
    }

    /// Holds the request until one asks for all to be released.
    async fn wait(&self, query: Option<&str>) -> String {
        match query {
            Some("waiting") => {
                return format!("{TEXT}{}\n", self.waiting.load(Ordering::Relaxed));
            }
            Some("release") => {
                self.released.send_replace(true);
            }
            _ => {
                self.waiting.fetch_add(1, Ordering::Relaxed);
                let mut released = self.released.subscribe();
                released.wait_for(|released| *released).await.expect("released");
            }
        }
        format!("{TEXT}hello, world\n")
    }
}

fn count<W: AsyncWrite + Unpin>(request: &Request<W>) -> String {
    let mut stdin = request.get_stdin();
    let n = std::io::copy(&mut *stdin, &mut std::io::sink()).expect("body");
    format!("{TEXT}{n}\n")
}

fn digest<W: AsyncWrite + Unpin>(request: &Request<W>) -> String {
    let mut stdin = request.get_stdin();
    let mut hash = Sha256::new();
    let mut piece = [0; 65536];
    let mut length = 0;
    loop {
        let n = stdin.read(&mut piece).expect("body");
        if n == 0 {
            return format!("{TEXT}{:x} {length}\n", hash.finalize());
        }
        length += n;
        hash.update(&piece[..n]);
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let task = Arc::new(Task::from_args());
    let path = std::env::args().nth(1).expect("path");
    let listener = UnixListener::bind(path).expect("bind");
    loop {
        let (mut stream, _) = listener.accept().await.expect("accept");
        let task = task.clone();
        tokio::spawn(async move {
            let mut requests = Requests::from_split_socket(stream.split(), 10, 255);
            while let Ok(Some(request)) = requests.next().await {
                if request.process(|request| task.handle(request)).await.is_err() {
                    break;
                }
            }
        });
    }
}
