package train

// bubbles is how long stages wait in a step, counted in the time that one takes for one micro-batch: p-1 of them come
// and go while the pipeline fills and empties. Chunks fill it sooner, and gradients of weights, which nobody waits for,
// fill a part of what is left (Narayanan and others 2021; Qi and others 2023: a third of the passes of 1F1B stay).
func (p *Plan) bubbles() float64 {
	idle := float64(max(1, p.Pipeline) - 1)
	switch p.Schedule {
	case ZeroBubble:
		return idle / 3
	case OneFOneB, Interleaved:
	}
	return idle / float64(max(1, p.Virtual))
}

// BubbleShare is the share of a step in which a stage waits for others: (p-1)/(m+p-1) for 1F1B.
func (p *Plan) BubbleShare(j *Job) float64 {
	b := p.bubbles()
	return b / (float64(p.Micros(j)) + b)
}
