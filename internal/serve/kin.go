package serve

import (
	"cmp"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/records"
	"github.com/llmcheck/llmcheck/internal/spelling"
)

//go:embed engines/kin/*.yaml
var kinFiles embed.FS

// The generic records, which stand for engines that nobody measured: what a program with a pool of its own needs, and
// what one needs that computes what it is given.
const (
	server  Kind = "generic-server"
	library Kind = "generic-library"
)

// generic are the generic records with the one that each changes.
func generic() map[Kind]Kind { return map[Kind]Kind{server: VLLM, library: Transformers} }

// kin is the record of a program without a profile of its own: it runs another one beneath, or its memory is taken from
// a generic one.
type kin struct {
	Kind    Kind
	Name    string   // as its makers write it
	Aliases []string // other names of it, and of programs that are this one beneath
	Runs    Kind     // the engine beneath, whose plans and defaults are its own; "" for none
	Like    Kind     // whose memory is taken where it runs none of ours: server, library, or one with a profile
	Class   Class    // of those with Like
	Batches bool     // the same
	Reads   []string // families of formats that it is known to read; empty where it reads what the engine beneath does
	Vendors []string // makers of devices; empty is those of NVIDIA and AMD
	Note    string
	Source  string
	Checked evidence.Date
}

// readKin reads all records of the folder.
func readKin() ([]kin, error) {
	names, err := fs.Glob(kinFiles, "engines/kin/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("reading the records of engines: %w", err)
	}
	list := make([]kin, len(names))
	for i, name := range names {
		data, err := kinFiles.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("reading the record of an engine: %w", err)
		}
		if err := records.Decode(name, data, &list[i]); err != nil {
			return nil, err
		}
		if err := list[i].check(strings.TrimSuffix(path.Base(name), ".yaml")); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return list, nil
}

var errKin = errors.New("the record of an engine needs its kind as its file is named, a name, a source, a date, and either runs or like with a class")

func (k *kin) check(file string) error {
	own := k.Like != "" && k.Class != ""
	if string(k.Kind) != file || k.Name == "" || k.Source == "" || k.Checked.IsZero() || (k.Runs == "") != own {
		return errKin
	}
	return nil
}

// kinOf finds the record that bears a name; nil if none does.
func kinOf(list []kin, name string) *kin {
	folded := strings.ToLower(strings.TrimSpace(name))
	i := slices.IndexFunc(list, func(k kin) bool {
		return string(k.Kind) == folded || strings.EqualFold(k.Name, folded) || slices.Contains(k.Aliases, folded)
	})
	if i < 0 {
		return nil
	}
	return &list[i]
}

// engine is the program in a version. Versions of what lies beneath count otherwise, so the newest of that is taken.
func (k *kin) engine(asked, version string, find func(Kind, string) (*Engine, error)) (*Engine, error) {
	e, err := find(cmp.Or(k.Runs, k.Like), "")
	if err != nil {
		return nil, err
	}
	beneath := e.Version
	e.Name, e.kin, e.Checked = strings.ToLower(strings.TrimSpace(asked)), k, k.Checked
	switch strings.ToLower(strings.TrimSpace(version)) {
	case "", "latest", "nightly", "main":
	default:
		e.Version, e.Assumed = printable.Short(version), false
	}
	if k.Runs != "" {
		if !e.Assumed {
			e.beyond = "the defaults of " + string(k.Runs) + " " + beneath + ", as " + k.Name + " counts its versions otherwise"
		}
		return e, nil
	}
	e.Kind, e.class, e.batches, e.beyond = k.Kind, k.Class, k.Batches, ""
	if e.Assumed {
		e.Version, e.Assumed = "", false
	}
	return e, nil
}

// note says whose account stands for the program that was asked for by a name.
func (k *kin) note(asked string) string {
	var text string
	switch k.Like {
	case "":
		text = asked + " runs " + string(k.Runs) + " beneath, whose account stands"
	case server, library:
		text = "nobody measured what " + asked + " needs beside weights and cache, so wide ranges are taken from programs like it"
	default:
		text = "nobody measured what " + asked + " needs beside weights and cache, so the account of " + string(k.Like) + " stands"
	}
	if k.Note != "" {
		text += "; " + k.Note
	}
	return text
}

// runsOn is nil on devices of the makers that the program knows.
func (k *kin) runsOn(device, vendor string) error {
	makers := k.Vendors
	if len(makers) == 0 {
		makers = []string{"nvidia", "amd"}
	}
	others := []string{"nvidia", "amd", "apple", "intel"}
	if slices.Contains(makers, vendor) || !slices.Contains(others, vendor) { // a card of one's own is taken at its word
		return nil
	}
	return fmt.Errorf("%w: whether %s runs on %s is not known: it is known on devices of %s", ErrNoProfile, k.Name, device, strings.Join(makers, ", "))
}

// reads reports whether the program is known to read weights in a format. Plain words for so many bits mean whichever of
// its formats has them.
func (k *kin) reads(format string) bool {
	words := map[string][]string{
		"bf16": {"fp16"}, "fp16": {"bf16"}, "fp32": {"bf16", "fp16"}, "w4a16": {"int4", "gptq", "awq", "exl2", "exl3", "mlc", "mlx", "nf4"},
		"int8": {"w8a16"}, "w8a16": {"int8"}, "bnb-8bit": {"int8"},
	}
	if len(k.Reads) == 0 {
		return true
	}
	format = strings.ToLower(format)
	for _, known := range k.Reads {
		if strings.HasPrefix(format, known) || slices.Contains(words[format], known) || known == "mlc" && strings.HasPrefix(format, "q") {
			return true
		}
	}
	return false
}

// Others are the names of engines that are known beside those of Kinds, without their aliases.
func Others() ([]string, error) {
	list, err := readKin()
	if err != nil {
		return nil, err
	}
	names := make([]string, len(list))
	for i := range list {
		names[i] = string(list[i].Kind)
	}
	return names, nil
}

// noEngine is the error for a name that nobody bears, with those that may have been meant.
func noEngine(list []kin, name string) error {
	short := printable.Short(name)
	text := fmt.Sprintf("%q, want one of %s", short, strings.Join(Kinds(), ", "))
	if near := nearEngines(list, strings.ToLower(short)); len(near) > 0 {
		text += "; near that are " + strings.Join(near, ", ")
	}
	return fmt.Errorf("%w: %s", ErrEngine, text)
}

// nearEngines are the names that at most two slips, or a third of its letters, part from one.
func nearEngines(list []kin, name string) []string {
	var near []string
	try := func(known string) {
		slips := spelling.Slips(name[:min(len(name), 40)], known)
		if slips <= min(2, len(known)/3) && !slices.Contains(near, known) {
			near = append(near, known)
		}
	}
	for _, k := range kinds() {
		try(string(k))
	}
	for i := range list {
		for _, known := range append([]string{string(list[i].Kind)}, list[i].Aliases...) {
			try(known)
		}
	}
	return near[:min(len(near), 4)]
}
