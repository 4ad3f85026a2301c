// SPDX-License-Identifier: Apache-2.0
//! Actors in Zig: the package theater:actor@0.1.0 (wit/actor.wit), by the
//! canonical ABI, for wasm32-freestanding.
//!
//! An actor exports the handlers that it has, and accepts only those. They are
//! public functions of the root file with these names, and one line there
//! exports them, `comptime { theater.exportActor(@This()); }`:
//!
//!     pub fn run() void
//!     pub fn handleSend(data: []const u8) void
//!     pub fn handleRequest(data: []const u8) theater.Answer
//!     pub fn handleChannelOpen(initiator: []const u8, data: []const u8) bool
//!     pub fn handleChannelMessage(channel: []const u8, data: []const u8) void
//!     pub fn handleChannelClose(channel: []const u8) void
//!     pub fn handleStop(reason: []const u8) void
//!
//! What an actor receives (arguments, answers, names, ids), and what it takes
//! from `scratch`, may be used until the running handler returns; what is to
//! live longer is copied. A handler that does not return, such as a loop in
//! `run`, gives back with `mark` and `release`. What is handed over is copied
//! before a function returns.

const std = @import("std");

/// What went wrong; `failure` has the text.
pub const Error = error{
    NotFound, // nobody has that name
    Denied, // a permission forbids it
    MailboxFull, // the receiver's mailbox is at its bound
    Timeout, // the deadline passed
    Cancelled, // cancelled by either side
    Closed, // the other end stopped, crashed or closed
    Rejected, // the target refused the channel
    Failed, // the target's handler answered with an error
    Deadlock, // waiting would close a cycle of requests
    TooLarge, // over the limit of one message
    InvalidArgument, // an empty name, an unknown id, ...
    Unsupported, // the target does not export the handler
    ShuttingDown, // the router is draining
    Unreachable, // the node that has the name cannot be reached
};

/// In the order of the WIT.
const codes = [_]struct { code: Error, name: []const u8 }{
    .{ .code = error.NotFound, .name = "not-found" },
    .{ .code = error.Denied, .name = "denied" },
    .{ .code = error.MailboxFull, .name = "mailbox-full" },
    .{ .code = error.Timeout, .name = "timeout" },
    .{ .code = error.Cancelled, .name = "cancelled" },
    .{ .code = error.Closed, .name = "closed" },
    .{ .code = error.Rejected, .name = "rejected" },
    .{ .code = error.Failed, .name = "failed" },
    .{ .code = error.Deadlock, .name = "deadlock" },
    .{ .code = error.TooLarge, .name = "too-large" },
    .{ .code = error.InvalidArgument, .name = "invalid-argument" },
    .{ .code = error.Unsupported, .name = "unsupported" },
    .{ .code = error.ShuttingDown, .name = "shutting-down" },
    .{ .code = error.Unreachable, .name = "unreachable" },
};

/// The text of the last error, for people; until the handler returns.
pub var failure: []const u8 = "";

/// The name of an error, as the WIT has it.
pub fn name(what: Error) []const u8 {
    for (codes) |entry| {
        if (entry.code == what) return entry.name;
    }
    unreachable;
}

/// That name, and the text of the last error.
pub fn describe(what: Error) []const u8 {
    return print("{s}: {s}", .{ name(what), failure });
}

// ---- memory: a stack of bytes, given back when a handler returns -----------

const page = 65536;
extern var __heap_base: u8;

/// The host reads the first two words, and puts there what it hands over.
const Arena = extern struct { top: usize, limit: usize, base: usize };
var arena: Arena = .{ .top = 0, .limit = 0, .base = 0 };

fn where() callconv(.c) *Arena {
    if (arena.base == 0) {
        arena.base = @intFromPtr(&__heap_base);
        arena.top = arena.base;
        arena.limit = @wasmMemorySize(0) * page;
    }
    return &arena;
}

/// Memory behind the end, or a new and larger stretch where somebody else has
/// grown the memory meanwhile; what was given out stays where it is.
fn more(size: usize) void {
    const held = arena.limit - arena.base;
    var pages = (size + held / 4) / page + 1;
    var at = @wasmMemoryGrow(0, pages);
    if (at < 0) {
        pages = size / page + 1;
        at = @wasmMemoryGrow(0, pages);
    }
    if (at < 0) @panic("out of memory");
    const start = @as(usize, @intCast(at)) * page;
    if (start != arena.limit) {
        arena.base = start;
        arena.top = start;
    }
    arena.limit = start + pages * page;
}

fn take(alignment: usize, size: usize) usize {
    _ = where();
    var at = (arena.top + alignment - 1) & ~(alignment - 1);
    if (at > arena.limit or size > arena.limit - at) {
        more(size + alignment);
        at = (arena.top + alignment - 1) & ~(alignment - 1);
    }
    arena.top = at + size;
    return at;
}

fn realloc(old: usize, old_size: usize, alignment: usize, size: usize) callconv(.c) usize {
    const at = take(alignment, size);
    if (old_size > 0) @memcpy(pointer(at)[0..@min(old_size, size)], pointer(old)[0..@min(old_size, size)]);
    return at;
}

fn pointer(address: usize) [*]u8 {
    return @ptrFromInt(address);
}

/// Where received memory ends now; a loop that does not return marks before it
/// receives, and releases when it is done with that.
pub fn mark() usize {
    return where().top;
}

pub fn release(to: usize) void {
    arena.top = if (to >= arena.base and to <= arena.limit) to else arena.base;
}

fn reset() void {
    arena.top = arena.base;
}

/// Memory that lives as long as what is received: until the handler returns.
pub const scratch: std.mem.Allocator = .{
    .ptr = undefined,
    .vtable = &.{ .alloc = scratchAlloc, .resize = scratchResize, .remap = scratchRemap, .free = scratchFree },
};

fn scratchAlloc(_: *anyopaque, size: usize, alignment: std.mem.Alignment, _: usize) ?[*]u8 {
    return pointer(take(alignment.toByteUnits(), size));
}

/// The newest may grow where it is.
fn scratchResize(_: *anyopaque, memory: []u8, _: std.mem.Alignment, size: usize, _: usize) bool {
    const at = @intFromPtr(memory.ptr);
    if (at + memory.len != arena.top) return size <= memory.len;
    if (size > arena.limit - at) return false;
    arena.top = at + size;
    return true;
}

fn scratchRemap(ctx: *anyopaque, memory: []u8, alignment: std.mem.Alignment, size: usize, caller: usize) ?[*]u8 {
    return if (scratchResize(ctx, memory, alignment, size, caller)) memory.ptr else null;
}

fn scratchFree(_: *anyopaque, memory: []u8, _: std.mem.Alignment, _: usize) void {
    if (@intFromPtr(memory.ptr) + memory.len == arena.top) arena.top = @intFromPtr(memory.ptr);
}

// ---- the ABI ---------------------------------------------------------------

const Bytes = [*]const u8;
const View = extern struct { at: usize, len: usize };

/// `result<T, error>` and `option<T>`: behind the tag what there is, or an
/// error's code, with its text's address and length.
const Ret = extern struct { tag: u8, words: [3]usize };

const host = struct {
    extern "theater:actor/message-server@0.1.0" fn send(Bytes, usize, Bytes, usize, *Ret) void;
    extern "theater:actor/message-server@0.1.0" fn @"send-batch"(Bytes, usize, [*]const View, usize, *Ret) void;
    extern "theater:actor/message-server@0.1.0" fn broadcast([*]const View, usize, Bytes, usize, *View) void;
    extern "theater:actor/message-server@0.1.0" fn @"send-after"(Bytes, usize, Bytes, usize, u32, *Ret) void;
    extern "theater:actor/message-server@0.1.0" fn @"cancel-send"(Bytes, usize, *Ret) void;
    extern "theater:actor/message-server@0.1.0" fn request(Bytes, usize, Bytes, usize, *Ret) void;
    extern "theater:actor/message-server@0.1.0" fn @"request-with"(Bytes, usize, Bytes, usize, u32, *Ret) void;
    extern "theater:actor/message-server@0.1.0" fn @"defer-response"(*Ret) void;
    extern "theater:actor/message-server@0.1.0" fn @"list-outstanding-requests"(*View) void;
    extern "theater:actor/message-server@0.1.0" fn @"respond-to-request"(Bytes, usize, Bytes, usize, *Ret) void;
    extern "theater:actor/message-server@0.1.0" fn @"cancel-request"(Bytes, usize, *Ret) void;
    extern "theater:actor/message-server@0.1.0" fn @"open-channel"(Bytes, usize, Bytes, usize, *Ret) void;
    extern "theater:actor/message-server@0.1.0" fn @"send-on-channel"(Bytes, usize, Bytes, usize, *Ret) void;
    extern "theater:actor/message-server@0.1.0" fn @"close-channel"(Bytes, usize, *Ret) void;
    extern "theater:actor/message-server@0.1.0" fn @"current-channel"(*Ret) void;
    extern "theater:actor/message-server@0.1.0" fn @"close-reason"(*Ret) void;
    extern "theater:actor/message-server@0.1.0" fn sender(*Ret) void;
    extern "theater:actor/runtime@0.1.0" fn log(u32, Bytes, usize) void;
    extern "theater:actor/runtime@0.1.0" fn @"self-name"(*View) void;
    extern "theater:actor/runtime@0.1.0" fn @"initial-state"(*Ret) void;
    extern "theater:actor/runtime@0.1.0" fn @"now-ms"() u64;
    extern "theater:actor/runtime@0.1.0" fn @"sleep-ms"(u32) void;
    extern "theater:actor/runtime@0.1.0" fn stop(Bytes, usize) void;
};

var ret: Ret = undefined;
var list: View = undefined;

fn bytesAt(address: usize, len: usize) []const u8 {
    return if (len == 0) "" else pointer(address)[0..len];
}

/// No bytes may be anywhere for Zig, but not for the host.
fn from(bytes: []const u8) Bytes {
    return if (bytes.len == 0) "" else bytes.ptr;
}

fn failed() Error {
    failure = bytesAt(ret.words[1], ret.words[2]);
    return codes[ret.words[0] & 0xff].code;
}

fn done() Error!void {
    if (ret.tag != 0) return failed();
}

fn doneBytes() Error![]const u8 {
    if (ret.tag != 0) return failed();
    return bytesAt(ret.words[0], ret.words[1]);
}

fn some() ?[]const u8 {
    return if (ret.tag == 0) null else bytesAt(ret.words[0], ret.words[1]);
}

fn views(items: []const []const u8) []const View {
    const out = scratch.alloc(View, items.len) catch unreachable;
    for (items, out) |item, *view| view.* = .{ .at = @intFromPtr(from(item)), .len = item.len };
    return out;
}

// ---- messages --------------------------------------------------------------

/// One-way. No error means accepted: it is handled once, or becomes one dead
/// letter. To a full mailbox it waits or fails, as the manifest's `when_full`
/// says.
pub fn send(target: []const u8, data: []const u8) Error!void {
    host.send(from(target), target.len, from(data), data.len, &ret);
    return done();
}

/// Many messages to one target, in order; answers how many were accepted.
pub fn sendBatch(target: []const u8, batch: []const []const u8) Error!u32 {
    const items = views(batch);
    host.@"send-batch"(from(target), target.len, items.ptr, items.len, &ret);
    try done();
    return ret.words[0];
}

/// One payload, stored once, to 1,024 targets at most. Never waits; answers for
/// each target why it was refused, or null.
pub fn broadcast(targets: []const []const u8, data: []const u8) []const ?Error {
    const items = views(targets);
    host.broadcast(items.ptr, items.len, from(data), data.len, &list);
    const pairs = bytesAt(list.at, 2 * list.len);
    const out = scratch.alloc(?Error, list.len) catch unreachable;
    for (out, 0..) |*refusal, i| refusal.* = if (pairs[2 * i] == 0) null else codes[pairs[2 * i + 1]].code;
    return out;
}

/// Sends once, in `delay_ms`; until then the id that it answers takes it back.
pub fn sendAfter(target: []const u8, data: []const u8, delay_ms: u32) Error![]const u8 {
    host.@"send-after"(from(target), target.len, from(data), data.len, delay_ms, &ret);
    return doneBytes();
}

/// Takes back what `sendAfter` will send.
pub fn cancelSend(id: []const u8) Error!void {
    host.@"cancel-send"(from(id), id.len, &ret);
    return done();
}

/// Asks and waits for the answer, at most the manifest's `request_timeout`;
/// this actor handles nothing meanwhile.
pub fn request(target: []const u8, data: []const u8) Error![]const u8 {
    host.request(from(target), target.len, from(data), data.len, &ret);
    return doneBytes();
}

/// `request` that waits `timeout_ms` at most.
pub fn requestWith(target: []const u8, data: []const u8, timeout_ms: u32) Error![]const u8 {
    host.@"request-with"(from(target), target.len, from(data), data.len, timeout_ms, &ret);
    return doneBytes();
}

/// What `handleRequest` returns; received, static or scratch memory, not a
/// local array.
pub const Answer = union(enum) {
    reply: []const u8,
    /// The requester gets `Failed` and this text.
    fail: []const u8,
};

/// Keeps the request that is being handled open: what the handler returns is
/// ignored, and the answer comes by `respondToRequest` with this id.
pub fn deferResponse() Error![]const u8 {
    host.@"defer-response"(&ret);
    return doneBytes();
}

/// The ids of the requests that were received and not yet answered.
pub fn listOutstandingRequests() []const []const u8 {
    host.@"list-outstanding-requests"(&list);
    const ids = scratch.alloc([]const u8, list.len) catch unreachable;
    if (list.len == 0) return ids;
    const items: [*]const View = @ptrFromInt(list.at);
    for (ids, items[0..list.len]) |*id, item| id.* = bytesAt(item.at, item.len);
    return ids;
}

/// Answers a deferred request.
pub fn respondToRequest(id: []const u8, data: []const u8) Error!void {
    host.@"respond-to-request"(from(id), id.len, from(data), data.len, &ret);
    return done();
}

/// Ends a received request with `Cancelled` for its requester.
pub fn cancelRequest(id: []const u8) Error!void {
    host.@"cancel-request"(from(id), id.len, &ret);
    return done();
}

/// Waits for the target's `handle-channel-open` and answers the channel's id;
/// `Rejected` if that says no.
pub fn openChannel(target: []const u8, data: []const u8) Error![]const u8 {
    host.@"open-channel"(from(target), target.len, from(data), data.len, &ret);
    return doneBytes();
}

/// Sends on a channel, in order; may wait for the other end's credit.
pub fn sendOnChannel(id: []const u8, data: []const u8) Error!void {
    host.@"send-on-channel"(from(id), id.len, from(data), data.len, &ret);
    return done();
}

/// Closes a channel; what was sent before still arrives.
pub fn closeChannel(id: []const u8) Error!void {
    host.@"close-channel"(from(id), id.len, &ret);
    return done();
}

/// The channel whose open, message or close is being handled. What is sent on
/// it in `handleChannelOpen` follows the acceptance.
pub fn currentChannel() ?[]const u8 {
    host.@"current-channel"(&ret);
    return some();
}

/// In `handleChannelClose`: why; null for a plain close.
pub fn closeReason() ?Error {
    host.@"close-reason"(&ret);
    return if (ret.tag == 0) null else failed();
}

/// Who sent what is being handled, stamped by the router; null in `run`.
pub fn sender() ?[]const u8 {
    host.sender(&ret);
    return some();
}

// ---- the runtime -----------------------------------------------------------

pub const Level = enum(u32) { err, warn, info, debug, trace };

/// One line under the actor's name; cut at 8 KiB.
pub fn log(level: Level, text: []const u8) void {
    host.log(@backingInt(level), from(text), text.len);
}

/// `log` with `Level.info`, formatted as by `std.fmt`.
pub fn info(comptime format: []const u8, args: anytype) void {
    line(.info, format, args);
}

/// `log` with `Level.err`, formatted as by `std.fmt`.
pub fn err(comptime format: []const u8, args: anytype) void {
    line(.err, format, args);
}

fn line(level: Level, comptime format: []const u8, args: anytype) void {
    const before = mark();
    log(level, print(format, args));
    release(before);
}

/// Text in scratch memory, put together as by `std.fmt`.
pub fn print(comptime format: []const u8, args: anytype) []const u8 {
    return std.fmt.allocPrint(scratch, format, args) catch unreachable;
}

/// The actor's own name.
pub fn selfName() []const u8 {
    host.@"self-name"(&list);
    return bytesAt(list.at, list.len);
}

/// What the manifest's `initial_state`, or the system file's, says.
pub fn initialState() ?[]const u8 {
    host.@"initial-state"(&ret);
    return some();
}

/// Milliseconds since an arbitrary point; never goes back.
pub fn nowMs() u64 {
    return host.@"now-ms"();
}

/// Lets others run; comes back after at least `ms`, or when this actor is asked
/// to stop.
pub fn sleepMs(ms: u32) void {
    host.@"sleep-ms"(ms);
}

/// Ends the actor once the running handler has returned.
pub fn stop(reason: []const u8) void {
    host.stop(from(reason), reason.len);
}

// ---- the exports -----------------------------------------------------------

/// Logs the text and ends the actor: `pub const panic = theater.panic;` in the
/// root file.
pub const panic = std.debug.FullPanic(struct {
    fn f(text: []const u8, _: ?usize) noreturn {
        log(.err, text);
        @trap();
    }
}.f);

const Reply = extern struct { tag: u8, data: View };
var answer: Reply = undefined;

/// Exports those handlers that `root` has.
pub fn exportActor(comptime root: type) void {
    @export(&realloc, .{ .name = "cabi_realloc" });
    @export(&where, .{ .name = "theater_arena" });
    const handlers = Handlers(root);
    if (@hasDecl(root, "run")) @export(&handlers.run, .{ .name = "run" });
    if (@hasDecl(root, "handleSend")) @export(&handlers.send, .{ .name = "handle-send" });
    if (@hasDecl(root, "handleRequest")) {
        @export(&handlers.request, .{ .name = "handle-request" });
        @export(&handlers.answered, .{ .name = "cabi_post_handle-request" });
    }
    if (@hasDecl(root, "handleChannelOpen")) @export(&handlers.open, .{ .name = "handle-channel-open" });
    if (@hasDecl(root, "handleChannelMessage")) @export(&handlers.message, .{ .name = "handle-channel-message" });
    if (@hasDecl(root, "handleChannelClose")) @export(&handlers.close, .{ .name = "handle-channel-close" });
    if (@hasDecl(root, "handleStop")) @export(&handlers.stop, .{ .name = "handle-stop" });
}

fn Handlers(comptime root: type) type {
    return struct {
        fn run() callconv(.c) void {
            root.run();
            reset();
        }
        fn send(at: usize, len: usize) callconv(.c) void {
            root.handleSend(bytesAt(at, len));
            reset();
        }
        fn request(at: usize, len: usize) callconv(.c) *const Reply {
            const data, answer.tag = switch (root.handleRequest(bytesAt(at, len))) {
                .reply => |data| .{ data, 0 },
                .fail => |text| .{ text, 1 },
            };
            answer.data = .{ .at = @intFromPtr(from(data)), .len = data.len };
            return &answer;
        }
        fn answered(_: *const Reply) callconv(.c) void {
            reset();
        }
        fn open(who: usize, who_len: usize, at: usize, len: usize) callconv(.c) u32 {
            const accepted: bool = root.handleChannelOpen(bytesAt(who, who_len), bytesAt(at, len));
            reset();
            return @intFromBool(accepted);
        }
        fn message(id: usize, id_len: usize, at: usize, len: usize) callconv(.c) void {
            root.handleChannelMessage(bytesAt(id, id_len), bytesAt(at, len));
            reset();
        }
        fn close(id: usize, id_len: usize) callconv(.c) void {
            root.handleChannelClose(bytesAt(id, id_len));
            reset();
        }
        fn stop(at: usize, len: usize) callconv(.c) void {
            root.handleStop(bytesAt(at, len));
            reset();
        }
    };
}
