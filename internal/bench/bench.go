// Package bench knows measurements of speed that somebody published or made: what was run, on what, and how fast it was.
// Read reads what benchmark programs write; Nearest finds what was measured close to a question; Narrow narrows a range by
// the user's own measurements.
package bench

import (
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/evidence"
)

// Metric is what was measured. Rates are tokens a second, times are seconds.
type Metric string

// The metrics.
const (
	Decode      Metric = "decode"       // tokens of the answer of one request alone, a second
	Prefill     Metric = "prefill"      // tokens of the prompt of one request alone, a second
	MaxOutput   Metric = "max_output"   // tokens of all answers under unlimited load, a second, of all devices
	Output      Metric = "output"       // tokens of all answers at the concurrency or rate given, a second, of all devices
	TTFT        Metric = "ttft"         // seconds from sending a request to its first token, mean or median
	TPOT        Metric = "tpot"         // seconds between tokens of one answer after the first, mean or median
	WithPrompt  Metric = "with_prompt"  // tokens of prompt and answer over the whole time of one request alone, a second
	UnderLimits Metric = "under_limits" // MaxOutput with limits of latency that the source names
)

// Measurement is one figure with what it was measured on.
type Measurement struct {
	ID                             string // file of the catalog and what is unique in it: "gpt-fast/3"
	Model                          string // org/name
	Precision                      string // as --quant has it
	KV                             string // number format of the cache; "" is the engine's default
	Engine                         string // as --engine has it
	Version                        string // of the engine, as published
	GPU                            string // id of the catalog
	GPUs                           int
	Tensor, Pipeline, Expert, Data int    // 0 is not said
	Division                       string // as published: "row split", "TP4 moeTP1 EP4"

	Concurrency int     // requests at once; 0 is unlimited, see Rate
	Rate        float64 // requests a second; 0 is a closed loop
	Input       int64   // tokens of a prompt; 0 is not said
	Output      int64   // tokens of an answer; 0 is not said

	Metric Metric
	Value  float64
	Note   string
	Broken string // why the source's figure is not believed; "" for nearly all

	Own    bool // the user's
	Source evidence.Source
}

// What says in a line what was measured on, with the name of the card: "org/name in fp8 on 4 x H100 SXM, vllm 0.19.0".
func (m *Measurement) What(card string) string {
	what := m.Model + " in " + m.Precision + " on "
	if m.GPUs > 1 {
		what += strconv.Itoa(m.GPUs) + " x "
	}
	what += card
	if d := divided(m); m.GPUs > 1 && d != "undivided" {
		what += " (" + d + ")"
	}
	return what + ", " + strings.TrimSpace(m.Engine+" "+m.Version)
}
