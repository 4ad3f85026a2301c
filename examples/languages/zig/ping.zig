// SPDX-License-Identifier: Apache-2.0
//! Asks pong three times, says what it hears, and ends.
const theater = @import("theater.zig");

comptime {
    theater.exportActor(@This());
}
pub const panic = theater.panic;

pub fn run() void {
    for (1..4) |round| {
        const question = theater.print("ping {d}", .{round});
        const answer = theater.request("pong", question) catch |failure| {
            theater.err("pong did not answer: {s}", .{theater.describe(failure)});
            return;
        };
        theater.info("{s}", .{answer});
    }
}
