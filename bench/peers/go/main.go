// SPDX-License-Identifier: Apache-2.0

// The workloads of `theater bench` between goroutines: an actor is a goroutine
// with a channel of 100 messages, each of 64 bytes, copied. bench/peers/README.md
// says what is measured. Usage: bench WORKLOAD N SECONDS
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	capacity = 100
	every    = 64   // messages between two times that a count is told
	looks    = 1024 // messages between two looks at the clock
	sampled  = 8    // one request in so many is timed
)

type message [64]byte

func (m *message) stamp(seq uint64) { binary.LittleEndian.PutUint64(m[:], seq) }
func (m *message) seq() uint64      { return binary.LittleEndian.Uint64(m[:]) }

// A count that its actor tells now and then, on a cache line of its own.
type count struct {
	told uint64
	_    [56]byte
}

func (c *count) tell(n uint64) { atomic.StoreUint64(&c.told, n) }

type result struct {
	rate      float64
	latencies []int64
	lost      int64
}

var stop uint32

func stopped() bool { return atomic.LoadUint32(&stop) != 0 }

// The window, and what is counted in it. Who sleeps runs again when its turn
// comes, behind all that can run; a pair that talks keeps its thread for 10 ms,
// so among 10,000 pairs that is a minute. Therefore those that run look at the
// clock: the first that finds the window open, or over, reads the counts.
type meter struct {
	counts []count
	window time.Duration
	start  chan struct{} // closed when all actors are there
	rate   chan float64
	zero   time.Time     // when start was closed
	due    int64         // nanoseconds from then: the next reading
	busy   uint32        // 1: somebody reads; guards what follows
	opened time.Duration // 0: not yet
	before uint64
}

func newMeter(counts int, window time.Duration) *meter {
	return &meter{counts: make([]count, counts), window: window,
		start: make(chan struct{}), rate: make(chan float64, 1)}
}

func (m *meter) total() (sum uint64) {
	for i := range m.counts {
		sum += atomic.LoadUint64(&m.counts[i].told)
	}
	return sum
}

func (m *meter) isDue() (now time.Duration, due bool) {
	now = time.Since(m.zero)
	return now, int64(now) >= atomic.LoadInt64(&m.due)
}

func (m *meter) look() {
	if _, due := m.isDue(); !due || !atomic.CompareAndSwapUint32(&m.busy, 0, 1) {
		return
	}
	now, due := m.isDue() // another may have read meanwhile
	switch {
	case !due:
	case m.opened == 0:
		m.opened, m.before = now, m.total()
		atomic.StoreInt64(&m.due, int64(now+m.window))
	default:
		grown := m.total() - m.before
		m.rate <- float64(grown) / (now - m.opened).Seconds()
		atomic.StoreUint32(&stop, 1)
		return
	}
	atomic.StoreUint32(&m.busy, 0)
}

// Lets the actors begin. What the counts grew by in the window, a second; then
// all are to stop.
func (m *meter) measure() float64 {
	m.due = int64(m.window / 5)
	m.zero = time.Now()
	close(m.start)
	return <-m.rate
}

func send(start <-chan struct{}, to chan<- message, sent chan<- uint64) {
	<-start
	var m message
	var seq uint64
	for ; !stopped(); seq++ {
		m.stamp(seq)
		to <- m
	}
	sent <- seq
}

func receive(from <-chan message, ordered bool, meter *meter, c *count,
	received chan<- uint64) {
	var n uint64
	for m := range from {
		if ordered && m.seq() != n {
			fmt.Fprintln(os.Stderr, "bench: out of order")
			os.Exit(1)
		}
		if n++; n%every == 0 {
			if c.tell(n); n%looks == 0 {
				meter.look()
			}
		}
	}
	received <- n
}

// n senders, each to a receiver of its own, or all to one.
func oneWay(n, receivers int, window time.Duration) result {
	meter := newMeter(receivers, window)
	sent, received := make(chan uint64), make(chan uint64)
	boxes := make([]chan message, receivers)
	for i := range boxes {
		boxes[i] = make(chan message, capacity)
		go receive(boxes[i], n == receivers, meter, &meter.counts[i], received)
	}
	for i := 0; i < n; i++ {
		go send(meter.start, boxes[i%receivers], sent)
	}
	r := result{rate: meter.measure()}
	for i := 0; i < n; i++ {
		r.lost += int64(<-sent)
	}
	for _, box := range boxes {
		close(box)
	}
	for range boxes {
		r.lost -= int64(<-received)
	}
	return r
}

// n goroutines in a circle hand one message on; the rate is of laps.
func ring(n int, window time.Duration) result {
	meter := newMeter(1, window)
	boxes := make([]chan message, n)
	for i := range boxes {
		boxes[i] = make(chan message, capacity)
	}
	for i := 1; i < n; i++ {
		go func(in <-chan message, out chan<- message) {
			for m := range in {
				m.stamp(m.seq() + 1)
				out <- m
			}
			close(out)
		}(boxes[i], boxes[(i+1)%n])
	}
	lost := make(chan int64)
	go func() {
		var m message
		var laps uint64
		step := uint64(looks/n + 1)
		<-meter.start
		for ; !stopped(); laps++ {
			m.stamp(m.seq() + 1)
			boxes[1] <- m
			m = <-boxes[0]
			if laps%step == 0 {
				meter.counts[0].tell(laps)
				meter.look()
			}
		}
		close(boxes[1])
		lost <- int64(laps)*int64(n) - int64(m.seq())
	}()
	return result{rate: meter.measure(), lost: <-lost}
}

type question struct {
	data   message
	answer chan<- message
}

func responder(from <-chan question) {
	for q := range from {
		q.answer <- q.data
	}
}

func requests(n int, window time.Duration) result {
	meter := newMeter(n, window)
	type share struct {
		latencies []int64
		lost      int64
	}
	shares := make(chan share)
	begin, end := window/5, window/5+window
	for i := 0; i < n; i++ {
		box := make(chan question, capacity)
		go responder(box)
		go func(c *count) {
			var own share
			answer := make(chan message, 1)
			q := question{answer: answer}
			<-meter.start
			for seq := uint64(0); !stopped(); seq++ {
				q.data.stamp(seq)
				timed := seq%sampled == 0
				var asked time.Duration
				if timed {
					asked = time.Since(meter.zero)
				}
				box <- q
				m := <-answer
				if m.seq() != seq {
					own.lost++
				}
				if timed {
					c.tell(seq)
					if begin <= asked && asked < end {
						own.latencies = append(own.latencies,
							int64(time.Since(meter.zero)-asked))
					}
				}
				if seq%every == 0 {
					meter.look()
				}
			}
			close(box)
			shares <- own
		}(&meter.counts[i])
	}
	r := result{rate: meter.measure()}
	for i := 0; i < n; i++ {
		own := <-shares
		r.lost += own.lost
		r.latencies = append(r.latencies, own.latencies...)
	}
	return r
}

// Two spawners make n actors, each of which answers its first message.
func crowd(n int) (boxes []chan question, lost int64) {
	const spawners = 2
	boxes = make([]chan question, n)
	answered := make(chan int)
	for s := 0; s < spawners; s++ {
		go func(mine []chan question) {
			answers := make(chan message, len(mine))
			for i := range mine {
				mine[i] = make(chan question, capacity)
				go responder(mine[i])
				mine[i] <- question{answer: answers}
			}
			for range mine {
				<-answers
			}
			answered <- len(mine)
		}(boxes[n*s/spawners : n*(s+1)/spawners])
	}
	lost = int64(n)
	for s := 0; s < spawners; s++ {
		lost -= int64(<-answered)
	}
	return boxes, lost
}

func dismiss(boxes []chan question) {
	for _, box := range boxes {
		close(box)
	}
}

func spawn(n int, window time.Duration) (r result) {
	boxes, lost := crowd(n)
	dismiss(boxes)
	r.lost = lost
	var made int
	var spent time.Duration
	for spent < window {
		begin := time.Now()
		boxes, lost = crowd(n)
		spent += time.Since(begin)
		made += n
		r.lost += lost
		dismiss(boxes)
	}
	r.rate = float64(made) / spent.Seconds()
	return r
}

func resident() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		panic(err)
	}
	return pages * int64(os.Getpagesize())
}

// Bytes of memory that an idle actor takes.
func memory(n int) result {
	runtime.GC()
	before := resident()
	boxes, lost := crowd(n)
	time.Sleep(300 * time.Millisecond)
	r := result{rate: float64(resident()-before) / float64(n), lost: lost}
	dismiss(boxes)
	return r
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: bench WORKLOAD N SECONDS")
		os.Exit(2)
	}
	n, err := strconv.Atoi(os.Args[2])
	seconds, err2 := strconv.ParseFloat(os.Args[3], 64)
	if err != nil || err2 != nil || n < 1 || seconds <= 0 {
		fmt.Fprintln(os.Stderr, "bench: N and SECONDS are numbers above 0")
		os.Exit(2)
	}
	window := time.Duration(seconds * float64(time.Second))
	var r result
	switch os.Args[1] {
	case "pairs":
		r = oneWay(n, n, window)
	case "flood":
		r = oneWay(n, 1, window)
	case "ping-pong":
		r = ring(2, window)
	case "ring":
		r = ring(n, window)
		r.rate *= float64(n)
	case "request":
		r = requests(n, window)
	case "spawn":
		r = spawn(n, window)
	case "memory":
		r = memory(n)
	default:
		fmt.Fprintln(os.Stderr, "bench: no workload", os.Args[1])
		os.Exit(2)
	}
	fmt.Printf("%.0f", r.rate)
	if l := r.latencies; len(l) > 0 {
		sort.Slice(l, func(i, j int) bool { return l[i] < l[j] })
		for _, share := range []float64{0.5, 0.99, 0.999} {
			fmt.Printf(" %d", l[int(share*float64(len(l)-1))])
		}
	}
	fmt.Println("", r.lost)
	if r.lost != 0 {
		os.Exit(1)
	}
}
