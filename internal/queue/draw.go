package queue

import "math"

// lengths draws how long prompts or answers are.
type lengths struct {
	mu, sigma float64 // of the logarithm
	fixed     int64   // 0 where lengths differ
}

func lengthsOf(l Length) lengths {
	if l.Spread == 0 {
		return lengths{fixed: max(1, int64(math.Round(l.Mean)))}
	}
	// A log-normal variable of mean m and coefficient of variation c has variance ln(1+c^2) in its logarithm.
	v := math.Log1p(l.Spread * l.Spread)
	return lengths{mu: math.Log(l.Mean) - v/2, sigma: math.Sqrt(v)}
}

func (d lengths) draw(r Chance) int64 {
	if d.fixed > 0 {
		return d.fixed
	}
	return int64(min(max(math.Round(math.Exp(d.mu+d.sigma*r.NormFloat64())), 1), mostTokens))
}

// below is the mean of lengths that are cut to the most given.
func (l Length) below(most float64) float64 {
	if l.Spread == 0 {
		return min(l.Mean, most)
	}
	d := lengthsOf(l)
	u := (math.Log(most) - d.mu) / d.sigma
	return l.Mean*normal(u-d.sigma) + most*normal(-u)
}

// normal is the chance that a standard normal variable is below u.
func normal(u float64) float64 { return math.Erfc(-u/math.Sqrt2) / 2 }

// gamma draws the time between arrivals, of mean 1 and the coefficient of variation given.
func gamma(r Chance, burst float64) float64 {
	switch burst {
	case 0:
		return 1
	case 1:
		return r.ExpFloat64()
	}
	shape := 1 / (burst * burst)
	if shape >= 1 {
		return gammaFrom(r, shape) / shape
	}
	// A variable of shape k is one of shape k+1 times a uniform one to the power of 1/k.
	return gammaFrom(r, shape+1) * math.Pow(r.Float64(), 1/shape) / shape
}

// gammaFrom is the method of Marsaglia and Tsang (2000) for shapes of at least 1. It accepts nineteen of twenty tries;
// the bound keeps a source that is none from playing forever.
func gammaFrom(r Chance, shape float64) float64 {
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for range 1000 {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v = v * v * v
		if math.Log(1-r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
	return shape
}

// TokensPerStep is how many tokens one step of decoding yields in the mean: the accepted drafts, which end at the first
// that is wrong, and the one that the model adds itself: 1 + a + a^2 + ... + a^k.
func TokensPerStep(drafts int, accepted float64) float64 {
	if drafts <= 0 || !(accepted > 0) {
		return 1
	}
	return (1 - math.Pow(accepted, float64(drafts)+1)) / (1 - accepted)
}

// stepper draws how many steps of decoding an answer takes.
type stepper struct {
	gain, spread float64 // tokens of a step: mean, and standard deviation over sqrt(mean^3)
	most         float64
}

func stepperOf(s Server) stepper {
	g := TokensPerStep(s.Drafts, s.Accepted)
	var second, chance float64 = 0, 1 // of the square: the sum over j of (2j+1) times the chance of more than j tokens
	for j := range s.Drafts + 1 {
		second += (2*float64(j) + 1) * chance
		chance *= s.Accepted
	}
	return stepper{gain: g, spread: math.Sqrt(max(0, second-g*g) / (g * g * g)), most: float64(s.Drafts) + 1}
}

// draw says how many steps yield so many tokens. Renewal theory: the count is nearly normal, with mean n/g and variance
// n v/g^3.
func (d stepper) draw(r Chance, tokens int64) int64 {
	if d.gain == 1 || tokens <= 0 {
		return max(0, tokens)
	}
	n := float64(tokens)
	steps := math.Round(n/d.gain + d.spread*math.Sqrt(n)*r.NormFloat64())
	return int64(min(max(steps, math.Ceil(n/d.most)), n))
}
