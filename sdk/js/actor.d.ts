// SPDX-License-Identifier: Apache-2.0
// The types of actor.js, and what its functions promise.

/** A payload that is handed over: a string is encoded as UTF-8. */
export type Data = Uint8Array | string;

/** What went wrong with a message, a request or a channel. */
export type ErrorCode =
    | "not-found" // nobody has that name
    | "denied" // a permission forbids it
    | "mailbox-full" // the receiver's mailbox is at its bound
    | "timeout" // the deadline passed
    | "cancelled" // cancelled by either side
    | "closed" // the other end stopped, crashed or closed
    | "rejected" // the target refused the channel
    | "failed" // the target's handler answered with an error
    | "deadlock" // waiting would close a cycle of requests
    | "too-large" // over the limit of one message
    | "invalid-argument" // an empty name, an unknown id, ...
    | "unsupported" // the target does not export the handler
    | "shutting-down" // the router is draining
    | "unreachable"; // the node that has the name cannot be reached

/** What the functions below throw. */
export class TheaterError extends Error {
    constructor(code: ErrorCode, message?: string);
    readonly code: ErrorCode;
}

/** Thrown in handleRequest: the requester gets `failed` and this message.
 * Whatever else leaves a handler ends the actor, and is logged. */
export class Failure extends Error {}

type Maybe<T> = T | Promise<T>;

/** What an actor may export; it accepts only what it exports. A handler may be
 * async, and then awaits what its own code settles. */
export interface Handlers {
    /** Once, at the start. */
    run?(): Maybe<void>;
    handleSend?(data: Uint8Array): Maybe<void>;
    handleRequest?(data: Uint8Array): Maybe<Data | void>;
    /** True accepts; currentChannel() is the channel's id. */
    handleChannelOpen?(initiator: string, data: Uint8Array): Maybe<boolean>;
    handleChannelMessage?(channel: string, data: Uint8Array): Maybe<void>;
    handleChannelClose?(channel: string): Maybe<void>;
    /** Once, before the actor stops for a reason not its own failure. */
    handleStop?(reason: string): Maybe<void>;
}

export function bytes(data: Data): Uint8Array;
export function text(data: Uint8Array): string;

/** One-way. No error means accepted: handled once, or one dead letter. To a
 * full mailbox it waits or fails, as the manifest's `when_full` says. */
export function send(target: string, data: Data): void;
/** Many messages to one target, in order; answers how many were accepted. */
export function sendBatch(target: string, messages: Data[]): number;
/** One payload to 1,024 targets at most, without waiting; answers for each why
 * it was refused, or undefined. */
export function broadcast(
    targets: string[],
    data: Data,
): (ErrorCode | undefined)[];
/** Sends later, once; answers an id for cancelSend. */
export function sendAfter(target: string, data: Data, delayMs: number): string;
export function cancelSend(id: string): void;

/** Waits for the answer, at most `timeoutMs`, or the manifest's
 * `request_timeout`; this actor handles nothing meanwhile. */
export function request(
    target: string,
    data: Data,
    timeoutMs?: number,
): Uint8Array;
/** In handleRequest: the answer comes later, with this id; what the handler
 * returns is then ignored. */
export function deferResponse(): string;
export function listOutstandingRequests(): string[];
export function respondToRequest(id: string, data: Data): void;
/** Ends a received request with `cancelled` for its requester. */
export function cancelRequest(id: string): void;

/** Waits for the target's handleChannelOpen; answers the channel's id. */
export function openChannel(target: string, data: Data): string;
/** May wait for the other end's credit. */
export function sendOnChannel(id: string, data: Data): void;
export function closeChannel(id: string): void;
/** The channel whose open, message or close is being handled. */
export function currentChannel(): string | undefined;
/** In handleChannelClose: why; undefined for a plain close. */
export function closeReason(): TheaterError | undefined;

/** Who sent what is being handled; undefined in run. */
export function sender(): string | undefined;

export type Level = "error" | "warn" | "info" | "debug" | "trace";
/** One line under the actor's name; console.log and its like do the same. */
export function log(level: Level, line: string): void;
export function selfName(): string;
/** What the manifest's `initial_state` (or the system file's) says. */
export function initialState(): Uint8Array | undefined;
/** Milliseconds since an arbitrary point; never goes back. */
export function nowMs(): number;
/** Others run meanwhile. Ends early when the actor is asked to stop. */
export function sleepMs(ms: number): void;
/** Stops this actor once the current handler has returned. */
export function stop(reason: string): void;
