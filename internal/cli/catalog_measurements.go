package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/llmcheck/llmcheck/internal/bench"
	"github.com/llmcheck/llmcheck/internal/printable"
)

// measureFilter says which measurements are listed.
type measureFilter struct {
	model, gpu, engine, metric, format string
	own                                bool
}

func newCatalogMeasurements(g *global) *cobra.Command {
	var f measureFilter
	cmd := &cobra.Command{
		Use:   "measurements",
		Short: "List the measurements of speed that others published, and your own",
		Long: `measurements lists what somebody measured: model, number format of the weights, engine, cards and how the model is divided
among them, tokens of prompt and answer, load, what was measured, its value, and where a person can find it. Your own, which
llmcheck calibrate keeps, come first. A figure that is not believed is listed with the reason, and no answer counts it.`,
		Example: "  llmcheck catalog measurements --gpu H100-SXM --metric ttft\n" +
			"  llmcheck catalog measurements --model qwen3-32b --engine vllm --format json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return usage(err, "")
			}
			c, err := g.chosen(cmd)
			if err != nil {
				return err
			}
			list, err := f.apply(c)
			if err != nil {
				return err
			}
			if f.format == "json" {
				return g.app.writeJSON(shownMeasures(list))
			}
			return g.app.listMeasurements(list)
		},
	}
	catalogFlag(cmd)
	fl := cmd.Flags()
	fl.StringVar(&f.model, "model", "", "only of this `model`, by its id or a part of it")
	fl.StringVar(&f.gpu, "gpu", "", "only on this `card`")
	fl.StringVar(&f.engine, "engine", "", "only with this `program`")
	fl.StringVar(&f.metric, "metric", "", "only of this `kind`: "+strings.Join(texts(bench.Metrics()), ", "))
	fl.BoolVar(&f.own, "own", false, "only your own")
	fl.StringVar(&f.format, "format", "text", "output `format`: text, json")
	completeWords(cmd, "metric", texts(bench.Metrics()))
	completeWords(cmd, "format", []string{"text", "json"})
	_ = cmd.RegisterFlagCompletionFunc("gpu", g.completeGPU)                   // the flags stand above
	_ = cmd.RegisterFlagCompletionFunc("model", g.completeMeasured(modelOf))   // the same
	_ = cmd.RegisterFlagCompletionFunc("engine", g.completeMeasured(engineOf)) // the same
	return cmd
}

func modelOf(m *bench.Measurement) string  { return m.Model }
func engineOf(m *bench.Measurement) string { return m.Engine }

func (f *measureFilter) check() error {
	f.metric = strings.ToLower(f.metric)
	faults := []error{oneOf("format", f.format, []string{"text", "json"})}
	if f.metric != "" {
		faults = append(faults, oneOf("metric", f.metric, texts(bench.Metrics())))
	}
	return errors.Join(faults...)
}

func (f *measureFilter) apply(c *catalogs) ([]bench.Measurement, error) {
	all, err := c.Measured.WithBroken()
	if err != nil {
		return nil, err
	}
	cards, err := f.cards(c)
	if err != nil {
		return nil, err
	}
	if f.engine != "" {
		engines := distinctOf(all, engineOf)
		if !slices.ContainsFunc(engines, func(e string) bool { return strings.EqualFold(e, f.engine) }) {
			return nil, usage(oneOf("engine", f.engine, engines), "")
		}
	}
	model := strings.ToLower(f.model)
	if model != "" && !slices.ContainsFunc(all, func(m bench.Measurement) bool { return strings.Contains(strings.ToLower(m.Model), model) }) {
		return nil, usage(fmt.Errorf("nobody measured a --model %q", f.model), "llmcheck catalog measurements lists what was measured")
	}
	return slices.DeleteFunc(all, func(m bench.Measurement) bool {
		return f.own && !m.Own || f.metric != "" && string(m.Metric) != f.metric || f.engine != "" && !strings.EqualFold(m.Engine, f.engine) ||
			cards != nil && !slices.Contains(cards, m.GPU) || !strings.Contains(strings.ToLower(m.Model), model)
	}), nil
}

// cards are the ids that a name means, nil where none was asked for. The user's records may name one that no catalog has.
func (f *measureFilter) cards(c *catalogs) ([]string, error) {
	if f.gpu == "" {
		return nil, nil
	}
	ids, err := c.GPUs.Named(f.gpu)
	if err == nil && len(ids) == 0 {
		err = usage(fmt.Errorf("no accelerator %q in the catalog", f.gpu), "llmcheck catalog gpus lists the known ids")
	}
	return ids, err
}

func distinctOf(all []bench.Measurement, name func(*bench.Measurement) string) []string {
	names := make([]string, len(all))
	for i := range all {
		names[i] = name(&all[i])
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (a *App) listMeasurements(list []bench.Measurement) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for i := range list {
		m := &list[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%.4g %s\t%s\n", printable.Line(m.Model), printable.Line(m.Precision),
			printable.Line(strings.TrimSpace(m.Engine+" "+m.Version)), cardsOf(m), lengths(m), atOnce(m), m.Metric, m.Value, m.Metric.Unit(), from(m))
	}
	if len(list) == 0 {
		a.nothing("no measurement is known that this holds for")
	}
	return w.Flush()
}

func cardsOf(m *bench.Measurement) string {
	cards := printable.Line(m.GPU)
	if m.GPUs > 1 {
		cards = fmt.Sprintf("%d x %s", m.GPUs, cards)
	}
	if m.Division != "" {
		cards += " (" + printable.Line(m.Division) + ")"
	}
	return cards
}

func lengths(m *bench.Measurement) string { return said(m.Input) + " in, " + said(m.Output) + " out" }

// said is a number of tokens; a question mark is one that the source does not say.
func said(n int64) string {
	if n == 0 {
		return "?"
	}
	return strconv.FormatInt(n, 10)
}

func atOnce(m *bench.Measurement) string {
	switch {
	case m.Rate > 0:
		return fmt.Sprintf("%.4g/s", m.Rate)
	case m.Concurrency > 0:
		return fmt.Sprintf("%d at once", m.Concurrency)
	}
	return "unlimited"
}

// from says whose a measurement is, and why it is not believed.
func from(m *bench.Measurement) string {
	source := printable.Line(m.Source.Title)
	if m.Own {
		source = "your own: " + source
	}
	if m.Broken != "" {
		source = "not believed, " + printable.Line(m.Broken) + ": " + source
	}
	return source
}

// shownMeasure is a measurement with the keys of JSON. What is not said is absent.
type shownMeasure struct {
	ID          string       `json:"id"`
	Model       string       `json:"model"`
	Precision   string       `json:"precision"`
	KV          string       `json:"kv_dtype,omitzero"`
	Engine      string       `json:"engine"`
	Version     string       `json:"engine_version,omitzero"`
	GPU         string       `json:"gpu"`
	GPUs        int          `json:"gpus"`
	Tensor      int          `json:"tensor_parallel,omitzero"`
	Pipeline    int          `json:"pipeline_parallel,omitzero"`
	Expert      int          `json:"expert_parallel,omitzero"`
	Data        int          `json:"data_parallel,omitzero"`
	Concurrency int          `json:"concurrency,omitzero"`
	Rate        float64      `json:"requests_per_s,omitzero"`
	Input       int64        `json:"input_tokens,omitzero"`
	Output      int64        `json:"output_tokens,omitzero"`
	Metric      bench.Metric `json:"metric"`
	Value       float64      `json:"value"`
	Unit        string       `json:"unit"`
	Note        string       `json:"note,omitzero"`
	Broken      string       `json:"not_believed,omitzero"`
	Own         bool         `json:"own"`
	Source      shownSource  `json:"source"`
}

func shownMeasures(list []bench.Measurement) []shownMeasure {
	out := make([]shownMeasure, len(list))
	for i := range list {
		m := &list[i]
		out[i] = shownMeasure{
			ID: m.ID, Model: m.Model, Precision: m.Precision, KV: m.KV, Engine: m.Engine, Version: m.Version, GPU: m.GPU, GPUs: m.GPUs,
			Tensor: m.Tensor, Pipeline: m.Pipeline, Expert: m.Expert, Data: m.Data, Concurrency: m.Concurrency, Rate: m.Rate, Input: m.Input,
			Output: m.Output, Metric: m.Metric, Value: m.Value, Unit: m.Metric.Unit(), Note: m.Note, Broken: m.Broken, Own: m.Own,
			Source: sourceOf(m.Source),
		}
	}
	return out
}
