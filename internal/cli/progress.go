package cli

import (
	"fmt"
	"sync"
	"time"

	"github.com/llmcheck/llmcheck/internal/fetch"
	"github.com/llmcheck/llmcheck/internal/printable"
)

// progress tells on stderr what a command that takes over a second is doing. On a terminal it is one line that is
// wiped; elsewhere it is a line now and then, without control characters.
type progress struct {
	app   *App
	total int

	mu      sync.Mutex
	ready   int
	last    string
	printed bool
	stopped bool
	ticker  *time.Ticker
	quit    chan struct{}
}

// patience is how long a command may be silent.
const patience = time.Second

// rare is how often a log hears about progress.
const rare = 10 * time.Second

func (a *App) progress(total int) *progress {
	p := &progress{app: a, total: total, quit: make(chan struct{})}
	every := rare
	if a.ErrTTY {
		every = patience
	}
	p.ticker = time.NewTicker(every)
	go p.run()
	return p
}

func (p *progress) run() {
	first := time.NewTimer(patience)
	defer first.Stop()
	for {
		select {
		case <-first.C:
			p.print()
		case <-p.ticker.C:
			p.print()
		case <-p.quit:
			return
		}
	}
}

func (p *progress) print() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return
	}
	line := fmt.Sprintf("llmcheck: %d of %d read", p.ready, p.total)
	if p.last != "" {
		line += "; " + p.last
	}
	line = printable.Line(line)
	if p.app.ErrTTY {
		if r := []rune(line); len(r) > p.app.Width-1 {
			line = string(r[:p.app.Width-1])
		}
		fmt.Fprint(p.app.Err, "\r\x1b[K"+line)
		p.printed = true
		return
	}
	fmt.Fprintln(p.app.Err, line)
}

// done counts an answer.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready++
}

// hear takes note of what the network is doing; waits and notes are told at once.
func (p *progress) hear(e fetch.Event) {
	p.mu.Lock()
	p.last = e.Text
	p.mu.Unlock()
	if e.Kind == fetch.Waiting {
		p.print()
	}
}

// stop ends the telling and wipes the line.
func (p *progress) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return
	}
	p.stopped = true
	p.ticker.Stop()
	close(p.quit)
	if p.printed {
		fmt.Fprint(p.app.Err, "\r\x1b[K")
	}
}
