// Package cli turns command lines into questions and answers into exit statuses. A command declares its flags, completes
// and checks them, asks package diligence and hands the document to a renderer; it holds no rule of the domain.
package cli

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmcheck/llmcheck/internal/config"
	"github.com/llmcheck/llmcheck/internal/printable"
)

//go:embed help/*.md
var topics embed.FS

// Main runs one command line and returns the exit status. It is the only place that prints an error.
func Main(ctx context.Context, args []string, app *App) Code {
	root := newRoot(app)
	root.SetArgs(args)
	root.SetIn(app.In)
	root.SetOut(app.Out)
	root.SetErr(app.Err)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return OK
	}
	return app.report(err)
}

func (a *App) report(err error) Code {
	s, ok := errors.AsType[*statusError](err)
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(a.Err, "llmcheck: interrupted")
		return Failed
	case !ok || s.Err != nil:
		fmt.Fprintln(a.Err, "llmcheck: "+printable.Text(err.Error()))
	}
	if ok && s.Hint != "" {
		fmt.Fprintln(a.Err, "hint: "+printable.Text(s.Hint))
	}
	return codeOf(err)
}

// global are the flags that every command has.
type global struct {
	app    *App
	config string
}

func newRoot(app *App) *cobra.Command {
	g := &global{app: app}
	root := &cobra.Command{
		Use:   "llmcheck",
		Short: "Due diligence before a company adopts a large language model",
		Long: "llmcheck answers, offline and with evidence, what a company should know before it adopts a large language model:\n" +
			"may we use it, with our users, revenue, country and way of shipping, and under which duties (license); and can we run\n" +
			"it, on which and how many cards, how fast, for how many users, at what cost and power (estimate); and what does training\n" +
			"it take (estimate train).",
		Example: "  llmcheck license meta-llama/Llama-3.1-8B --purpose product --ship hosted --offline\n" +
			"  llmcheck estimate Qwen/Qwen3-32B --gpu H100 --offline\n" +
			"  llmcheck estimate Qwen/Qwen3-32B --request-rate 5 --ttft 1s --tpot 50ms --offline\n  llmcheck estimate train Qwen/Qwen3-8B --method qlora --gpu \"RTX 4090\" --offline\n  llmcheck help exit-codes",
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: false},
		Args:              cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
	}
	root.SetFlagErrorFunc(flagFault)
	root.PersistentFlags().StringVar(&g.config, "config", "", "`file` with settings (default: llmcheck/config.yaml in the folder for settings)")
	root.PersistentFlags().String("color", "auto", "`when` to color: auto, always, never")
	root.AddCommand(newLicense(g, nil), newEstimate(g, nil), newCalibrate(g), newCatalog(g), newRender(g), newVersion(app))
	addTopics(root, app)
	wrapArgs(root)
	return root
}

// wrapArgs makes wrong arguments an error of the command line for every command.
func wrapArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(c *cobra.Command, args []string) error {
			return usage(check(c, args), meantCommand(c, args)+c.CommandPath()+" --help shows how to call it")
		}
	}
	for _, c := range cmd.Commands() {
		wrapArgs(c)
	}
}

// meantCommand asks whether another command was meant: by a slip of the keys, or by a model where a command belongs.
func meantCommand(c *cobra.Command, args []string) string {
	if !c.HasSubCommands() || len(args) == 0 {
		return ""
	}
	c.SuggestionsMinimumDistance = 2
	near := c.SuggestionsFor(args[0])
	for i := range near {
		near[i] = c.CommandPath() + " " + near[i]
	}
	switch {
	case len(near) > 0:
		return "did you mean " + orList(near) + "? "
	case !c.HasParent() && strings.ContainsAny(args[0], `/\.:`):
		return fmt.Sprintf("put a question before the model: %[1]s license %[2]s, or %[1]s estimate %[2]s; ", c.Name(), args[0])
	}
	return ""
}

// settings reads the configuration for a command.
func (g *global) settings(cmd *cobra.Command) (*config.Config, error) {
	standard := ""
	if g.app.ConfDir != "" {
		standard = filepath.Join(g.app.ConfDir, "config.yaml")
	}
	c, err := config.Load(cmd.Flags(), g.config, standard)
	return c, usage(err, "llmcheck help settings lists what can be set, and how")
}

// addTopics adds a help topic for each embedded page.
func addTopics(root *cobra.Command, app *App) {
	pages, _ := fs.Glob(topics, "help/*.md") // the pattern is constant and well formed
	for _, p := range pages {
		name := strings.TrimSuffix(filepath.Base(p), ".md")
		data, err := topics.ReadFile(p)
		if err != nil {
			continue
		}
		title, text, _ := strings.Cut(string(data), "\n")
		topic := &cobra.Command{Use: name, Short: strings.TrimPrefix(title, "# ")}
		topic.SetHelpFunc(func(*cobra.Command, []string) {
			fmt.Fprint(app.Out, strings.TrimSpace(text)+"\n")
		})
		root.AddCommand(topic)
	}
}

func newVersion(app *App) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of the program and of Go",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			info, _ := debug.ReadBuildInfo()
			_, err := fmt.Fprintf(app.Out, "llmcheck %s (%s)\n", version(info), goVersion(info))
			return err
		},
	}
}

// release is set by the linker when a release is built.
var release = ""

func version(info *debug.BuildInfo) string {
	if release != "" {
		return release
	}
	if info == nil || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return info.Main.Version
}

func goVersion(info *debug.BuildInfo) string {
	if info == nil {
		return "go unknown"
	}
	return info.GoVersion
}

// oneOf checks a word of a flag.
func oneOf(flag, got string, want []string) error {
	if slices.Contains(want, got) {
		return nil
	}
	return fmt.Errorf("unknown --%s %q, want one of %s", flag, got, strings.Join(want, ", "))
}
