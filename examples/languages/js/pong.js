// SPDX-License-Identifier: Apache-2.0
// Answers "ping N" with "pong N".
import { Failure, log, text } from "./theater/actor.js";

export function handleRequest(data) {
    const question = text(data);
    log("info", question);
    if (!question.startsWith("ping")) {
        throw new Failure("I only know ping");
    }
    return `pong${question.slice(4)}`;
}
