// SPDX-License-Identifier: Apache-2.0
// Greets whoever asks. One whose initial state names another actor asks that
// one, and logs the answer.
import { initialState, log, request, selfName, text } from "./theater/actor.js";

export function handleRequest(data) {
    return `hello, ${text(data)}`;
}

export function run() {
    const whom = initialState();
    if (!whom) {
        return;
    }
    try {
        log("info", text(request(text(whom), selfName())));
    } catch (error) {
        log("error", `no answer: ${error.message}`);
    }
}
