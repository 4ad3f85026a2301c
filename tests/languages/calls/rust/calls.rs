// SPDX-License-Identifier: Apache-2.0
//! Every function of the SDK; two actors of this module talk, and the lines
//! that they say are ../expected.txt.
use theater::{info, Code, Error};

fn name(code: Option<Code>) -> &'static str {
    code.map_or("ok", Code::name)
}

fn code<T>(result: Result<T, Error>) -> &'static str {
    name(result.err().map(|error| error.code))
}

fn messages(to: &str) -> Result<(), Error> {
    info!("batch: {}", theater::send_batch(to, &["1", "2", "3"])?);
    let refusals = theater::broadcast(&[to, "nobody", ""], "4");
    info!(
        "broadcast: {}",
        refusals
            .iter()
            .map(|code| name(*code))
            .collect::<Vec<_>>()
            .join(" ")
    );
    let id = theater::send_after(to, "never", 60000)?;
    info!("cancel: {}", code(theater::cancel_send(&id)));
    info!("cancel: {}", code(theater::cancel_send(&id)));
    theater::send_after(to, b"5", 10).map(|_| ())
}

fn requests(to: &str) -> Result<(), Error> {
    info!(
        "defer: {}",
        String::from_utf8(theater::request(to, "defer")?).unwrap()
    );
    info!(
        "request to be cancelled: {}",
        code(theater::request(to, "cancel"))
    );
    info!(
        "request-with: {}",
        code(theater::request_with(to, "sleep", 1))
    );
    info!("fail: {}", theater::request(to, "fail").unwrap_err());
    info!("empty: {}", theater::request(to, "")?.len());
    let data: Vec<u8> = (0..100000u32).map(|i| (i * 7) as u8).collect();
    let answer = theater::request(to, &data)?;
    if answer == data {
        info!("echo: {}", answer.len());
    }
    Ok(())
}

fn talk(to: &str) -> Result<(), Error> {
    messages(to)?;
    requests(to)?;
    let began = theater::now_ms();
    theater::sleep_ms(2);
    if theater::now_ms() - began >= 2 {
        info!("slept");
    }
    info!("I am {}", theater::self_name());
    if theater::sender().is_none() {
        info!("no sender");
    }
    if theater::current_channel().is_none() {
        info!("no channel");
    }
    let channel = theater::open_channel(to, "let me in")?;
    theater::send_on_channel(&channel, "bye")
}

fn run() {
    if let Some(to) = theater::initial_state() {
        talk(&String::from_utf8(to).unwrap()).unwrap();
    }
}

fn handle_send(data: Vec<u8>) {
    info!("message {}", String::from_utf8_lossy(&data));
}

fn handle_request(data: Vec<u8>) -> Result<Vec<u8>, String> {
    match data.as_slice() {
        b"fail" => return Err("as you wish".into()),
        b"sleep" => theater::sleep_ms(50),
        b"defer" | b"cancel" => {
            let id = theater::defer_response().unwrap();
            let ids = theater::list_outstanding_requests();
            if ids == [id.as_str()] {
                info!("outstanding: {}", ids.len());
            }
            if data == b"cancel" {
                theater::cancel_request(&id).unwrap();
            } else {
                theater::respond_to_request(&id, "later").unwrap();
            }
        }
        _ => {}
    }
    Ok(data)
}

fn handle_channel_open(initiator: String, data: Vec<u8>) -> bool {
    let channel = theater::current_channel().unwrap();
    theater::send_on_channel(&channel, format!("welcome, {initiator}")).unwrap();
    data == b"let me in"
}

fn handle_channel_message(_channel: String, data: Vec<u8>) {
    match data.as_slice() {
        b"bye" => theater::stop("done"),
        _ => info!("{}", String::from_utf8_lossy(&data)),
    }
}

fn handle_channel_close(_channel: String) {
    info!(
        "closed: {}",
        name(theater::close_reason().map(|error| error.code))
    );
}

fn handle_stop(reason: String) {
    info!("stop: {reason}");
}

theater::export!(
    run,
    handle_send,
    handle_request,
    handle_channel_open,
    handle_channel_message,
    handle_channel_close,
    handle_stop,
);
