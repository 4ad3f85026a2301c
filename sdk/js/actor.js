// SPDX-License-Identifier: Apache-2.0
// What an actor may call: theater:actor@0.1.0 (actor.wit) for JavaScript.
// Payloads are bytes or strings where they are handed over, bytes where they
// are received; text() reads those. The contracts stand in actor.d.ts.
import * as server from "theater:actor/message-server@0.1.0";
import * as host from "theater:actor/runtime@0.1.0";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export const bytes = (data) =>
    typeof data === "string" ? encoder.encode(data) : data;
export const text = (data) => decoder.decode(data);

export class TheaterError extends Error {
    constructor(code, message) {
        super(message ? `${code}: ${message}` : code);
        this.name = "TheaterError";
        this.code = code;
    }
}

export class Failure extends Error {}

// The engine throws a result's error as the payload of an exception.
function failed(thrown) {
    const error = thrown?.payload;
    return error?.code ? new TheaterError(error.code, error.message) : thrown;
}

function ask(hostFunction, first, second, third) {
    try {
        return hostFunction(first, second, third);
    } catch (thrown) {
        throw failed(thrown);
    }
}

export const send = (target, data) => ask(server.send, target, bytes(data));
export const sendBatch = (target, messages) =>
    ask(server.sendBatch, target, messages.map(bytes));
export const broadcast = (targets, data) =>
    server.broadcast(targets, bytes(data));
export const sendAfter = (target, data, delayMs) =>
    ask(server.sendAfter, target, bytes(data), delayMs);
export const cancelSend = (id) => ask(server.cancelSend, id);

export const request = (target, data, timeoutMs) =>
    timeoutMs === undefined
        ? ask(server.request, target, bytes(data))
        : ask(server.requestWith, target, bytes(data), timeoutMs);
export const deferResponse = () => ask(server.deferResponse);
export const listOutstandingRequests = () => server.listOutstandingRequests();
export const respondToRequest = (id, data) =>
    ask(server.respondToRequest, id, bytes(data));
export const cancelRequest = (id) => ask(server.cancelRequest, id);

export const openChannel = (target, data) =>
    ask(server.openChannel, target, bytes(data));
export const sendOnChannel = (id, data) =>
    ask(server.sendOnChannel, id, bytes(data));
export const closeChannel = (id) => ask(server.closeChannel, id);
export const currentChannel = () => server.currentChannel();
export const closeReason = () => {
    const reason = server.closeReason();
    return reason && new TheaterError(reason.code, reason.message);
};

export const sender = () => server.sender();

export const log = (level, line) => host.log(level, line);
export const selfName = () => host.selfName();
export const initialState = () => host.initialState();
export const nowMs = () => Number(host.nowMs());
export const sleepMs = (ms) => host.sleepMs(ms);
export const stop = (reason) => host.stop(reason);
