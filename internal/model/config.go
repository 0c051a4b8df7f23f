package model

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/records"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// readConfigs reads the config files of the root and of the folders in it.
func (r *reader) readConfigs() {
	for i, e := range r.tree.byClass[configFile] {
		if i == maxConfigs {
			r.gap(Unread, e.path, "it and %d more config files were not read: more than %d",
				len(r.tree.byClass[configFile])-i-1, maxConfigs)
			return
		}
		r.readConfig(e)
	}
}

func (r *reader) readConfig(e entry) {
	data, cut, ok := r.load(e, maxConfig)
	if !ok {
		return
	}
	if cut {
		r.gap(Unread, e.path, "it is longer than %d bytes, and was not read", int64(maxConfig))
		return
	}
	v, err := strictjson.Parse(bytes.NewReader(data), maxConfig, "label2id", "id2label", "vocab", "weight_map")
	switch {
	case err != nil:
		r.gap(Unread, e.path, "%v", err)
	case v.Kind() != strictjson.Object:
		r.gap(Unread, e.path, "want keys and values, it holds %s", v.Kind())
	default:
		r.takeConfig(e.path, v)
	}
}

func (r *reader) takeConfig(name string, v strictjson.Value) {
	r.remoteCode(name, v)
	atRoot := path.Dir(name) == "."
	switch base := strings.ToLower(path.Base(name)); {
	case base == "adapter_config.json":
		r.takeAdapter(name, v)
	case base == "model_index.json" && atRoot:
		r.takePipeline(name, v)
	case base == "preprocessor_config.json" || base == "processor_config.json" || base == "tokenizer_config.json" || !atRoot:
	default:
		r.takeMain(name, v)
	}
}

// takeMain reads config.json.
func (r *reader) takeMain(name string, v strictjson.Value) {
	w := &r.m.Weights
	archs, _, err := v.Strings("architectures")
	switch {
	case err != nil:
		r.gap(Unread, name, "%v", err)
	case len(archs) > 0:
		w.Architecture = archs[0]
	}
	w.ModelType = r.text(name, v, "model_type")
	w.Multimodal = multimodal(v, archs)
	r.quantized = r.quantized || quantizedLater(v)
	r.hint(name, r.text(name, v, "_name_or_path"))
}

// takePipeline reads the index of a diffusers pipeline, which makes pictures, video or sound.
func (r *reader) takePipeline(name string, v strictjson.Value) {
	r.m.Weights.Architecture = r.text(name, v, "_class_name")
	r.m.Weights.Multimodal = new(true)
	r.hint(name, r.text(name, v, "_name_or_path"))
}

func (r *reader) takeAdapter(name string, v strictjson.Value) {
	r.adapter = true
	base := r.text(name, v, "base_model_name_or_path")
	if base == "" {
		r.gap(Unread, name, "it is the config of an adapter and names no base_model_name_or_path")
		return
	}
	r.parent(base, Adapter, name+" base_model_name_or_path")
}

// text is the string under a key; another kind of value is a gap.
func (r *reader) text(name string, v strictjson.Value, key string) string {
	s, _, err := v.String(key)
	if err != nil {
		r.gap(Unread, name, "%v", err)
	}
	return strings.TrimSpace(s)
}

// multimodal tells whether the configuration has a part for images, video or sound. It is nil where the parts are not
// listed and the class of the model does not say: ForConditionalGeneration is text to text for one family and pictures
// to text for another, and text_config stands beside parts that a shortened file may lack.
func multimodal(v strictjson.Value, archs []string) *bool {
	for key, part := range v.Members() {
		if set(part) && containsAny(strings.ToLower(key), "vision", "visual", "audio", "video", "speech", "image_token",
			"img_processor", "num_mel_bins", "mm_projector", "image_size", "pixel_") {
			return new(true)
		}
	}
	if _, composite := v.Get("text_config"); composite || len(archs) == 0 {
		return nil
	}
	for _, a := range archs {
		if !strings.HasSuffix(a, "ForCausalLM") && !strings.HasSuffix(a, "LMHeadModel") {
			return nil
		}
	}
	return new(false)
}

// set tells that a value says something: it is not null, false, empty or a number below zero, as in
// "image_token_id": -1.
func set(v strictjson.Value) bool {
	switch v.Kind() {
	case strictjson.Null:
		return false
	case strictjson.Bool:
		b, err := v.AsBool()
		return b && err == nil
	case strictjson.Array, strictjson.Object:
		return v.Len() > 0
	case strictjson.Number:
		return !strings.HasPrefix(v.Raw(), "-")
	default:
		s, err := v.AsString()
		return err != nil || s != ""
	}
}

// quantizedLater tells a quantization that is made of a trained model from number formats that models are trained and
// published in, such as fp8 and mxfp4.
func quantizedLater(v strictjson.Value) bool {
	q, ok := v.Get("quantization_config", "quant_method")
	if !ok {
		return false
	}
	method, err := q.AsString()
	if err != nil {
		return false
	}
	switch method = strings.ToLower(method); method {
	case "awq", "gptq", "bitsandbytes", "aqlm", "hqq", "eetq", "quip", "quanto", "torchao", "compressed-tensors", "exl2",
		"auto-round", "intel/auto-round", "auto_round", "vptq", "spqr", "higgs", "modelopt", "quark":
		return true
	}
	return false
}

// remoteCode lists what auto_map and custom_pipelines name.
func (r *reader) remoteCode(name string, v strictjson.Value) {
	auto, ok := v.Get("auto_map")
	if !ok {
		return
	}
	for key, target := range auto.Members() {
		for _, t := range append([]strictjson.Value{target}, slices.Collect(target.Elements())...) {
			if t.Kind() != strictjson.String {
				continue
			}
			s, err := t.AsString()
			if err != nil || s == "" {
				continue
			}
			r.runs(fmt.Sprintf("%s (%s auto_map.%s)", codePlace(s), name, key))
		}
	}
}

const maxRemoteCode = 100

func (r *reader) runs(code string) {
	if len(r.m.RemoteCode) < maxRemoteCode && !slices.Contains(r.m.RemoteCode, code) {
		r.m.RemoteCode = append(r.m.RemoteCode, code)
	}
}

// codePlace turns "org/name--modeling_x.Class" into "org/name modeling_x.py Class".
func codePlace(s string) string {
	repo, s, found := strings.Cut(s, "--")
	if !found {
		repo, s = "", repo
	}
	module, class, found := strings.Cut(s, ".")
	if found {
		s = module + ".py " + class
	}
	return strings.TrimSpace(repo + " " + s)
}

// readMerges reads the recipes of mergekit, in the root and the folders in it.
func (r *reader) readMerges() {
	for _, e := range r.tree.byClass[mergeFile] {
		if len(r.m.Parents) >= maxParents {
			return
		}
		data, cut, ok := r.load(e, maxMerge)
		switch {
		case !ok:
			continue
		case cut:
			r.gap(Unread, e.path, "it is longer than %d bytes, and was not read", maxMerge)
			continue
		}
		recipe, err := records.Front(e.path, data)
		if err != nil {
			r.gap(Unread, e.path, "%v", err)
			continue
		}
		r.takeMerge(e.path, recipe)
	}
}

// takeMerge takes the models of a recipe: base_model, models[].model, slices[].sources[].model,
// experts[].source_model, modules.*.slices[].sources[].model.
func (r *reader) takeMerge(name string, recipe map[string]any) {
	names := mergeNames("", recipe)
	if len(names) == 0 {
		r.gap(Unread, name, "it is the recipe of a merge and names no model")
	}
	for _, n := range names {
		where := name + " " + n.where
		if n.ref == "" {
			r.gap(Unread, where, "want the name of a model")
		}
		for part := range strings.SplitSeq(n.ref, "+") { // model+lora
			r.parent(part, Merge, where)
		}
	}
}

// named is a model that a recipe names; ref is empty if what stands there is no name.
type named struct{ where, ref string }

// mergeNames collects the models of a recipe. It goes as deep as records lets YAML be.
func mergeNames(where string, v any) []named {
	var out []named
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			out = append(out, mergeNames(where, x)...)
		}
	case map[string]any:
		for _, key := range sortedKeys(v) {
			at := strings.TrimPrefix(where+"."+key, ".")
			switch key {
			case "model", "base_model", "source_model":
				if v[key] != nil {
					out = append(out, named{at, mergeName(v[key])})
				}
			case "models", "slices", "sources", "experts", "shared_experts", "modules":
				out = append(out, mergeNames(at, v[key])...)
			default:
				if where == "modules" {
					out = append(out, mergeNames(at, v[key])...)
				}
			}
		}
	}
	return out
}

// mergeName is the name in "model: org/name" and in "model: {model: {path: org/name}}".
func mergeName(v any) string {
	for range 3 {
		m, ok := v.(map[string]any)
		if !ok {
			break
		}
		if v = m["model"]; v == nil {
			v = m["path"]
		}
	}
	s, _ := v.(string)
	return strings.TrimSpace(s)
}
