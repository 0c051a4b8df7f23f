package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/term"
)

// App is the world as the commands see it. Only System makes one from the process.
type App struct {
	In       io.Reader
	Out, Err io.Writer
	OutTTY   bool // Out is a terminal
	ErrTTY   bool
	Width    int // columns of Out
	Getenv   func(string) string
	Now      func() time.Time
	Sleep    func(context.Context, time.Duration) error // between tries of a request; nil waits for real
	Home     string                                     // of the user; "" if there is none
	ConfDir  string                                     // for settings
	CacheDir string
}

// System is the App of this process.
func System() *App {
	home, _ := os.UserHomeDir()     // without a home there are no settings and no cache, and nothing fails
	conf, _ := os.UserConfigDir()   // the same
	cache, err := os.UserCacheDir() // the same
	if err == nil {
		cache = filepath.Join(cache, "llmcheck")
	}
	a := &App{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Now: time.Now, Home: home, CacheDir: cache,
		OutTTY: term.IsTerminal(int(os.Stdout.Fd())), ErrTTY: term.IsTerminal(int(os.Stderr.Fd())),
	}
	if conf != "" {
		a.ConfDir = filepath.Join(conf, "llmcheck")
	}
	a.Width = columns(a)
	return a
}

// columns is the width to write for: the terminal's, the variable COLUMNS, or 80; text wider than 140 columns is hard
// to read.
func columns(a *App) int {
	w := 0
	if a.OutTTY {
		w, _, _ = term.GetSize(int(os.Stdout.Fd())) // no size: the default below
	}
	if w == 0 {
		w, _ = strconv.Atoi(a.Getenv("COLUMNS")) // not set or no number: the default below
	}
	if w == 0 {
		w = 80
	}
	return min(max(w, 40), 140)
}

// color decides whether Out is colored: https://no-color.org, and CLICOLOR_FORCE for pagers.
func (a *App) color(setting string) bool {
	switch {
	case setting == "always":
		return true
	case setting == "never", a.Getenv("NO_COLOR") != "", a.Getenv("TERM") == "dumb":
		return false
	case a.Getenv("CLICOLOR_FORCE") != "" && a.Getenv("CLICOLOR_FORCE") != "0":
		return true
	}
	return a.OutTTY
}
