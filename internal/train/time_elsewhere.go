package train

import "fmt"

// elsewhere is a step of too few devices as the share that they would have of a cluster which holds the model: nobody is
// spared the network by asking for a single device that could not train the model at all.
func (c *Constants) elsewhere(j *Job, p *Plan) (*timing, error) {
	e := p.Elsewhere
	plan := e.Plan
	plan.Elsewhere = nil
	as, err := c.timing(&e.Job, &plan)
	if err != nil {
		return nil, err
	}
	as.job.Tokens = j.Tokens
	t := *as
	t.as, t.exchanges = as, append([]exchange(nil), as.exchanges...)
	t.job, t.plan = *j, *p
	t.plan.GPUs, t.job.Global = max(1, p.GPUs), max(1, j.Global)
	more := t.job.PerStep(&t.plan) / as.job.PerStep(&as.plan) * float64(as.plan.GPUs) / float64(t.plan.GPUs)
	for at := range t.parts {
		t.parts[at] *= more
	}
	for i := range t.exchanges {
		x := &t.exchanges[i]
		x.bytes, x.seconds, x.waits = x.bytes*more, x.seconds*more, x.waits*more
	}
	t.total *= more
	return &t, nil
}

// standing says where a plan is timed in truth.
func (t *timing) standing() string {
	if t.as == nil {
		return ""
	}
	o := Option{Job: t.as.job, Plan: t.as.plan}
	return fmt.Sprintf("; the model cannot be trained on %d of these devices: each is timed as one of a cluster that holds it, %s", t.plan.GPUs, o.text())
}
