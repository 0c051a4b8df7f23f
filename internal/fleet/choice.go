package fleet

import (
	"math"

	"github.com/llmcheck/llmcheck/internal/speed"
)

const million = 1e6

// price fills in what the choice costs. A fleet is paid for while it is reserved, so the cost of a token is that of an
// hour over the tokens of the load, spare replicas and idle time included.
func (c *Choice) price() {
	c.Busy = c.busy()
	c.PerHour, c.Priced = c.option.question.price(c.Card.ID, c.GPUs)
	if !c.Priced {
		return
	}
	tokens := c.tokens()
	if !(tokens.Low > 0) {
		return
	}
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

// power fills in what the choice draws, where somebody asks.
func (c *Choice) power() {
	if power := c.option.question.Power; power != nil {
		if w, ok := power(c); ok {
			c.Watts = &w
		}
	}
}

// halvings of the range in which the largest load lies leave a thousandth of it.
const halvings = 10

// AtMost is the largest load with which one replica meets its targets as well as the choice does: requests a second, or
// requests at once where the question is of those. It lies between the share of the choice and that of one replica less.
func (c *Choice) AtMost() float64 {
	o := c.option
	closed := o.question.Load.Concurrency > 0
	low, high := c.Each.Rate, o.capacity(c.Met)
	if closed {
		low, high = c.Each.Concurrency, o.room
	}
	if n := c.Replicas - c.Spare; n > 1 {
		fewer := o.share(n - 1)
		high = min(high, fewer.Rate+fewer.Concurrency) // one of both is 0
	}
	for range halvings {
		middle := low + (high-low)/2
		l := o.question.Load
		if closed {
			middle = math.Ceil(middle)
			l.Concurrency = middle
		} else {
			l.Rate = middle
		}
		if middle <= low || closed && middle >= high && high-low < 1 {
			break
		}
		if g := o.grade(o.replica(l), l); g == Yes || g == c.Met {
			low = middle
		} else if high = middle; closed {
			high--
		}
	}
	return low
}
