%% SPDX-License-Identifier: Apache-2.0
%% The workloads of `theater bench` between Erlang processes. A sender has
%% credit: each hundredth message is acknowledged, so that no mailbox grows
%% beyond it. bench/peers/README.md says what is measured.
%%   erl -noinput -run bench main -extra WORKLOAD N SECONDS
%% A process that finds a message missing fails, and all with it.
-module(bench).
-export([main/0]).

-define(ACK, 100).     % messages between two acknowledgements
-define(HEAP, 2000).    % words of a receiver's heap: a burst fits into it
-define(FLOOD, 100).   % credit of a sender that is one of many to one
-define(SAMPLED, 8).   % one request in so many is timed

main() ->
    %% Loading on first use would wait for its turn behind 20,000 processes.
    ok = code:ensure_modules_loaded([counters, lists, timer, string, io_lib]),
    process_flag(priority, high),
    [Workload, Number, Time] = init:get_plain_arguments(),
    N = list_to_integer(Number),
    Seconds = number(Time),
    {Rate, Latencies, Lost} = run(Workload, N, Seconds),
    Sorted = lists:sort(Latencies),
    io:format("~b~s ~b~n", [round(Rate), percentiles(Sorted), Lost]),
    halt(min(Lost, 1)).

number(Text) ->
    case string:to_float(Text) of
        {error, no_float} -> list_to_integer(Text);
        {Float, []} -> Float
    end.

percentiles([]) -> "";
percentiles(Sorted) ->
    All = list_to_tuple(Sorted),
    [io_lib:format(" ~b", [element(1 + trunc(P * (tuple_size(All) - 1)), All)])
     || P <- [0.5, 0.99, 0.999]].

run("pairs", N, Seconds) ->
    Main = self(),
    Count = counters:new(N, [atomics]),
    Receivers = [spawn_opt(fun() -> receiver(Main, Count, I, 0) end,
                           [link, {min_heap_size, ?HEAP}])
                 || I <- lists:seq(1, N)],
    one_way(Receivers, credit(N), Count, Seconds);
run("flood", N, Seconds) ->
    Main = self(),
    Count = counters:new(1, [atomics]),
    Receiver = spawn_opt(fun() -> collector(Main, Count, N, 0) end,
                         [link, {message_queue_data, off_heap}]),
    one_way(lists:duplicate(N, Receiver), ?FLOOD, Count, Seconds);
run("ping-pong", _, Seconds) -> ring(2, 1, Seconds);
run("ring", N, Seconds) -> ring(N, N, Seconds);
run("request", N, Seconds) -> requests(N, Seconds);
run("spawn", N, Seconds) ->
    {_, Warm, Crowd} = crowd(N),
    dismiss(Crowd),
    rounds(N, Seconds * 1.0e9, 0, 0, Warm);
run("memory", N, _) ->
    erlang:garbage_collect(),
    Before = resident(),
    {_, Lost, Crowd} = crowd(N),
    timer:sleep(300),
    After = resident(),
    dismiss(Crowd),
    {(After - Before) / N, [], Lost}.

now_ns() -> erlang:monotonic_time(nanosecond).

%% 64 bytes with the number; made when it runs, since what the module carries
%% as a constant is shared when it is sent, and not copied.
payload() -> binary:copy(<<0>>, 56).

total(Count) ->
    #{size := Size} = counters:info(Count),
    lists:sum([counters:get(Count, I) || I <- lists:seq(1, Size)]).

%% What the counts grow by in the window, a second.
measure(Count, Seconds) ->
    timer:sleep(round(Seconds * 200)),
    Begin = now_ns(),
    Before = total(Count),
    timer:sleep(round(Seconds * 1000)),
    End = now_ns(),
    After = total(Count),
    (After - Before) * 1.0e9 / (End - Begin).

%% --- pairs, flood ---------------------------------------------------------
%% Credit of a sender that has a receiver of its own.
credit(N) when N < 1000 -> 500;
credit(_) -> ?ACK.

%% Only messages between the same two processes keep their order, so it is the
%% sender itself that tells its receiver of the end.
one_way(Receivers, Credit, Count, Seconds) ->
    Senders = [spawn_link(fun() -> sender(To, payload(), 0, Credit) end)
               || To <- Receivers],
    Rate = measure(Count, Seconds),
    [Sender ! stop || Sender <- Senders],
    Lost = lists:sum([receive {lost, Lost} -> Lost end
                      || _ <- lists:usort(Receivers)]),
    {Rate, [], Lost}.

sender(To, Payload, Seq, 0) ->
    receive
        ack -> sender(To, Payload, Seq, ?ACK);
        stop -> To ! {done, Seq}
    end;
sender(To, Payload, Seq, Credit) ->
    To ! {Seq, Payload, self()},
    sender(To, Payload, Seq + 1, Credit - 1).

receiver(Main, Count, I, Next) ->
    receive
        {Seq, _Payload, From} ->
            Seq = Next,
            acknowledge(Seq, From, Count, I),
            receiver(Main, Count, I, Next + 1);
        {done, Sent} -> Main ! {lost, Sent - Next}
    end.

%% The order of each sender is not looked at: only how many there were.
collector(Main, _, 0, Missing) -> Main ! {lost, Missing};
collector(Main, Count, Left, Missing) ->
    receive
        {Seq, _Payload, From} ->
            acknowledge(Seq, From, Count, 1),
            collector(Main, Count, Left, Missing - 1);
        {done, Sent} -> collector(Main, Count, Left - 1, Missing + Sent)
    end.

acknowledge(Seq, From, Count, I) when Seq rem ?ACK =:= ?ACK - 1 ->
    From ! ack,
    counters:add(Count, I, ?ACK);
acknowledge(_, _, _, _) -> ok.

%% --- ping-pong, ring ------------------------------------------------------

%% One message goes round; the rate is of laps, `Each` for one.
ring(N, Each, Seconds) ->
    Main = self(),
    Count = counters:new(1, [atomics]),
    First = spawn_link(fun() ->
        Next = lists:foldl(fun(_, To) ->
            spawn_link(fun() -> member(To) end)
        end, self(), lists:seq(2, N)),
        Next ! {1, payload()},
        first(Next, N, Count, ?ACK div N + 1, 1)
    end),
    Rate = measure(Count, Seconds),
    First ! {stop, Main},
    receive {lost, Lost} -> {Rate * Each, [], Lost} end.

member(To) ->
    receive
        {Hops, Payload} ->
            To ! {Hops + 1, Payload},
            member(To)
    end.

first(To, N, Count, Step, Lap) ->
    receive
        {stop, Main} ->
            receive {Hops, _} -> Main ! {lost, abs(N * Lap - Hops)}
            after 5000 -> Main ! {lost, 1}
            end;
        {Hops, Payload} ->
            Hops = N * Lap,
            To ! {Hops + 1, Payload},
            tell(Count, Lap, Step),
            first(To, N, Count, Step, Lap + 1)
    end.

tell(Count, Lap, Step) when Lap rem Step =:= 0 -> counters:put(Count, 1, Lap);
tell(_, _, _) -> ok.

%% --- request --------------------------------------------------------------

requests(N, Seconds) ->
    Main = self(),
    Count = counters:new(N, [atomics]),
    Begin = now_ns() + round(Seconds * 0.2e9),
    Window = {Begin, Begin + round(Seconds * 1.0e9)},
    Requesters = [spawn_link(fun() ->
        Responder = spawn_link(fun responder/0),
        requester(Main, Responder, payload(), 0, Count, I, Window, [])
    end) || I <- lists:seq(1, N)],
    Rate = measure(Count, Seconds),
    [Requester ! stop || Requester <- Requesters],
    Latencies = [receive {samples, R, Samples} -> Samples end
                 || R <- Requesters],
    {Rate, lists:append(Latencies), 0}.

responder() ->
    receive
        {From, Ref, Data} ->
            From ! {Ref, Data},
            responder()
    end.

%% The reference is made for this one request: the mailbox is looked through
%% from there on.
ask(Responder, Seq, Payload) ->
    Ref = make_ref(),
    Responder ! {self(), Ref, {Seq, Payload}},
    receive {Ref, {Answered, _}} -> Seq = Answered end.

requester(Main, Responder, Payload, Seq, Count, I, Window, Samples)
  when Seq rem ?SAMPLED =/= 0 ->
    ask(Responder, Seq, Payload),
    requester(Main, Responder, Payload, Seq + 1, Count, I, Window, Samples);
requester(Main, Responder, Payload, Seq, Count, I, {Begin, End}, Samples) ->
    receive
        stop -> Main ! {samples, self(), Samples}
    after 0 ->
        counters:put(Count, I, Seq),
        Asked = now_ns(),
        ask(Responder, Seq, Payload),
        More = case Asked >= Begin andalso Asked < End of
            true -> [now_ns() - Asked | Samples];
            false -> Samples
        end,
        requester(Main, Responder, Payload, Seq + 1, Count, I, {Begin, End},
                  More)
    end.

%% --- spawn, memory --------------------------------------------------------

%% Two spawners make N processes, each of which answers its first message.
%% Answers the time, how many did not answer, and all that live.
crowd(N) ->
    Main = self(),
    Begin = now_ns(),
    Spawners = [spawn_link(fun() -> spawner(Main, Size) end)
                || Size <- [N div 2, N - N div 2]],
    Made = [receive {made, Spawner, Actors} -> Actors end
            || Spawner <- Spawners],
    Crowd = lists:append(Made),
    {now_ns() - Begin, N - length(Crowd), Crowd}.

spawner(Main, Size) ->
    Payload = payload(),
    Self = self(),
    Actors = [begin
        Actor = spawn(fun responder/0),
        Actor ! {Self, first, {0, Payload}},
        Actor
    end || _ <- lists:seq(1, Size)],
    [receive {first, _} -> ok end || _ <- Actors],
    Main ! {made, Self, Actors}.

dismiss(Crowd) ->
    [exit(Actor, kill) || Actor <- Crowd],
    gone(Crowd).

gone([]) -> ok;
gone([Actor | More] = All) ->
    case is_process_alive(Actor) of
        true -> erlang:yield(), gone(All);
        false -> gone(More)
    end.

rounds(_, Window, Made, Spent, Lost) when Spent >= Window ->
    {Made * 1.0e9 / Spent, [], Lost};
rounds(N, Window, Made, Spent, Lost) ->
    {Time, Unanswered, Crowd} = crowd(N),
    dismiss(Crowd),
    rounds(N, Window, Made + N, Spent + Time, Lost + Unanswered).

resident() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = string:lexemes(Text, " "),
    binary_to_integer(Pages) * 4096.
