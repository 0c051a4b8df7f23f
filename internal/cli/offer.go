package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmcheck/llmcheck/internal/serve"

	"github.com/llmcheck/llmcheck/internal/printable"
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

// completeGPUs offers accelerators for the last name of a list.
func (g *global) completeGPUs(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	ids, directive := g.completeGPU(cmd, args, typed[len(before):])
	if before == "" && hasPrefixFold("all", typed) {
		ids = append(ids, cobra.CompletionWithDesc("all", "rank the whole catalog"))
	}
	for i := range ids {
		ids[i] = before + ids[i]
	}
	return ids, directive
}

// completeRecords offers what llmcheck catalog show takes: accelerators, models and licenses.
func (g *global) completeRecords(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	out, directive := g.completeGPU(cmd, args, typed)
	c, err := g.chosen(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
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
