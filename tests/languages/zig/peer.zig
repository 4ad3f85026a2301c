// SPDX-License-Identifier: Apache-2.0
//! What it does stands in ../README.md.
const std = @import("std");
const theater = @import("theater.zig");

comptime {
    theater.exportActor(@This());
}
pub const panic = theater.panic;

const print = theater.print;

fn visit(peer: []const u8) theater.Error!void {
    try theater.send(peer, print("hello {s}", .{peer}));
    theater.log(.info, try theater.request(peer, print("question for {s}", .{peer})));
    if (theater.request(peer, "fail")) |_| {} else |failure| {
        theater.info("{s}: {s}", .{ peer, theater.describe(failure) });
    }
    if (theater.openChannel(peer, "knock")) |_| {} else |failure| {
        if (failure == error.Rejected) theater.info("{s}: rejected", .{peer});
    }
    const channel = try theater.openChannel(peer, print("channel for {s}", .{peer}));
    try theater.sendOnChannel(channel, "ping");
}

pub fn handleRequest(data: []const u8) theater.Answer {
    if (std.mem.startsWith(u8, data, "visit ")) {
        var visited: u32 = 0;
        var names = std.mem.splitScalar(u8, data[6..], ' ');
        while (names.next()) |peer| {
            visit(peer) catch |failure| return .{ .fail = theater.describe(failure) };
            visited += 1;
        }
        return .{ .reply = print("visited {d}", .{visited}) };
    }
    if (std.mem.eql(u8, data, "fail")) return .{ .fail = "not today" };
    return .{ .reply = print("{s}, answered by {s}", .{ data, theater.selfName() }) };
}

pub fn handleSend(data: []const u8) void {
    theater.info("{s}, from {s}", .{ data, theater.sender() orelse "nobody" });
}

pub fn handleChannelOpen(initiator: []const u8, data: []const u8) bool {
    if (!std.mem.startsWith(u8, data, "channel ")) return false;
    theater.info("{s}, opened by {s}", .{ data, initiator });
    return true;
}

pub fn handleChannelMessage(channel: []const u8, data: []const u8) void {
    if (std.mem.eql(u8, data, "ping")) {
        const pong = print("pong of {s}", .{theater.selfName()});
        theater.sendOnChannel(channel, pong) catch |failure| theater.err("{s}", .{theater.describe(failure)});
        return;
    }
    theater.log(.info, data);
    theater.closeChannel(channel) catch {};
}

pub fn handleChannelClose(_: []const u8) void {
    theater.info("channel closed", .{});
}
