package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/printable"
)

func newCatalogModels(g *global) *cobra.Command {
	var sized bool
	cmd := &cobra.Command{
		Use:   "models",
		Short: "List the models that are known",
		Long: "models lists the models that are known: id, license, and for those whose configuration is recorded the parameters in\n" +
			"all, those that one token passes, and how the weights are stored.",
		Example: "  llmcheck catalog models\n  llmcheck catalog models --sized",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.chosen(cmd)
			if err != nil {
				return err
			}
			return g.app.listModels(c, sized)
		},
	}
	catalogFlag(cmd)
	cmd.Flags().BoolVar(&sized, "sized", false, "only models that estimate answers without a request")
	return cmd
}

func (a *App) listModels(c *catalogs, sized bool) error {
	ids, err := c.Models.IDs()
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, id := range ids {
		m, err := c.model(id)
		switch {
		case err != nil:
			return err
		case m.Totals == nil && sized:
		case m.Totals == nil:
			fmt.Fprintf(w, "%s\t%s\n", printable.Line(m.ID), printable.Line(m.License))
		default:
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", printable.Line(m.ID), printable.Line(m.License), billions(m.Totals.Params),
				billions(m.Totals.Active), printable.Line(m.Stored))
		}
	}
	return w.Flush()
}

// billions is a number of parameters as publishers write it; a dash is one that is not known.
func billions(n int64) string {
	if n <= 0 {
		return "-"
	}
	return strconv.FormatFloat(float64(n)/1e9, 'f', 2, 64) + "B"
}

// gpuFilter says which accelerators are listed.
type gpuFilter struct {
	Vendor    string
	MinMemory string
	Format    string
}

func newCatalogGPUs(g *global) *cobra.Command {
	var f gpuFilter
	cmd := &cobra.Command{
		Use:   "gpus",
		Short: "List the accelerators that are known",
		Long: "gpus lists the accelerators that are known: id, memory as sold, memory that a process sees, bandwidth of the memory,\n" +
			"dense peak in BF16 (FP16 where there is none), and name.",
		Example: "  llmcheck catalog gpus\n  llmcheck catalog gpus --vendor nvidia --min-memory 80GB",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneOf("format", f.Format, []string{"text", "json"}); err != nil {
				return usage(err, "")
			}
			c, err := g.chosen(cmd)
			if err != nil {
				return err
			}
			list, err := f.apply(c.GPUs)
			if err != nil {
				return err
			}
			if f.Format == "json" {
				return g.app.gpusJSON(list)
			}
			return g.app.listGPUs(list)
		},
	}
	catalogFlag(cmd)
	fl := cmd.Flags()
	fl.StringVar(&f.Vendor, "vendor", "", "only accelerators of this `maker`: nvidia, amd, apple, intel, google, aws")
	fl.StringVar(&f.MinMemory, "min-memory", "", "only accelerators sold with at least this `memory`, like 80GB")
	fl.StringVar(&f.Format, "format", "text", "output `format`: text, json")
	return cmd
}

func (f *gpuFilter) apply(c *gpus.Catalog) ([]*gpus.Record, error) {
	least, err := gigabytes("min-memory", f.MinMemory)
	if err != nil {
		return nil, usage(err, "")
	}
	all, err := c.Records()
	if err != nil {
		return nil, err
	}
	vendors := make([]string, len(all))
	for i, r := range all {
		vendors[i] = r.Vendor
	}
	slices.Sort(vendors)
	if f.Vendor != "" {
		if err := oneOf("vendor", strings.ToLower(f.Vendor), slices.Compact(vendors)); err != nil {
			return nil, usage(err, "")
		}
	}
	return slices.DeleteFunc(all, func(r *gpus.Record) bool {
		return f.Vendor != "" && r.Vendor != strings.ToLower(f.Vendor) || r.MemoryGB < least
	}), nil
}

// gigabytes reads a size of memory as it is sold; 0 is none asked for.
func gigabytes(flag, s string) (float64, error) {
	if s == "" {
		return 0, nil
	}
	number := strings.TrimSpace(strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(s), "b"), "g"))
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || !(n >= 0 && n < 1e6) {
		return 0, fmt.Errorf("--%s %q is not a size like 80GB", flag, s)
	}
	return n, nil
}

func (a *App) listGPUs(list []*gpus.Record) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, r := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%.4g GB/s\t%s\t%s\n", r.ID, sold(r), seen(r), r.Bandwidth, peak(r), printable.Line(r.Name))
	}
	return w.Flush()
}

// sold is the memory that a buyer can choose.
func sold(r *gpus.Record) string {
	if len(r.Options) == 0 {
		return fmt.Sprintf("%.4g GB", r.MemoryGB)
	}
	parts := make([]string, len(r.Options))
	for i, o := range r.Options {
		parts[i] = fmt.Sprintf("%.4g", o.GB)
	}
	return strings.Join(parts, "/") + " GB"
}

// seen is the memory that a process sees, of the largest that is sold. A figure that nobody reported is marked.
func seen(r *gpus.Record) string {
	about := ""
	if len(r.Derived) > 0 {
		about = "~"
	}
	each := ""
	if r.Devices > 1 {
		each = fmt.Sprintf("%d x ", r.Devices)
	}
	return fmt.Sprintf("%s%s%.4g GiB", about, each, r.VisibleMiB/1024)
}

func peak(r *gpus.Record) string {
	for _, format := range []string{"bf16", "fp16", "fp32"} {
		if r.Dense[format] > 0 {
			return fmt.Sprintf("%.4g TFLOPS %s", r.Dense[format], strings.ToUpper(format))
		}
	}
	return "-"
}

func (a *App) gpusJSON(list []*gpus.Record) error {
	out := make([]map[string]any, len(list))
	for i, r := range list {
		keys, err := keysOf(r)
		if err != nil {
			return err
		}
		out[i] = keys
	}
	return a.writeJSON(out)
}

// completeGPU completes the id of an accelerator, for flags and arguments that take one.
func (g *global) completeGPU(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	c, err := g.chosen(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	all, err := c.GPUs.All()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	for _, a := range all {
		if strings.HasPrefix(a.ID, strings.ToLower(typed)) {
			ids = append(ids, cobra.CompletionWithDesc(a.ID, a.Name))
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}
