// SPDX-License-Identifier: Apache-2.0
// What it does stands in ../README.md.
import * as theater from "./theater/actor.js";
import { Failure, log, text, TheaterError } from "./theater/actor.js";

function code(error) {
    return error instanceof TheaterError ? error.code : String(error);
}

function failure(ask) {
    try {
        ask();
    } catch (error) {
        return error;
    }
    return new Error("no failure");
}

function visit(peer) {
    theater.send(peer, `hello ${peer}`);
    log("info", text(theater.request(peer, `question for ${peer}`)));
    const refusal = failure(() => theater.request(peer, "fail"));
    log("info", `${peer}: ${refusal.message}`);
    const rejection = failure(() => theater.openChannel(peer, "knock"));
    log("info", `${peer}: ${code(rejection)}`);
    const channel = theater.openChannel(peer, `channel for ${peer}`);
    theater.sendOnChannel(channel, "ping");
}

export function handleRequest(data) {
    const question = text(data);
    if (question.startsWith("visit ")) {
        const peers = question.split(" ").slice(1);
        peers.forEach(visit);
        return `visited ${peers.length}`;
    }
    if (question === "fail") {
        throw new Failure("not today");
    }
    return `${question}, answered by ${theater.selfName()}`;
}

export function handleSend(data) {
    log("info", `${text(data)}, from ${theater.sender()}`);
}

export function handleChannelOpen(initiator, data) {
    const greeting = text(data);
    const accepted = greeting.startsWith("channel ");
    if (accepted) {
        log("info", `${greeting}, opened by ${initiator}`);
    }
    return accepted;
}

export function handleChannelMessage(channel, data) {
    if (text(data) === "ping") {
        theater.sendOnChannel(channel, `pong of ${theater.selfName()}`);
        return;
    }
    log("info", text(data));
    theater.closeChannel(channel);
}

export function handleChannelClose() {
    log("info", "channel closed");
}
