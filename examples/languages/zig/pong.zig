// SPDX-License-Identifier: Apache-2.0
//! Answers "ping N" with "pong N".
const std = @import("std");
const theater = @import("theater.zig");

comptime {
    theater.exportActor(@This());
}
pub const panic = theater.panic;

pub fn handleRequest(data: []const u8) theater.Answer {
    theater.log(.info, data);
    if (!std.mem.startsWith(u8, data, "ping")) {
        return .{ .fail = "I only know ping" };
    }
    return .{ .reply = theater.print("pong{s}", .{data[4..]}) };
}
