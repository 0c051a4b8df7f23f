package model

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// Limits of what is read of one model for its shape.
const (
	maxShapeHeaders = 200     // headers of weight files, each of which may cost a request
	maxStored       = 500_000 // tensors of all of them; the largest published model has 300,000
)

// dictionaries are the keys of configurations under which names stand and not fields.
var dictionaries = []string{"label2id", "id2label", "vocab", "weight_map", "quantized_layers", "extra_config"}

// ReadShape reads what the size of a model follows from: its configurations and the headers of its weight files, all
// those of the main model, with their tensors. It reads no card and no terms. Of several GGUF files the one is read whose
// name has quant in it, such as Q4_K_M; where that fits none or several, a gap lists them.
//
// What is missing, too large, malformed or contradictory becomes a Gap that names the file; the error is for a folder
// that cannot be read at all. If ref is of SchemeFile, fsys holds that file, which may be a configuration of any name,
// an index, a GGUF or a safetensors file, and the files that belong to it.
func ReadShape(fsys fs.FS, ref Ref, revision, quant string) (*Model, error) {
	r := &reader{fsys: fsys, m: &Model{Ref: ref, Revision: revision}, formats: make(map[string]bool), shape: true}
	if err := r.walk(); err != nil {
		return nil, fmt.Errorf("reading the files of %s: %w", ref, cause(err))
	}
	r.readShapeConfigs()
	s := stored{reader: r, quant: quant}
	s.read()
	r.m.Weights.Formats = slices.Sorted(maps.Keys(r.formats))
	slices.SortFunc(r.m.Files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	return r.m, nil
}

// companion reports whether a file only accompanies the one that was named alone. It matters for the shape, and a
// license is read of the named file alone.
func (r *reader) companion(name string) bool {
	if r.shape || !r.alone() {
		return false
	}
	base := strings.ToLower(path.Base(name))
	return (base == "config.json" || base == "adapter_config.json" || isExport(base)) && base != strings.ToLower(lastPart(r.m.Ref.Name))
}

// lastPart is the name of the file that a path leads to, on any system.
func lastPart(p string) string { return p[strings.LastIndexAny(p, `/\`)+1:] }

// readShapeConfigs reads the configurations of the root.
func (r *reader) readShapeConfigs() {
	files := slices.Concat(r.tree.byClass[configFile], r.tree.byClass[exportFile])
	for i, e := range files {
		if path.Dir(e.path) != "." {
			continue
		}
		if i >= maxConfigs {
			r.gap(Unread, e.path, "it was not read: there are more than %d config files", maxConfigs)
			return
		}
		r.readShapeConfig(e)
	}
}

func (r *reader) readShapeConfig(e entry) {
	base := strings.ToLower(e.path)
	switch base {
	case "tokenizer_config.json", "processor_config.json", "preprocessor_config.json", "model_index.json":
		if !r.alone() {
			return
		}
	}
	v, ok := r.object(e)
	if !ok {
		return
	}
	switch {
	case isExport(base):
		r.m.Quant = v
	case base == "adapter_config.json" || r.alone() && has(v, "peft_type"):
		r.m.Adapter = v
		r.takeAdapter(e.path, v)
	case base == "config.json":
		r.m.Config = v
		r.takeMain(e.path, v)
	default:
		r.takeBare(e, v)
	}
}

// takeBare takes a file of any name by what it holds: an index, an export of a quantizer, or a configuration.
func (r *reader) takeBare(e entry, v strictjson.Value) {
	switch {
	case has(v, "weight_map"):
		r.add(indexFile, e)
	case has(v, "quantization", "quant_algo") && !has(v, "architectures") && !has(v, "model_type"):
		r.m.Quant = v
	default:
		r.m.Config = v
		r.takeMain(e.path, v)
	}
}

func has(v strictjson.Value, keys ...string) bool {
	_, ok := v.Get(keys...)
	return ok
}

// object reads a file that must hold one JSON object.
func (r *reader) object(e entry) (strictjson.Value, bool) {
	data, cut, ok := r.load(e, maxConfig)
	switch {
	case !ok:
		return strictjson.Value{}, false
	case cut:
		r.gap(Unread, e.path, "it is longer than %d bytes, and was not read", int64(maxConfig))
		return strictjson.Value{}, false
	}
	v, err := strictjson.Parse(bytes.NewReader(data), maxConfig, dictionaries...)
	switch {
	case err != nil:
		r.gap(Unread, e.path, "%v", err)
	case v.Kind() != strictjson.Object:
		r.gap(Unread, e.path, "want keys and values, it holds %s", v.Kind())
	default:
		return v, true
	}
	return strictjson.Value{}, false
}

// total adds sizes, and reports whether the sum is one that files can have.
func total(sizes []int64) (int64, bool) {
	var sum int64
	for _, n := range sizes {
		if n < 0 || n > math.MaxInt64/2-sum {
			return 0, false
		}
		sum += n
	}
	return sum, true
}
