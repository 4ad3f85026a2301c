// SPDX-License-Identifier: Apache-2.0
// Sends what it gets to the other of two: `a` to `b`, and `b` to `a`.
import * as theater from "./theater/actor.js";

let other = null;

export function handleSend(data) {
    other ??= theater.selfName() === "a" ? "b" : "a";
    theater.send(other, data);
}
