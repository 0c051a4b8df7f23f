package model

import (
	"io"
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
