// SPDX-License-Identifier: Apache-2.0
//! What it does stands in ../README.md.
use theater::{info, Code, Error};

fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}

fn visit(peer: &str) -> Result<(), Error> {
    theater::send(peer, format!("hello {peer}"))?;
    info!(
        "{}",
        text(&theater::request(peer, format!("question for {peer}"))?)
    );
    if let Err(error) = theater::request(peer, "fail") {
        info!("{peer}: {error}");
    }
    if let Err(Error { code, .. }) = theater::open_channel(peer, "knock") {
        assert_eq!(code, Code::Rejected);
        info!("{peer}: {}", code.name());
    }
    let channel = theater::open_channel(peer, format!("channel for {peer}"))?;
    theater::send_on_channel(&channel, "ping")
}

fn handle_request(data: Vec<u8>) -> Result<Vec<u8>, String> {
    let data = text(&data);
    if let Some(names) = data.strip_prefix("visit ") {
        for peer in names.split(' ') {
            visit(peer).map_err(|error| format!("{peer}: {error}"))?;
        }
        return Ok(format!("visited {}", names.split(' ').count()).into());
    }
    match data.as_str() {
        "fail" => Err("not today".into()),
        _ => Ok(format!("{data}, answered by {}", theater::self_name()).into()),
    }
}

fn handle_send(data: Vec<u8>) {
    info!(
        "{}, from {}",
        text(&data),
        theater::sender().unwrap_or_default()
    );
}

fn handle_channel_open(initiator: String, data: Vec<u8>) -> bool {
    let accepted = data.starts_with(b"channel ");
    if accepted {
        info!("{}, opened by {initiator}", text(&data));
    }
    accepted
}

fn handle_channel_message(channel: String, data: Vec<u8>) {
    let done = if data == b"ping" {
        theater::send_on_channel(&channel, format!("pong of {}", theater::self_name()))
    } else {
        info!("{}", text(&data));
        theater::close_channel(&channel)
    };
    done.unwrap();
}

fn handle_channel_close(_channel: String) {
    info!("channel closed");
}

theater::export!(
    handle_request,
    handle_send,
    handle_channel_open,
    handle_channel_message,
    handle_channel_close,
);
