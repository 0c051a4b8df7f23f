package safetensors

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/llmcheck/llmcheck/internal/filename"
	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// Index says in which file each tensor of a model lies: model.safetensors.index.json.
type Index struct {
	Weights   []Weight // in the order of the file
	Shards    []string // the files, in the order of their first mention
	TotalSize *uint64  // metadata.total_size, the bytes of all tensors; nil if it is not there or no integer
	Gaps      []string // what was found and could not be judged, in words
}

// Weight is a tensor and its file, whose name filename.Check has accepted.
type Weight struct{ Tensor, Shard string }

// ReadIndex reads an index of at most strictjson.DefaultLimit bytes.
func ReadIndex(r io.Reader) (*Index, error) {
	root, err := strictjson.Parse(r, 0, "weight_map")
	if err != nil {
		return nil, err
	}
	weightMap, ok, err := root.Object("weight_map")
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errors.New("no weight_map, so this is no index of weights")
	}
	x := &Index{}
	if err := x.weights(weightMap); err != nil {
		return nil, err
	}
	x.totalSize(root)
	return x, nil
}

func (x *Index) weights(weightMap strictjson.Value) error {
	seen := map[string]bool{}
	for tensor, v := range weightMap.Members() {
		shard, err := v.AsString()
		if err != nil {
			return err
		}
		if !seen[shard] {
			if err := filename.Check(shard); err != nil {
				return v.Errorf("names the file %s, which %v", printable.Quote(shard), err)
			}
			seen[shard] = true
			x.Shards = append(x.Shards, shard)
		}
		x.Weights = append(x.Weights, Weight{tensor, shard})
	}
	if len(x.Weights) == 0 {
		return weightMap.Errorf("is empty, want at least one tensor")
	}
	return nil
}

// totalSize is a statement about the files and decides nothing, and programs that quantize write fractions there: what
// is no integer is a gap.
func (x *Index) totalSize(root strictjson.Value) {
	metadata, ok, err := root.Object("metadata")
	if ok {
		var n uint64
		if n, ok, err = metadata.Uint("total_size"); ok {
			x.TotalSize = &n
		}
	}
	if err != nil {
		x.Gaps = append(x.Gaps, fmt.Sprintf("total size unknown: %v", err))
	}
}

// Of is the names of the tensors that lie in the shard.
func (x *Index) Of(shard string) []string {
	var names []string
	for _, w := range x.Weights {
		if w.Shard == shard {
			names = append(names, w.Tensor)
		}
	}
	return slices.Clip(names)
}
