//! The hello of the benchmark over tokio-fastcgi. usage: tokiofastcgi unix-socket-path

use tokio::net::UnixListener;
use tokio_fastcgi::{RequestResult, Requests};

const HELLO: &[u8] =
    b"Status: 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhello, world\n";

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let path = std::env::args().nth(1).expect("usage: tokiofastcgi unix-socket-path");
    let listener = UnixListener::bind(path).expect("bind");
    loop {
        let (mut stream, _) = listener.accept().await.expect("accept");
        tokio::spawn(async move {
            let mut requests = Requests::from_split_socket(stream.split(), 10, 10);
            while let Ok(Some(request)) = requests.next().await {
                let done = request
                    .process(|request| async move {
                        match request.get_stdout().write(HELLO).await {
                            Ok(_) => RequestResult::Complete(0),
                            Err(_) => RequestResult::Complete(1),
                        }
                    })
                    .await;
                if done.is_err() {
                    break;
                }
            }
        });
    }
}
