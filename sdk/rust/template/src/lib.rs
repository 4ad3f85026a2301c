// SPDX-License-Identifier: Apache-2.0
//! Greets whoever asks. One whose initial state names another actor asks that
//! one, and logs the answer.

fn handle_request(data: Vec<u8>) -> Result<Vec<u8>, String> {
    Ok([b"hello, ", &data[..]].concat())
}

fn run() {
    let Some(whom) = theater::initial_state() else {
        return;
    };
    let whom = String::from_utf8_lossy(&whom);
    match theater::request(&whom, theater::self_name()) {
        Ok(answer) => theater::info!("{}", String::from_utf8_lossy(&answer)),
        Err(error) => theater::error!("no answer: {error}"),
    }
}

theater::export!(run, handle_request);
