package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/train"
	trainings "github.com/llmcheck/llmcheck/internal/train/catalog"
	"github.com/llmcheck/llmcheck/internal/units"
)

func newCatalogFabrics(g *global) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "fabrics",
		Short: "List the machines and networks that clusters are built of",
		Long: `fabrics lists how accelerators reach each other in machines that are sold and rented: id, devices of one machine, devices
that the fast link joins, network of one device out of its machine, and name. A dash is what the accelerator decides. The ids
are those of llmcheck estimate train --fabric.`,
		Example: "  llmcheck catalog fabrics\n  llmcheck catalog fabrics --format json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := oneOf("format", format, []string{"text", "json"}); err != nil {
				return usage(err, "")
			}
			all, err := trainings.Fabrics()
			if err != nil {
				return err
			}
			if format == "json" {
				return g.app.writeJSON(shownFabrics(all))
			}
			return g.app.listFabrics(all)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "output `format`: text, json")
	completeWords(cmd, "format", []string{"text", "json"})
	return cmd
}

func (a *App) listFabrics(all []train.Fabric) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for i := range all {
		f := &all[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", f.ID, numbered(f.Node, "a machine"), numbered(f.Domain, "joined"), network(f), printable.Line(f.Name))
	}
	return w.Flush()
}

// numbered is a number of what there is; a dash is one that is not known.
func numbered(n int, of string) string {
	if n == 0 {
		return "-"
	}
	return fmt.Sprintf("%d %s", n, of)
}

func network(f *train.Fabric) string {
	if f.Net == 0 {
		return "no network"
	}
	return fmt.Sprintf("%.4g Gbit/s %s", gbit(f.Net), printable.Line(f.Kind))
}

// gbit are gigabits a second.
func gbit(bytes float64) float64 { return bytes * 8 / 1e9 }

// shownFabric is a fabric with the keys of JSON.
type shownFabric struct {
	ID      string  `json:"id"`
	Name    string  `json:"name"`
	Node    int     `json:"gpus_per_node,omitzero"`
	Domain  int     `json:"gpus_joined,omitzero"`
	Network string  `json:"network,omitzero"`
	NetGbit float64 `json:"network_gbit_per_gpu,omitzero"`
	Latency float64 `json:"latency_s,omitzero"`
	Source  string  `json:"source"`
}

func shownFabrics(all []train.Fabric) []shownFabric {
	out := make([]shownFabric, len(all))
	for i := range all {
		f := &all[i]
		out[i] = shownFabric{f.ID, f.Name, f.Node, f.Domain, f.Kind, gbit(f.Net), f.Latency, f.Source}
	}
	return out
}

// completeFabric offers the ids of fabrics.
func completeFabric(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	all, err := trainings.Fabrics()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	for i := range all {
		if hasPrefixFold(all[i].ID, typed) {
			out = append(out, cobra.CompletionWithDesc(all[i].ID, printable.Line(all[i].Name)))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// trainingFilter says which measurements of training are listed.
type trainingFilter struct{ model, gpu, framework, kind, format string }

func trainingKinds() []string {
	return texts([]trainings.Kind{trainings.Speed, trainings.Memory, trainings.Runs})
}

func newCatalogTraining(g *global) *cobra.Command {
	var f trainingFilter
	cmd := &cobra.Command{
		Use:   "training",
		Short: "List the measurements of training that others published",
		Long: `training lists what somebody measured of training: model, method, framework, number format, accelerators and how they divided
the work, batches and lengths, what was measured, its value, and where a person can find it. Runs that are outside of what
estimate train computes, such as distilled and pruned models, say so.`,
		Example: "  llmcheck catalog training --kind run\n  llmcheck catalog training --gpu H100-SXM --kind speed --format json",
		Args:    cobra.NoArgs,
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
				return g.app.writeJSON(shownTrainings(list))
			}
			return g.app.listTrainings(list)
		},
	}
	catalogFlag(cmd)
	fl := cmd.Flags()
	fl.StringVar(&f.model, "model", "", "only of this `model`, by its name or a part of it")
	fl.StringVar(&f.gpu, "gpu", "", "only on this `card`")
	fl.StringVar(&f.framework, "framework", "", "only with this `program`, by its name or a part of it")
	fl.StringVar(&f.kind, "kind", "", "only of this `kind`: "+strings.Join(trainingKinds(), ", "))
	fl.StringVar(&f.format, "format", "text", "output `format`: text, json")
	completeWords(cmd, "kind", trainingKinds())
	completeWords(cmd, "format", []string{"text", "json"})
	_ = cmd.RegisterFlagCompletionFunc("gpu", g.completeGPU) // the flags stand above
	for flag, name := range map[string]func(*trainings.Measurement) string{
		"model": func(m *trainings.Measurement) string { return m.Model }, "framework": func(m *trainings.Measurement) string { return m.Framework },
	} {
		_ = cmd.RegisterFlagCompletionFunc(flag, completeTraining(name)) // the same
	}
	return cmd
}

// completeTraining offers names of what was measured.
func completeTraining(name func(*trainings.Measurement) string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		all, err := trainings.All()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var out []string
		for i := range all {
			if n := name(&all[i]); n != "" && hasPrefixFold(n, typed) {
				out = append(out, printable.Line(n))
			}
		}
		slices.Sort(out)
		return slices.Compact(out), cobra.ShellCompDirectiveNoFileComp
	}
}

func (f *trainingFilter) check() error {
	f.kind = strings.ToLower(f.kind)
	faults := []error{oneOf("format", f.format, []string{"text", "json"})}
	if f.kind != "" {
		faults = append(faults, oneOf("kind", f.kind, trainingKinds()))
	}
	return errors.Join(faults...)
}

func (f *trainingFilter) apply(c *catalogs) ([]trainings.Measurement, error) {
	all, err := trainings.All()
	if err != nil {
		return nil, err
	}
	cards, err := (&measureFilter{gpu: f.gpu}).cards(c)
	if err != nil {
		return nil, err
	}
	model := func(m *trainings.Measurement) bool { return contains(m.Model+" "+m.Known, f.model) }
	framework := func(m *trainings.Measurement) bool { return contains(m.Framework, f.framework) }
	for _, one := range []struct {
		flag, part string
		holds      func(*trainings.Measurement) bool
	}{{"model", f.model, model}, {"framework", f.framework, framework}} {
		if !slices.ContainsFunc(all, func(m trainings.Measurement) bool { return one.holds(&m) }) {
			return nil, usage(fmt.Errorf("nobody measured training with --%s %q", one.flag, one.part), "llmcheck catalog training lists what was measured")
		}
	}
	return slices.DeleteFunc(all, func(m trainings.Measurement) bool {
		return !model(&m) || !framework(&m) || f.kind != "" && string(m.Metric.Kind()) != f.kind || cards != nil && !slices.Contains(cards, m.GPU)
	}), nil
}

// contains reports whether a part is in a text, in any case.
func contains(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

func (a *App) listTrainings(list []trainings.Measurement) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for i := range list {
		m := &list[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", printable.Line(m.Model), printable.Line(m.Method),
			printable.Line(strings.TrimSpace(m.Framework+" "+m.Precision)), trainedOn(m), batches(m), setOf(m), valueOf(m), sourceText(m))
	}
	if len(list) == 0 {
		a.nothing("no measurement of training is known that this holds for")
	}
	return w.Flush()
}

// valueOf is what was measured, in the unit that people have for it.
func valueOf(m *trainings.Measurement) string {
	switch m.Metric {
	case trainings.MFU:
		return fmt.Sprintf("%.3g %% MFU", 100*m.Value)
	case trainings.ModelFLOPs:
		return fmt.Sprintf("%.4g TFLOP/s a GPU", m.Value/1e12)
	case trainings.TokensPerGPU:
		return fmt.Sprintf("%.4g tokens/s a GPU", m.Value)
	case trainings.Peak, trainings.AboutPeak:
		return fmt.Sprintf("%.4g GB a GPU", m.Value/1e9)
	case trainings.PeakOfAll, trainings.RuleOfThumb:
		return fmt.Sprintf("%.4g GB", m.Value/1e9)
	case trainings.GPUHours:
		return units.Thousands(int64(m.Value)) + " GPU-hours"
	case trainings.RunSeconds:
		return fmt.Sprintf("%.4g days", m.Value/86_400)
	case trainings.RunWh:
		return fmt.Sprintf("%.4g MWh", m.Value/1e6)
	case trainings.RunCO2:
		return fmt.Sprintf("%.4g t CO2", m.Value/1e6)
	}
	return fmt.Sprintf("%s %.4g %s", m.Metric, m.Value, m.Metric.Unit())
}

func trainedOn(m *trainings.Measurement) string {
	cards := cmp.Or(printable.Line(m.GPU), "?")
	if m.GPUs > 1 {
		cards = strconv.Itoa(m.GPUs) + " x " + cards
	}
	if m.Division != "" {
		cards += " (" + printable.Line(m.Division) + ")"
	}
	return cards
}

func batches(m *trainings.Measurement) string {
	return said(m.Seq) + " tokens, batch " + said(m.Micro) + " of " + said(m.Global)
}

// setOf is what else was set.
func setOf(m *trainings.Measurement) string {
	var parts []string
	if m.Recompute != "" {
		parts = append(parts, "recompute "+printable.Line(m.Recompute))
	}
	if m.Rank > 0 {
		parts = append(parts, fmt.Sprintf("rank %d", m.Rank))
	}
	if m.Tokens > 0 {
		parts = append(parts, people(m.Tokens)+" tokens")
	}
	return cmp.Or(strings.Join(parts, ", "), "-")
}

func sourceText(m *trainings.Measurement) string {
	if m.Outside != "" {
		return "outside of what is computed, " + printable.Line(m.Outside) + ": " + printable.Line(m.Source.Title)
	}
	return printable.Line(m.Source.Title)
}

// shownTraining is a measurement with the keys of JSON. What is not said is absent.
type shownTraining struct {
	ID        string           `json:"id"`
	Kind      trainings.Kind   `json:"kind"`
	Model     string           `json:"model"`
	Known     string           `json:"model_id,omitzero"`
	Params    float64          `json:"params,omitzero"`
	Active    float64          `json:"params_active,omitzero"`
	Method    string           `json:"method,omitzero"`
	Framework string           `json:"framework,omitzero"`
	Precision string           `json:"precision,omitzero"`
	Optimizer string           `json:"optimizer,omitzero"`
	GPU       string           `json:"gpu,omitzero"`
	GPUs      int              `json:"gpus,omitzero"`
	Division  string           `json:"division,omitzero"`
	Micro     int64            `json:"micro_batch,omitzero"`
	Global    int64            `json:"global_batch,omitzero"`
	Seq       int64            `json:"seq_len,omitzero"`
	Recompute string           `json:"recompute,omitzero"`
	Rank      int64            `json:"lora_rank,omitzero"`
	Tokens    float64          `json:"tokens,omitzero"`
	Metric    trainings.Metric `json:"metric"`
	Value     float64          `json:"value"`
	Unit      string           `json:"unit"`
	Note      string           `json:"note,omitzero"`
	Outside   string           `json:"outside_of_model,omitzero"`
	Source    shownSource      `json:"source"`
}

func shownTrainings(list []trainings.Measurement) []shownTraining {
	out := make([]shownTraining, len(list))
	for i := range list {
		m := &list[i]
		out[i] = shownTraining{
			ID: m.ID, Kind: m.Metric.Kind(), Model: m.Model, Known: m.Known, Params: m.Params, Active: m.Active, Method: m.Method, Framework: m.Framework,
			Precision: m.Precision, Optimizer: m.Optimizer, GPU: m.GPU, GPUs: m.GPUs, Division: m.Division, Micro: m.Micro, Global: m.Global, Seq: m.Seq,
			Recompute: m.Recompute, Rank: m.Rank, Tokens: m.Tokens, Metric: m.Metric, Value: m.Value, Unit: m.Metric.Unit(), Note: m.Note,
			Outside: m.Outside, Source: sourceOf(m.Source),
		}
	}
	return out
}
