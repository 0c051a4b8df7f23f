package model

import (
	"bytes"
	"io"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/safetensors"
)

// readSafetensors takes what the metadata of a safetensors file says about license and base model. Most files say
// nothing; tools for image models write the ModelSpec keys, and some trainers of adapters write license or base_model.
func (r *reader) readSafetensors(name string, f io.ReaderAt, size int64) {
	h, err := safetensors.Read(f, size)
	if err != nil {
		r.failed(name, "its header could not be read", err)
		return
	}
	for _, g := range h.Gaps {
		r.gap(Absent, name, "%s", g)
	}
	for _, k := range h.Also {
		r.gap(Unread, name, "a reader may also take it for %s, so it may hold more than was read", k)
	}
	for _, key := range []string{"license", "modelspec.license", "general.license"} {
		r.claim(Claim{Origin: FromWeights, Where: name + " __metadata__." + key, Value: strings.TrimSpace(h.Metadata[key])})
	}
	for _, key := range []string{"base_model", "base_model_name_or_path", "modelspec.merged_from"} {
		rel := Derived
		if key == "modelspec.merged_from" {
			rel = Merge
		}
		for part := range strings.SplitSeq(h.Metadata[key], ",") {
			r.parent(part, rel, name+" __metadata__."+key)
		}
	}
}

// readIndexes holds the indexes of safetensors files against the files that are here. An index has no word on terms, so
// that what is wrong with it is told and costs no verdict.
func (r *reader) readIndexes() {
	if !r.formats[formatSafetensors] {
		return
	}
	for _, e := range r.tree.byClass[indexFile] {
		data, cut, ok := r.load(e, maxConfig)
		switch {
		case !ok:
		case cut:
			r.gap(Absent, e.path, "it is longer than %d bytes, and was not read", int64(maxConfig))
		default:
			r.readIndex(e.path, data)
		}
	}
}

func (r *reader) readIndex(name string, data []byte) {
	x, err := safetensors.ReadIndex(bytes.NewReader(data))
	if err != nil {
		r.gap(Absent, name, "it is no index of weights: %v", err)
		return
	}
	for _, g := range x.Gaps {
		r.gap(Absent, name, "%s", g)
	}
	var missing []string
	for _, s := range x.Shards {
		file := path.Join(path.Dir(name), s)
		if !slices.ContainsFunc(r.tree.byClass[weightFile], func(e entry) bool { return e.path == file }) {
			missing = append(missing, file)
		}
	}
	if len(missing) > 0 {
		r.gap(Absent, name, "it names %d weight files that are not here: %s", len(missing), some(missing))
	}
	if w := &r.m.Weights; w.Bytes == 0 && x.TotalSize != nil && *x.TotalSize <= math.MaxInt64 {
		w.Bytes = int64(*x.TotalSize)
	}
}
