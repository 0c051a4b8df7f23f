package train_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/train"
	"github.com/llmcheck/llmcheck/internal/train/catalog"
)

// judged is one measurement beside what was computed for it.
type judged struct {
	m     *catalog.Measurement
	got   train.Range
	value float64
}

func (j *judged) off() float64 { return j.got.Mid/j.value - 1 }
func (j *judged) inside() bool { return j.got.Low <= j.value && j.value <= j.got.High }

// scripted adds what the document does not say and the script that it names does.
func scripted(m *catalog.Measurement, j *train.Job, p *train.Plan) {
	table, row, _ := strings.Cut(m.ID, "/")
	switch {
	case table == "qwen-readme" && j.Method != train.Full: // finetune.py: lora_r, lora_target_modules
		j.Rank, j.Targets = 64, []string{"c_attn", "c_proj", "w1", "w2", "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
	case table == "megatron-lm-golden-values": // no --sequence-parallel
		p.NoSequence = true
	case table == "litgpt-resource-tables" && p.Zero == 3: // finetune/lora.py: activation_checkpointing_policy
		j.Recompute = train.Whole
	case table == "torchtitan-h100" && m.Micro == 32: // job_config.py of 2024: as many passes as stages
		p.Micro, j.Global = 4, 256
		if p.Schedule == train.Interleaved { // schedule_interleaved_1f1b has two stages a rank
			p.Virtual = 2
		}
	case table == "torchtune-readme": // its configurations: batch_size, gradient_accumulation_steps, compile
		p.Micro, j.Sequence = 2, 2048
		if j.InBackward {
			j.Global = 2
		}
		if j.InBackward && row == "3" { // pages of the optimizer leave a card of 24 GB
			j.Offload = train.OffOptimizer
		}
	}
}

// account computes the memory of every measurement of it. Blind is with what a table's columns say.
func account(t *testing.T, blind bool) []judged {
	t.Helper()
	all, err := catalog.All()
	if err != nil {
		t.Fatal(err)
	}
	var out []judged
	for i := range all {
		m := &all[i]
		if m.Metric.Kind() != catalog.Memory || blind && m.Metric != catalog.Peak {
			continue
		}
		j, p, err := m.Question(blind)
		if err != nil {
			continue // of nothing that is computed
		}
		if !blind {
			scripted(m, &j, &p)
		}
		j, p, _, err = train.Complete(j, p)
		if err != nil {
			t.Logf("%s: %v", m.ID, err)
			continue
		}
		memory, err := train.Account(&j, &p)
		if err != nil {
			t.Errorf("%s: %v", m.ID, err)
			continue
		}
		got, ok := m.Computed(&p, memory, nil)
		if !ok {
			continue
		}
		if testing.Verbose() {
			show(t, m, &j, &p, memory, got)
		}
		out = append(out, judged{m, got, m.Value})
	}
	return out
}

func show(t *testing.T, m *catalog.Measurement, j *train.Job, p *train.Plan, memory *train.Memory, got train.Range) {
	t.Helper()
	t.Logf("%-30s %-14s %-12s seq %d micro %d zero %d tp %d pp %d v%d %s %s %s", m.ID, m.Model, m.Method, j.Sequence, p.Micro, p.Zero, p.Tensor,
		p.Pipeline, p.Virtual, j.Framework, j.Recompute, j.Loss)
	t.Logf("      got %.1f (%.1f to %.1f) want %.1f GB: %+.0f %%", got.Mid/1e9, got.Low/1e9, got.High/1e9, m.Value/1e9, 100*(got.Mid/m.Value-1))
	for _, x := range memory.Terms {
		t.Logf("          %6.2f  %s: %s", x.Bytes.Mid/1e9, x.Name, x.Formula)
	}
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// figures are what a set of measurements says of the account.
type figures struct {
	rows                  int
	median, under, inside float64
}

func summed(rows []judged, in func(*judged) bool) figures {
	var off []float64
	var f figures
	for i := range rows {
		r := &rows[i]
		if !in(r) {
			continue
		}
		off = append(off, math.Abs(r.off()))
		if r.off() < 0 {
			f.under++
		}
		if r.inside() {
			f.inside++
		}
	}
	f.rows = len(off)
	f.median, f.under, f.inside = 100*median(off), 100*f.under/float64(f.rows), 100*f.inside/float64(f.rows)
	return f
}

func (j *judged) source() string { table, _, _ := strings.Cut(j.m.ID, "/"); return table }

func report(t *testing.T, rows []judged) figures {
	t.Helper()
	log := func(name string, f figures) {
		t.Logf("%-26s %3d rows: median %5.1f %%, under-estimated %3.0f %%, inside %3.0f %%", name, f.rows, f.median, f.under, f.inside)
	}
	var sources []string
	for i := range rows {
		if s := rows[i].source(); !slices.Contains(sources, s) {
			sources = append(sources, s)
		}
	}
	for _, s := range sources {
		log(s, summed(rows, func(j *judged) bool { return j.source() == s }))
	}
	all := summed(rows, func(*judged) bool { return true })
	log("all", all)
	t.Logf("median with a factor from the other sources: %.1f %%", leftOut(rows))
	return all
}

// The constants were set with these rows in sight, so the bounds keep what was reached and prove nothing of other rows.
func TestMeasured(t *testing.T) {
	told := report(t, account(t, false))
	if told.rows < 40 || told.median > 9 || told.under > 12 || told.inside < 75 {
		t.Errorf("with all that is known of a run: %+v", told)
	}
}

// A caller who has the columns of a table alone knows neither what else was trained nor what was offloaded.
func TestMeasuredBlind(t *testing.T) {
	if blind := report(t, account(t, true)); blind.rows < 40 || blind.median > 13 || blind.under > 36 || blind.inside < 75 {
		t.Errorf("with the columns of a table: %+v", blind)
	}
}

// leftOut judges each source with the factor that fits all others best: how much of the figures is owed to their own rows.
func leftOut(rows []judged) float64 {
	var off []float64
	for i := range rows {
		var ratios []float64
		for k := range rows {
			if rows[k].source() != rows[i].source() {
				ratios = append(ratios, rows[k].value/rows[k].got.Mid)
			}
		}
		off = append(off, math.Abs(rows[i].got.Mid*median(ratios)/rows[i].value-1))
	}
	return 100 * median(off)
}
