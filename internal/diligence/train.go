package diligence

import (
	"fmt"
	"time"

	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/train"
)

// TrainingQuestion asks what training a model takes. Zero values are what nobody said.
type TrainingQuestion struct {
	Ref    model.Ref // of a model that exists; the zero value where Params or Layers describe one that does not
	Params int64     // of a model that does not exist yet
	Active int64     // of those, what a token is multiplied with; 0 is all
	Layers int64     // with Hidden: the shape by hand
	Hidden int64
	Vocab  int64

	Cards []string   // the first is planned for; others are compared. Empty is the usual one of the method
	Job   train.Job  // its shapes are filled from Ref and the models below
	Plan  train.Plan // its GPU and Fabric are filled from Cards and Fabric
	Auto  bool       // look for the number of devices, unless the plan has it, and for their division
	Most  int        // devices that are looked at; 0 is no limit of the question's

	Deadline time.Duration // with Auto: the run has to be done by then
	Fabric   string        // id of a fabric of the catalog
	Node     int           // devices of one machine, where they differ from the fabric
	NetGbit  float64       // of one device out of its machine, gigabits a second
	Failing  time.Duration // mean time between failures of one device; 0 is the usual one

	Reference, Reward, Critic model.Ref // models beside the policy; zero values are of its size
	Have                      float64   // tokens of data at hand
	Epochs                    float64   // over them
	Compare                   []string  // cards that the same work is shown on
	Money                     Money
	Assumed                   []train.Setting // what the question itself took for granted
	Explain                   bool
}

// check refuses numbers that nothing can be computed from, and a question about no model.
func (q *TrainingQuestion) check() error {
	for _, n := range []struct {
		what string
		is   int64
	}{
		{"parameters", q.Params},
		{"active parameters", q.Active},
		{"layers", q.Layers},
		{"width", q.Hidden},
		{"vocabulary", q.Vocab},
		{"most devices", int64(q.Most)},
		{"devices of a machine", int64(q.Node)},
		{"deadline", int64(q.Deadline)},
		{"time between failures", int64(q.Failing)},
	} {
		if n.is < 0 {
			return fmt.Errorf("reading the question: %s is %d: want none or more: %w", n.what, n.is, ErrNumber)
		}
	}
	for _, x := range []struct {
		what string
		is   float64
	}{
		{"Gbit/s of the network", q.NetGbit},
		{"tokens at hand", q.Have},
		{"epochs", q.Epochs},
		{"tokens", q.Job.Tokens},
		{"seconds between failures", q.Job.Failing},
		{"the share that is no padding", q.Job.Fill},
	} {
		if !(x.is >= 0 && x.is <= largest) || x.is > 0 && x.is < least {
			return fmt.Errorf("reading the question: %s is %g: want none, or a number from %g to %g: %w", x.what, x.is, least, largest, ErrNumber)
		}
	}
	if q.Ref == (model.Ref{}) && q.Params == 0 && q.Layers == 0 && q.Hidden == 0 {
		return fmt.Errorf("%w: no model is named, and none is described", train.ErrIllegal)
	}
	return nil
}

// largest is more than any number of a question can mean.
const largest = 1e18
