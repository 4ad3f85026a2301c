// SPDX-License-Identifier: Apache-2.0
// Every function of the SDK; two actors of this component talk, and the lines
// that they say are ../expected.txt.
import * as theater from "./theater/actor.js";
import { bytes, Failure, text } from "./theater/actor.js";

const say = (line) => theater.log("info", line);

// What a call throws.
function failure(call) {
    try {
        call();
    } catch (error) {
        return error;
    }
    return { code: "ok" };
}

function messages(to) {
    say(`batch: ${theater.sendBatch(to, ["1", "2", "3"])}`);
    const refusals = theater.broadcast([to, "nobody", ""], "4");
    say(`broadcast: ${refusals.map((code) => code ?? "ok").join(" ")}`);
    const id = theater.sendAfter(to, "never", 60000);
    for (let i = 0; i < 2; i++) {
        say(`cancel: ${failure(() => theater.cancelSend(id)).code}`);
    }
    theater.sendAfter(to, bytes("5"), 10);
}

function requests(to) {
    say(`defer: ${text(theater.request(to, "defer"))}`);
    const cancelled = failure(() => theater.request(to, "cancel"));
    say(`request to be cancelled: ${cancelled.code}`);
    const late = failure(() => theater.request(to, "sleep", 1));
    say(`request-with: ${late.code}`);
    say(`fail: ${failure(() => theater.request(to, "fail")).message}`);
    say(`empty: ${theater.request(to, "").length}`);
    const data = Uint8Array.from({ length: 100000 }, (_, i) => i * 7);
    const answer = theater.request(to, data);
    if (answer.every((byte, i) => byte === data[i])) {
        say(`echo: ${answer.length}`);
    }
}

export function run() {
    const state = theater.initialState();
    if (!state) {
        return;
    }
    const to = text(state);
    messages(to);
    requests(to);
    const began = theater.nowMs();
    theater.sleepMs(2);
    if (theater.nowMs() - began >= 2) {
        say("slept");
    }
    say(`I am ${theater.selfName()}`);
    if (theater.sender() === undefined) {
        say("no sender");
    }
    if (theater.currentChannel() === undefined) {
        say("no channel");
    }
    theater.sendOnChannel(theater.openChannel(to, "let me in"), "bye");
}

export function handleSend(data) {
    say(`message ${text(data)}`);
}

export function handleRequest(data) {
    const question = data.length < 10 ? text(data) : "";
    if (question === "fail") {
        throw new Failure("as you wish");
    }
    if (question === "sleep") {
        theater.sleepMs(50);
    }
    if (question === "defer" || question === "cancel") {
        const id = theater.deferResponse();
        const ids = theater.listOutstandingRequests();
        if (ids[0] === id) {
            say(`outstanding: ${ids.length}`);
        }
        if (question === "cancel") {
            theater.cancelRequest(id);
        } else {
            theater.respondToRequest(id, "later");
        }
    }
    return data;
}

export function handleChannelOpen(initiator, data) {
    const channel = theater.currentChannel();
    theater.sendOnChannel(channel, `welcome, ${initiator}`);
    return text(data) === "let me in";
}

export function handleChannelMessage(channel, data) {
    if (text(data) === "bye") {
        theater.stop("done");
        return;
    }
    say(text(data));
}

export function handleChannelClose() {
    say(`closed: ${theater.closeReason()?.code ?? "ok"}`);
}

export function handleStop(reason) {
    say(`stop: ${reason}`);
}
