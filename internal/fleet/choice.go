package fleet

import (
	"math"

	"github.com/llmcheck/llmcheck/internal/speed"
)

const million = 1e6

// priced fills in what the choice costs. A fleet is paid for while it is reserved, so the cost of a token is that of an
// hour over the tokens of the load, spare replicas and idle time included.
func (c *Choice) priced() {
	c.Busy = c.busy()
	if c.option.question.Price == nil {
		return
	}
	perHour, ok := c.option.question.Price(c.Card.ID, c.GPUs)
	if !ok || !known(perHour.Low, perHour.Mid, perHour.High) {
		return
	}
	c.Priced, c.PerHour = true, perHour
	tokens := c.tokens()
	each := func(usd, tokens float64) float64 { return usd / (tokens * 3600) * million }
	c.PerMOut = speed.Range{
		Low: each(c.PerHour.Low, tokens.High), Mid: each(c.PerHour.Mid, tokens.Mid), High: each(c.PerHour.High, tokens.Low),
	}
}

// tokens is how many tokens of answers the whole fleet gives a second. Of an open loop that is the load itself.
func (c *Choice) tokens() speed.Range {
	l := &c.option.question.Load
	if l.Rate > 0 {
		n := l.Rate * l.Output.Mean
		return speed.Range{Low: n, Mid: n, High: n}
	}
	if f := c.Figures.Output; f != nil {
		n := l.Concurrency / c.Each.Concurrency // the busiest replica has one request more than others may have
		return speed.Range{Low: n * f.Low, Mid: n * f.Mid, High: n * f.High}
	}
	return speed.Range{}
}

// busy is the share of what all replicas could do that the load takes.
func (c *Choice) busy() float64 {
	rate := c.option.question.Load.Rate
	if rate == 0 {
		rate = c.tokens().Mid / c.option.question.Load.Output.Mean
	}
	return min(1, rate/(float64(c.Replicas)*c.Figures.MaxRequests.Mid))
}

// finish fills in what only the choices that are shown have.
func (c *Choice) finish() {
	o := c.option
	c.AtMost = o.largest(c)
	c.Hoped = c.Replicas
	if c.Met == Yes {
		n, _ := o.smallest(Perhaps, o.bound(Perhaps))
		c.Hoped = n + c.Spare
	}
	if power := o.question.Power; power != nil {
		if w, ok := power(c); ok {
			c.Watts = &w
		}
	}
}

// steps halve what is left of the range in which the largest load lies, to a thousandth of it.
const steps = 10

// largest is the largest load of one replica with which a choice meets its targets as well as it does. It lies between
// its share and that of one replica less.
func (o *option) largest(c *Choice) float64 {
	low, high := c.Each.Rate, o.capacity(c.Figures, c.Met)
	closed := o.question.Load.Concurrency > 0
	if closed {
		low, high = c.Each.Concurrency, o.room
	}
	if n := c.Replicas - c.Spare; n > 1 {
		fewer := o.share(n - 1)
		high = min(high, fewer.Rate+fewer.Concurrency) // one of both is 0
	}
	for range steps {
		middle := low + (high-low)/2
		l := o.share(1)
		if closed {
			middle = math.Floor(middle)
			l.Concurrency = middle
		} else {
			l.Rate = middle
		}
		if middle <= low {
			break
		}
		if g := o.grade(o.replica(l), l); g == Yes || g == c.Met {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}
