// SPDX-License-Identifier: Apache-2.0
// Asks pong three times, says what it hears, and ends.
import { log, request, text } from "./theater/actor.js";

export function run(): void {
    for (let round = 1; round <= 3; round++) {
        try {
            log("info", text(request("pong", `ping ${round}`)));
        } catch (error) {
            log("error", `pong did not answer: ${(error as Error).message}`);
            return;
        }
    }
}
