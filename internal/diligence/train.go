package diligence

import (
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
