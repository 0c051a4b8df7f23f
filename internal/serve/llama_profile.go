package serve

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/records"
)

// llamaRecord is what llama.cpp takes where nothing is said, by version.
type llamaRecord struct {
	Kind       Kind
	Class      Class
	Newest     string
	Checked    evidence.Date
	Context    history[int64]
	Batch      history[int64]
	MicroBatch history[int64] `yaml:"micro_batch"`
	Slots      history[int64]
	MaxSlots   history[int64]    `yaml:"max_slots"`
	Flash      history[string]   // off, or auto: on where the back end has it
	OutputRows history[string]   `yaml:"output_rows"` // of logits: batch, slots
	CacheTypes history[[]string] `yaml:"cache_types"`

	newest, oldest version
}

func (r *llamaRecord) histories() []named {
	return []named{
		{"context", r.Context},
		{"batch", r.Batch},
		{"micro_batch", r.MicroBatch},
		{"slots", r.Slots},
		{"max_slots", r.MaxSlots},
		{"flash", r.Flash},
		{"output_rows", r.OutputRows},
		{"cache_types", r.CacheTypes},
	}
}

func readLlama() (*llamaRecord, error) {
	const name = "engines/llama.cpp.yaml"
	data, err := engineFiles.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the record of engine %s: %w", LlamaCPP, err)
	}
	r := &llamaRecord{}
	if err := records.Decode(name, data, r); err != nil {
		return nil, err
	}
	var faults []error
	for _, h := range r.histories() {
		if err := h.of.order(); err != nil {
			faults = append(faults, fmt.Errorf("%s: %s: %w", name, h.key, err))
		}
		r.oldest = earliest(r.oldest, h.of.first())
	}
	if v, ok := parseVersion(r.Newest); ok {
		r.newest = v
	} else {
		faults = append(faults, fmt.Errorf("%s: newest: %q is no version", name, r.Newest))
	}
	return r, errors.Join(faults...)
}

// at is the engine in a version: of a build such as b6325, or of a release such as 0.5.0.
func (r *llamaRecord) at(asked string) (*Engine, error) {
	e := &Engine{Kind: LlamaCPP, Name: string(LlamaCPP), Version: asked, Checked: r.Checked, class: r.Class, batches: true, llama: r}
	switch strings.ToLower(strings.TrimSpace(asked)) {
	case "", "latest", "nightly", "main", "master":
		e.Version, e.number, e.Assumed = r.Newest, r.newest, true
		return e, nil
	}
	n, ok := parseVersion(asked)
	if !ok {
		return nil, noVersion(LlamaCPP, asked, "the build b6325", "the release "+r.Newest)
	}
	e.beyond = outside(n, r.oldest, r.newest, r.Newest)
	e.number = n
	return e, nil
}

// buildNumber reads a build such as b6325, which comes before every release that has a version.
func buildNumber(s string) (version, bool) {
	s, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(s)), "b")
	n, err := strconv.ParseUint(s, 10, 32)
	if !ok || err != nil {
		return 0, false
	}
	return version(min(n, versionStep-1)), true
}
