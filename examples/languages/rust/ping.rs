// SPDX-License-Identifier: Apache-2.0
//! Asks pong three times, says what it hears, and ends.

fn run() {
    for round in 1..=3 {
        match theater::request("pong", format!("ping {round}")) {
            Ok(answer) => theater::info!("{}", String::from_utf8_lossy(&answer)),
            Err(error) => return theater::error!("pong did not answer: {error}"),
        }
    }
}

theater::export!(run);
