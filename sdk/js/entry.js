// SPDX-License-Identifier: Apache-2.0
// Stands between the host and an actor's handlers. build.mjs names it for each
// handler that the source exports.
import * as host from "theater:actor/runtime@0.1.0";
import { bytes, Failure } from "./actor.js";

const shown = (value) =>
    value instanceof Error
        ? `${value}\n${value.stack}`.trimEnd()
        : typeof value === "object"
          ? JSON.stringify(value)
          : String(value);

// The build runs a source's top level, where there is no host to call: the
// console becomes the actor's log after it.
for (const level of ["error", "warn", "info", "debug", "trace", "log"]) {
    console[level] = (...values) =>
        host.log(level === "log" ? "info" : level, values.map(shown).join(" "));
}

function crash(error) {
    host.log("error", shown(error));
    throw error;
}

// A result's error is thrown as it is.
function refuse(error) {
    if (error instanceof Failure) {
        throw error.message;
    }
    crash(error);
}

const guard = (handler, finish, fail) => (first, second) => {
    let result;
    try {
        result = handler(first, second);
    } catch (error) {
        return fail(error);
    }
    return result instanceof Promise
        ? result.then(finish, fail)
        : finish(result);
};

export const plain = (handler) => guard(handler, () => {}, crash);
export const deciding = (handler) => guard(handler, Boolean, crash);
export const answering = (handler) =>
    guard(handler, (answer) => bytes(answer ?? ""), refuse);
