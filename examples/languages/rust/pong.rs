// SPDX-License-Identifier: Apache-2.0
//! Answers "ping N" with "pong N".

fn handle_request(data: Vec<u8>) -> Result<Vec<u8>, String> {
    theater::info!("{}", String::from_utf8_lossy(&data));
    match data.strip_prefix(b"ping") {
        Some(round) => Ok([b"pong", round].concat()),
        None => Err("I only know ping".into()),
    }
}

theater::export!(handle_request);
