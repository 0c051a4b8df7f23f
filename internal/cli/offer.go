package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmcheck/llmcheck/internal/bench"
	"github.com/llmcheck/llmcheck/internal/cost"
	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// completeModels offers the models of the catalog by what was typed. Where none begins like it, the shell offers files.
func (g *global) completeModels(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	c, err := g.chosen(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []string
	for _, id := range c.Models.IDsWithConfig() {
		if hasPrefixFold(id, typed) {
			ids = append(ids, printable.Line(id))
		}
	}
	return ids, cobra.ShellCompDirectiveDefault
}

// completeGPUs offers accelerators for the last name of a list, and the word for all of them.
func (g *global) completeGPUs(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	ids, directive := g.completeCards(cmd, args, typed)
	if hasPrefixFold("all", typed) {
		ids = append(ids, cobra.CompletionWithDesc("all", "rank the whole catalog"))
	}
	return ids, directive
}

// completeCards offers accelerators for the last name of a list.
func (g *global) completeCards(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	ids, directive := g.completeGPU(cmd, args, typed[len(before):])
	for i := range ids {
		ids[i] = before + ids[i]
	}
	return ids, directive
}

// completePlaces offers countries and regions of clouds.
func (g *global) completePlaces(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	c, err := g.chosen(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	countries, err := c.Prices.Places()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	for _, p := range countries {
		switch {
		case hasPrefixFold(p.Name, typed):
			out = append(out, cobra.CompletionWithDesc(printable.Line(p.Name), p.Code))
		case hasPrefixFold(p.Code, typed):
			out = append(out, cobra.CompletionWithDesc(p.Code, printable.Line(p.Name)))
		}
	}
	clouds, err := c.Prices.Clouds()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	for _, cloud := range clouds {
		for _, r := range cloud.Regions {
			if hasPrefixFold(r.ID, typed) {
				out = append(out, cobra.CompletionWithDesc(r.ID, printable.Line(cloud.Name+", "+r.Name)))
			}
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeSeller offers who rents accelerators out, and the kinds of them.
func (g *global) completeSeller(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	c, err := g.chosen(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	all, err := c.Prices.Sellers()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var out []string
	for _, class := range cost.Classes() {
		if hasPrefixFold(string(class), typed) {
			out = append(out, string(class))
		}
	}
	for _, s := range all {
		if hasPrefixFold(s.ID, typed) {
			out = append(out, cobra.CompletionWithDesc(s.ID, printable.Line(s.Name)))
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// completeMeasured offers names of what was measured.
func (g *global) completeMeasured(name func(*bench.Measurement) string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		c, err := g.chosen(cmd)
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		all, err := c.Measured.WithBroken()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		var out []string
		for _, n := range distinctOf(all, name) {
			if hasPrefixFold(n, typed) {
				out = append(out, printable.Line(n))
			}
		}
		return out, cobra.ShellCompDirectiveNoFileComp
	}
}

// completeRecords offers what llmcheck catalog show takes: accelerators, models and licenses, and whatever has its kind
// before it.
func (g *global) completeRecords(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	out, directive := g.completeGPU(cmd, args, typed)
	c, err := g.chosen(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	if kind, _, ok := strings.Cut(typed, ":"); ok {
		return c.ofKind(kind, typed), directive
	}
	for _, list := range []func() ([]string, error){c.Models.IDs, c.Licenses.IDs} {
		ids, err := list()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		for _, id := range ids {
			if hasPrefixFold(id, typed) {
				out = append(out, printable.Line(id))
			}
		}
	}
	return out, directive
}

// ofKind lists records with their kind before them.
func (c *catalogs) ofKind(kind, typed string) []string {
	var out []string
	for _, k := range c.kinds() {
		if k.name != kind {
			continue
		}
		all, err := k.dated()
		if err != nil {
			return nil
		}
		for _, r := range all {
			if name := kind + ":" + r.ID; hasPrefixFold(name, typed) {
				out = append(out, cobra.CompletionWithDesc(printable.Line(name), printable.Line(r.Name)))
			}
		}
	}
	return out
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// similar names the models of the catalog whose names are near to one that was not found.
func (g *global) similar(dir, name string) string {
	c, err := g.catalogs(dir)
	if err != nil {
		return ""
	}
	const most = 3
	near := c.Models.Similar(name, most)
	for i := range near {
		near[i] = printable.Line(near[i])
	}
	if len(near) == 0 {
		return ""
	}
	return "did you mean " + orList(near) + "?"
}

// orList joins words as people do: "a", "a or b", "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// engineNames are all engines, those whose needs were measured first.
func engineNames() []string {
	others, err := serve.Others()
	if err != nil {
		return serve.Kinds() // a shell is offered what there is; the question itself tells what is wrong
	}
	return append(serve.Kinds(), others...)
}
