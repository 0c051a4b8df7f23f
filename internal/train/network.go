package train

import (
	"fmt"
	"math"
)

// wires are the links of a plan at what they reach, bytes a second of one device in one direction.
type wires struct {
	fabric *Fabric
	domain float64 // devices that the fast link joins
	link   float64
	net    float64 // 0 where nothing joins machines
}

// slot is what a slot for cards carries where no link joins devices (PCIe 4, 16 lanes).
const slot = 25e9

// wired takes what nobody said of a fabric from the card: eight devices in a machine, and 400 Gbit/s for each.
func wired(p *Plan, link, net float64) wires {
	f := p.Fabric
	if f == nil {
		f = &Fabric{Node: max(1, p.GPU.MaxPerNode), DomainB: p.GPU.LinkGBs * 1e9, Link: p.GPU.Link, Net: 50e9, Latency: 5e-6, Kind: "InfiniBand"}
		f.Domain = max(f.Node, p.GPU.Joined)
	}
	fast := f.DomainB
	if fast <= 0 {
		fast = slot
	}
	return wires{f, float64(max(1, f.Domain)), fast * link, f.Net * net}
}

// group is ranks that exchange something: n of them, each stride devices from the next.
type group struct{ n, stride float64 }

// inside is how many ranks of a group the fast link joins.
func (w *wires) inside(g group) float64 {
	return max(1, min(g.n, math.Floor(w.domain/max(1, g.stride))))
}

// across reports whether a group leaves the fast link.
func (w *wires) across(g group) bool { return g.n > 1 && w.inside(g) < g.n }

// name is the link that a group waits for.
func (w *wires) name(g group) string {
	if w.across(g) {
		return named(w.fabric.Kind, "network")
	}
	return named(w.fabric.Link, "pcie")
}

func named(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// ring is the time of gathering or of reducing bytes over a group. Between machines every rank of one uses its own rail,
// so that a ring is as fast as all rails of its ranks in a machine together, and never faster than the link.
func (w *wires) ring(bytes float64, g group) float64 {
	if g.n <= 1 || bytes <= 0 {
		return 0
	}
	rate := w.link
	wait := 0.0
	if w.across(g) {
		rate = min(w.link, w.inside(g)*w.net)
		wait = w.fabric.Latency * math.Log2(g.n)
	}
	return bytes*(g.n-1)/g.n/rate + wait
}

// all is the time in which every rank sends a part of its bytes to every other: what stays in the domain by the link, the
// rest by the rail of the device. A token goes once to each machine that holds an expert for it.
func (w *wires) all(tokens, each, picks float64, g group) (seconds, bytes float64) {
	if g.n <= 1 || tokens <= 0 {
		return 0, 0
	}
	near := w.inside(g)
	domains := g.n / near
	inside := tokens * picks * each * (near - 1) / g.n
	seconds, bytes = inside/w.link, inside
	if domains > 1 {
		touched := domains * (1 - math.Pow(1-1/domains, picks)) * (domains - 1) / domains
		out := tokens * each * touched
		seconds = max(seconds+(tokens*picks*each-inside)*(near-1)/near/w.link/2, out/w.net) + w.fabric.Latency*math.Log2(domains)
		bytes += out
	}
	return seconds, bytes
}

// send is the time of bytes from one stage to the next.
func (w *wires) send(bytes, stride float64) float64 {
	if stride >= w.domain {
		return bytes/w.net + w.fabric.Latency
	}
	return bytes / w.link
}

// exchange is one kind of traffic of a step before it is told.
type exchange struct {
	cause   Cause
	what    string
	group   group
	at      int     // the part of a step
	hide    float64 // share that may pass behind products
	bytes   float64 // of a step
	seconds float64 // of a step, if nothing was hidden
	waits   float64 // of a step, what is not hidden
}

func (e *exchange) traffic(w *wires) Traffic {
	hidden := 0.0
	if e.seconds > 0 {
		hidden = max(0, 1-e.waits/e.seconds)
	}
	return Traffic{What: e.what, Link: w.name(e.group), Bytes: e.bytes, Seconds: e.seconds, Hidden: hidden}
}

// joined refuses a plan whose ranks nothing joins.
func (w *wires) joined(p *Plan) error {
	if float64(p.GPUs) > w.domain && w.fabric.Net <= 0 {
		return fmt.Errorf("%w: %d devices are in more than one machine, and no network joins them: name one with --fabric or --network", ErrIllegal, p.GPUs)
	}
	return nil
}
