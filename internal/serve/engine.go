package serve

import (
	"embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/records"
)

// Kind is the program that serves.
type Kind string

// The engines.
const (
	VLLM         Kind = "vllm"
	SGLang       Kind = "sglang"
	TensorRT     Kind = "trt-llm"
	LlamaCPP     Kind = "llama.cpp"
	Transformers Kind = "transformers"
)

// Class is how an engine gets its work to the device, which decides what a pass costs beside reading and computing.
type Class string

// The classes.
const (
	ClassGraphs   Class = "graphs"   // servers that batch and replay captured graphs
	ClassCompiled Class = "compiled" // one stream at a time, with graphs or kernels that were compiled for the model
	ClassNative   Class = "native"   // kernels that are launched one by one from compiled code
	ClassEager    Class = "eager"    // PyTorch that launches operation by operation from Python
)

// Engine is one version of a program, with the defaults and laws that hold for it.
type Engine struct {
	Kind    Kind
	Name    string        // what was asked for; another name than that of Kind where the program runs that one beneath
	Version string        // as asked, or the newest that is known
	Assumed bool          // nobody named the version
	Checked evidence.Date // when its record was last held against its sources

	class   Class
	batches bool
	kin     *kin   // of a program without a profile of its own
	beyond  string // why its defaults are those of another version; "" where they are its own
	number  version
	early   bool // the second engine, before it was the default
	profile *profile
	llama   *llamaRecord // of llama.cpp, which has no profile
}

//go:embed engines/*.yaml
var engineFiles embed.FS

// kinds are all engines, the most used first.
func kinds() []Kind { return []Kind{VLLM, SGLang, TensorRT, LlamaCPP, Transformers} }

// Class is how the engine gets its work to the device.
func (e *Engine) Class() Class { return e.class }

// Batches reports whether the engine takes up requests while others run (continuous batching). The others answer what is
// given to them at once, and a batch is over when its longest answer is.
func (e *Engine) Batches() bool { return e.batches }

// Note says whose account stands for this engine and why; "" where it has a profile of its own.
func (e *Engine) Note() string {
	if e.kin == nil {
		return ""
	}
	return e.kin.note(e.Name)
}

// Profiles are the records of all engines, decoded once by who needs them.
type Profiles struct {
	byKind map[Kind]*profile
	llama  *llamaRecord
	kin    []kin
}

// Engines reads the records of all engines. The caller keeps what it returns.
func Engines() (*Profiles, error) {
	llama, err := readLlama()
	if err != nil {
		return nil, err
	}
	others, err := readKin()
	if err != nil {
		return nil, err
	}
	p := &Profiles{byKind: make(map[Kind]*profile), llama: llama, kin: others}
	for _, k := range append(kinds(), library, server) {
		if k == LlamaCPP {
			continue
		}
		one, err := readProfile(k)
		if err != nil {
			return nil, err
		}
		p.byKind[k] = one
	}
	return p, nil
}

func readProfile(k Kind) (*profile, error) {
	name := "engines/" + string(k) + ".yaml"
	data, err := engineFiles.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the record of engine %s: %w", k, err)
	}
	p := &profile{}
	if base, ok := generic()[k]; ok {
		if p, err = readProfile(base); err != nil {
			return nil, err
		}
	}
	if err := records.Decode(name, data, p); err != nil {
		return nil, err
	}
	if err := p.prepare(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return p, nil
}

// Kinds are the names of all engines.
func Kinds() []string {
	var names []string
	for _, k := range kinds() {
		names = append(names, string(k))
	}
	return names
}

// ErrEngine is wrapped by the error for a name or a version that is not known.
var ErrEngine = errors.New("engine is not known")

// versionError says what a version is not. It wraps ErrEngine without its text: the engine itself is known.
type versionError struct{ text string }

func (e *versionError) Error() string { return e.text }
func (e *versionError) Unwrap() error { return ErrEngine }

// noVersion is the error for a text that is no version of an engine.
func noVersion(k Kind, asked string, examples ...string) error {
	if len(asked) > 60 {
		asked = asked[:60] + "..."
	}
	return &versionError{fmt.Sprintf("%q is no version of %s; say one like %s", asked, k, strings.Join(examples, " or "))}
}

// FindEngine reads the record of one engine and picks the version, as Profiles.Find does.
func FindEngine(kind, version string) (*Engine, error) {
	if k, ok := known(kind); ok { // nothing else has to be read
		return find(k, version)
	}
	others, err := readKin()
	if err != nil {
		return nil, err
	}
	k := kinOf(others, kind)
	if k == nil {
		return nil, noEngine(others, kind)
	}
	return k.engine(kind, version, find)
}

func find(k Kind, version string) (*Engine, error) {
	if k == LlamaCPP {
		r, err := readLlama()
		if err != nil {
			return nil, err
		}
		return r.at(version)
	}
	p, err := readProfile(k)
	if err != nil {
		return nil, err
	}
	return p.at(version)
}

// Find is the engine of that name in that version, written as people write it: "0.8.5.post1", "0.9.x/0.10.0",
// "LMI (vLLM 0.7.x)", "0.7.0-dev V1". No version is the newest that is known. Programs that run another one beneath, and
// those of which nobody measured what they need, are known by their names too; see Engine.Note.
func (p *Profiles) Find(kind, version string) (*Engine, error) {
	if k, ok := known(kind); ok {
		return p.find(k, version)
	}
	k := kinOf(p.kin, kind)
	if k == nil {
		return nil, noEngine(p.kin, kind)
	}
	return k.engine(kind, version, p.find)
}

func (p *Profiles) find(k Kind, version string) (*Engine, error) {
	if k == LlamaCPP {
		return p.llama.at(version)
	}
	return p.byKind[k].at(version)
}

// known is the engine with a profile of its own that a name means.
func known(name string) (Kind, bool) {
	k := strings.ToLower(strings.TrimSpace(name))
	if k == "" {
		return VLLM, true
	}
	for _, names := range [][]string{
		{string(TensorRT), "tensorrt-llm", "tensorrt_llm", "tensorrtllm", "tensorrt", "trtllm", "trt", "trt_llm", "trtllm-serve"},
		{string(LlamaCPP), "llamacpp", "llama-cpp", "llama_cpp", "llama.cpp-server", "llama-server", "llama-bench", "llama-cli"},
		{string(Transformers), "hf", "huggingface", "hf-transformers", "hugging-face", "transformers (eager)", "accelerate", "pytorch"},
		{string(SGLang), "sgl", "sglang-router"},
		{string(VLLM), "vllm-serve"},
	} {
		if slices.Contains(names, k) {
			return Kind(names[0]), true
		}
	}
	return "", false
}

func (p *profile) at(asked string) (*Engine, error) {
	e := &Engine{Kind: p.Kind, Name: string(p.Kind), Version: asked, Checked: p.Checked, class: p.Class, batches: p.Batches, profile: p}
	switch strings.ToLower(strings.TrimSpace(asked)) {
	case "", "latest", "nightly", "main":
		e.Version, e.number, e.Assumed = p.Newest, p.newest, true
		return e, nil
	}
	n, ok := parseVersion(asked)
	if !ok {
		return nil, noVersion(p.Kind, asked, p.Newest, shortVersion(p.Newest))
	}
	e.beyond = outside(n, p.oldest, p.newest, p.Newest)
	if p.rewrite > 0 && n < p.rewrite && namesV1(asked) {
		n, e.early = p.rewrite, true // people ran the new engine before it was the default
	}
	e.number = n
	return e, nil
}

// outside says whose defaults are taken for a version that lies outside of those that are known; "" for one that does
// not. oldest is the version up to which the oldest defaults hold, 0 where none is known to have changed.
func outside(n, oldest, newest version, name string) string {
	switch {
	case n > newest:
		return "the defaults of " + name + ", the newest that is known"
	case n < oldest:
		return "the defaults of the oldest that is known, before " + oldest.String()
	case oldest == 0 && n < newest:
		return "the defaults of " + name + ", the only version that is known"
	}
	return ""
}

// shortVersion is a version without its last part.
func shortVersion(s string) string { return s[:max(strings.LastIndexByte(s, '.'), 1)] }

func namesV1(s string) bool {
	return slices.ContainsFunc(strings.Fields(s), func(w string) bool { return strings.EqualFold(w, "v1") })
}

// version is major, minor and patch in one number, so that comparing is cheap.
type version int64

const versionStep = 1 << 16

// String is the version as people write it; numbers of builds have no higher part.
func (v version) String() string {
	major, minor, patch := v/versionStep/versionStep, v/versionStep%versionStep, v%versionStep
	switch {
	case major == 0 && minor == 0:
		return "b" + strconv.FormatInt(int64(patch), 10)
	case patch == 0:
		return fmt.Sprintf("%d.%d", major, minor)
	}
	return fmt.Sprintf("%d.%d.%d", major, minor, patch)
}

// parseVersion reads the first number with a dot in it, or the number of a build. A part written as x is 0.
func parseVersion(s string) (version, bool) {
	if v, ok := buildNumber(s); ok {
		return v, true
	}
	for i := range len(s) {
		if !digit(s[i]) || i > 0 && digit(s[i-1]) {
			continue
		}
		if v, ok := versionAt(s[i:]); ok {
			return v, true
		}
	}
	return 0, false
}

func versionAt(s string) (version, bool) {
	end := 0
	for end < len(s) && (digit(s[end]) || s[end] == '.' || s[end] == 'x' || s[end] == 'X') {
		end++
	}
	parts := strings.Split(strings.Trim(s[:end], "."), ".")
	if len(parts) < 2 {
		return 0, false
	}
	var v version
	for i := range 3 {
		n := 0
		if i < len(parts) {
			n, _ = strconv.Atoi(parts[i])
		}
		v = v*versionStep + version(min(max(n, 0), versionStep-1))
	}
	return v, true
}

func digit(b byte) bool { return b >= '0' && b <= '9' }
