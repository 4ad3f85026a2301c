// SPDX-License-Identifier: Apache-2.0
//! Every function of the SDK; two actors of this module talk, and the lines
//! that they say are ../expected.txt.
const std = @import("std");
const theater = @import("theater.zig");

comptime {
    theater.exportActor(@This());
}
pub const panic = theater.panic;

const info = theater.info;

fn is(a: []const u8, b: []const u8) bool {
    return std.mem.eql(u8, a, b);
}

fn messages(to: []const u8) theater.Error!void {
    info("batch: {d}", .{try theater.sendBatch(to, &.{ "1", "2", "3" })});
    const refusals = theater.broadcast(&.{ to, "nobody", "" }, "4");
    info("broadcast: {s} {s} {s}", .{ name(refusals[0]), name(refusals[1]), name(refusals[2]) });
    const id = try theater.sendAfter(to, "never", 60000);
    for (0..2) |_| {
        info("cancel: {s}", .{refused(theater.cancelSend(id))});
    }
    _ = try theater.sendAfter(to, "5", 10);
}

fn name(failure: ?theater.Error) []const u8 {
    return if (failure) |what| theater.name(what) else "ok";
}

fn refused(result: anytype) []const u8 {
    _ = result catch |failure| return theater.name(failure);
    return "ok";
}

fn requests(to: []const u8) theater.Error!void {
    info("defer: {s}", .{try theater.request(to, "defer")});
    info("request to be cancelled: {s}", .{refused(theater.request(to, "cancel"))});
    info("request-with: {s}", .{refused(theater.requestWith(to, "sleep", 1))});
    if (theater.request(to, "fail")) |_| {} else |failure| {
        info("fail: {s}", .{theater.describe(failure)});
    }
    info("empty: {d}", .{(try theater.request(to, "")).len});
    const data = theater.scratch.alloc(u8, 100000) catch unreachable;
    for (data, 0..) |*byte, i| byte.* = @truncate(i * 7);
    const answer = try theater.request(to, data);
    if (is(answer, data)) info("echo: {d}", .{answer.len});
}

fn talk(to: []const u8) theater.Error!void {
    try messages(to);
    try requests(to);
    const began = theater.nowMs();
    theater.sleepMs(2);
    if (theater.nowMs() - began >= 2) info("slept", .{});
    info("I am {s}", .{theater.selfName()});
    if (theater.sender() == null) info("no sender", .{});
    if (theater.currentChannel() == null) info("no channel", .{});
    const channel = try theater.openChannel(to, "let me in");
    try theater.sendOnChannel(channel, "bye");
}

pub fn run() void {
    const to = theater.initialState() orelse return;
    talk(to) catch |failure| theater.err("{s}", .{theater.describe(failure)});
}

/// What others keep may lie between the pieces of the SDK's memory.
var kept: std.ArrayList(u8) = .empty;

pub fn handleSend(data: []const u8) void {
    kept.appendNTimes(std.heap.wasm_allocator, data[0], 70000) catch unreachable;
    info("message {c}", .{kept.items[kept.items.len - 1]});
}

pub fn handleRequest(data: []const u8) theater.Answer {
    if (is(data, "fail")) return .{ .fail = "as you wish" };
    if (is(data, "sleep")) theater.sleepMs(50);
    if (is(data, "defer") or is(data, "cancel")) {
        later(is(data, "cancel")) catch |failure| return .{ .fail = theater.describe(failure) };
    }
    return .{ .reply = data };
}

fn later(cancel: bool) theater.Error!void {
    const id = try theater.deferResponse();
    const ids = theater.listOutstandingRequests();
    if (ids.len == 1 and is(ids[0], id)) info("outstanding: {d}", .{ids.len});
    if (cancel) return theater.cancelRequest(id);
    return theater.respondToRequest(id, "later");
}

pub fn handleChannelOpen(initiator: []const u8, data: []const u8) bool {
    const channel = theater.currentChannel() orelse return false;
    theater.sendOnChannel(channel, theater.print("welcome, {s}", .{initiator})) catch return false;
    return is(data, "let me in");
}

pub fn handleChannelMessage(_: []const u8, data: []const u8) void {
    if (is(data, "bye")) return theater.stop("done");
    info("{s}", .{data});
}

pub fn handleChannelClose(_: []const u8) void {
    info("closed: {s}", .{name(theater.closeReason())});
}

pub fn handleStop(reason: []const u8) void {
    info("stop: {s}", .{reason});
}
