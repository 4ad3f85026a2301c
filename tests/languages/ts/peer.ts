// SPDX-License-Identifier: Apache-2.0
// What it does stands in ../README.md.
import * as theater from "./theater/actor.js";
import { Failure, log, text, TheaterError } from "./theater/actor.js";

function code(error: unknown): string {
    return error instanceof TheaterError ? error.code : String(error);
}

function failure(ask: () => unknown): unknown {
    try {
        ask();
    } catch (error) {
        return error;
    }
    return new Error("no failure");
}

function visit(peer: string): void {
    theater.send(peer, `hello ${peer}`);
    log("info", text(theater.request(peer, `question for ${peer}`)));
    const refusal = failure(() => theater.request(peer, "fail"));
    log("info", `${peer}: ${(refusal as Error).message}`);
    const rejection = failure(() => theater.openChannel(peer, "knock"));
    log("info", `${peer}: ${code(rejection)}`);
    const channel = theater.openChannel(peer, `channel for ${peer}`);
    theater.sendOnChannel(channel, "ping");
}

export function handleRequest(data: Uint8Array): string {
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

export function handleSend(data: Uint8Array): void {
    log("info", `${text(data)}, from ${theater.sender()}`);
}

export function handleChannelOpen(initiator: string, data: Uint8Array): boolean {
    const greeting = text(data);
    const accepted = greeting.startsWith("channel ");
    if (accepted) {
        log("info", `${greeting}, opened by ${initiator}`);
    }
    return accepted;
}

export function handleChannelMessage(channel: string, data: Uint8Array): void {
    if (text(data) === "ping") {
        theater.sendOnChannel(channel, `pong of ${theater.selfName()}`);
        return;
    }
    log("info", text(data));
    theater.closeChannel(channel);
}

export function handleChannelClose(): void {
    log("info", "channel closed");
}
