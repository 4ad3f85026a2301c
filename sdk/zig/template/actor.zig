// SPDX-License-Identifier: Apache-2.0
//! Greets whoever asks. One whose initial state names another actor asks that
//! one, and logs the answer.
const theater = @import("theater.zig");

comptime {
    theater.exportActor(@This());
}
pub const panic = theater.panic;

pub fn handleRequest(data: []const u8) theater.Answer {
    return .{ .reply = theater.print("hello, {s}", .{data}) };
}

pub fn run() void {
    const whom = theater.initialState() orelse return;
    const answer = theater.request(whom, theater.selfName()) catch |failure| {
        theater.err("no answer: {s}", .{theater.describe(failure)});
        return;
    };
    theater.info("{s}", .{answer});
}
