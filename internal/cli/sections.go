package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// section is a group of flags that help shows under a heading of their own.
type section struct {
	title string
	flags *pflag.FlagSet
}

// sections are the groups of a command with more flags than fit one list, in the order that help shows them in.
type sections []section

// add begins a section and returns what its flags are declared on.
func (s *sections) add(title string) *pflag.FlagSet {
	fl := pflag.NewFlagSet(title, pflag.ContinueOnError)
	fl.SortFlags = false
	*s = append(*s, section{title, fl})
	return fl
}

// attach gives the flags to a command, and makes its help show them section by section. Flags that are declared on the
// command itself are about the answer and come last.
func (s sections) attach(cmd *cobra.Command, width int) {
	cmd.Flags().SortFlags = false
	for _, one := range s {
		cmd.Flags().AddFlagSet(one.flags)
	}
	cmd.SetUsageFunc(func(c *cobra.Command) error {
		var b strings.Builder
		fmt.Fprintf(&b, "Usage:\n  %s\n\nExamples:\n%s\n", c.UseLine(), c.Example)
		if c.HasAvailableSubCommands() {
			b.WriteString("\nAvailable Commands:\n")
		}
		for _, sub := range c.Commands() {
			fmt.Fprintf(&b, "  %-11s %s\n", sub.Name(), sub.Short)
		}
		for _, one := range append(s, section{"Answer", s.rest(c)}, section{"Everywhere", c.InheritedFlags()}) {
			fmt.Fprintf(&b, "\n%s:\n%s\n", one.title, strings.TrimRight(one.flags.FlagUsagesWrapped(width), "\n"))
		}
		_, err := c.OutOrStderr().Write([]byte(b.String()))
		return err
	})
}

// rest are the flags of the command in no section.
func (s sections) rest(c *cobra.Command) *pflag.FlagSet {
	rest := pflag.NewFlagSet("rest", pflag.ContinueOnError)
	rest.SortFlags = false
	c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
		for _, one := range s {
			if one.flags.Lookup(f.Name) != nil {
				return
			}
		}
		rest.AddFlag(f)
	})
	return rest
}
