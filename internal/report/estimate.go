package report

import "encoding/json"

// Estimate is the answer to "can we run it". Sizes are bytes, counts are tokens or requests. What was asked of one plan
// stands in Plan and the fields after it; Candidates are the other plans that were looked at, best first.
type Estimate struct {
	Summary string         `json:"summary"`        // one sentence: whether it fits, on what, for how many
	Model   EstimatedModel `json:"model,omitzero"` // absent where nothing could be sized
	Outlook
	Fleet      *Fleet       `json:"fleet,omitempty"` // where a load is to be served rather than a plan judged
	Candidates []Outlook    `json:"candidates"`
	Refused    []Refused    `json:"refused,omitempty"` // plans that no engine would start
	Assumed    []Assumption `json:"assumed"`
	Notes      []string     `json:"notes,omitempty"`
}

// Outlook is one plan and what comes of it.
type Outlook struct {
	Plan    *ServingPlan `json:"plan,omitempty"`
	Fits    bool         `json:"fits"`
	Verdict string       `json:"verdict"` // fits, tight, does_not_fit, undetermined
	Why     string       `json:"why,omitempty"`

	Memory         *DeviceMemory `json:"memory_per_gpu,omitempty"`
	KVTokens       *int64        `json:"kv_capacity_tokens,omitempty"` // as the engine logs it: of one replica of attention
	MaxConcurrency *float64      `json:"max_concurrency,omitempty"`    // requests of max_model_len tokens, of all replicas
	Cache          *Cache        `json:"cache,omitempty"`
	At             []AtContext   `json:"at,omitempty"` // the same plan at other lengths of context
	Host           *int64        `json:"host_bytes,omitempty"`

	Speed    *Speed  `json:"speed,omitempty"`
	Cost     *Cost   `json:"cost,omitempty"`
	Energy   *Energy `json:"energy,omitempty"`
	Manifest string  `json:"manifest,omitempty"` // the plan as something to run, where --emit asked for it

	Terms   []Term `json:"terms,omitempty"`   // what memory_per_gpu adds up from
	Breaks  string `json:"breaks,omitempty"`  // the name of the term that breaks it
	Changes []Mend `json:"changes,omitempty"` // the smallest changes that mend it
}

// EstimatedModel is what the configuration says; a model that could not be sized has no numbers.
type EstimatedModel struct {
	Architecture    string      `json:"architecture,omitempty"`
	Family          string      `json:"family,omitempty"`
	ParamsTotal     int64       `json:"params_total,omitempty"`
	ParamsActive    int64       `json:"params_active,omitempty"`
	ParamsLow       *int64      `json:"params_low,omitempty"` // where a part is only bounded
	ParamsHigh      *int64      `json:"params_high,omitempty"`
	ParamsMTP       int64       `json:"params_mtp,omitempty"` // beside the total
	Quantization    string      `json:"quantization,omitempty"`
	WeightsBytes    int64       `json:"weights_bytes,omitempty"`
	WeightsLow      *int64      `json:"weights_bytes_low,omitempty"` // where a part is only bounded
	WeightsHigh     *int64      `json:"weights_bytes_high,omitempty"`
	KVBytesPerToken *int64      `json:"kv_bytes_per_token,omitempty"` // of one more token of a long request, over all devices
	StateBytes      int64       `json:"state_bytes,omitempty"`        // of one request, whatever its length
	MaxContext      int64       `json:"max_context,omitempty"`
	Layers          []LayerKind `json:"layers"`
	Components      []Component `json:"components"`
	Symbols         []Symbol    `json:"symbols"`
	Sizes           []Size      `json:"sizes"`            // what each source says of the size
	Source          string      `json:"source,omitempty"` // where the configuration is from
	License         string      `json:"license,omitempty"`
}

// LayerKind counts layers of one kind: "full attention", "sliding attention of 1,024 tokens", "Mamba-2".
type LayerKind struct {
	Kind  string `json:"kind"`
	Count int    `json:"count"`
	Cache string `json:"cache,omitempty"` // with --explain: the numbers that one of them keeps
}

// Component is a part of the model with its tensors.
type Component struct {
	Name    string          `json:"name"`
	Total   int64           `json:"total"`
	Active  int64           `json:"active"`
	Bytes   int64           `json:"bytes"`
	Tensors []TensorFormula `json:"tensors,omitempty"` // with --explain
}

// TensorFormula is one kind of tensor, with how often it occurs.
type TensorFormula struct {
	Name    string `json:"name"`
	Formula string `json:"formula"` // "h·e × d"
	Each    int64  `json:"each"`
	Count   int64  `json:"count"` // in all layers and experts
	Format  string `json:"format"`
	Bytes   int64  `json:"bytes"` // of all of them
}

// Symbol is a letter of the formulas.
type Symbol struct {
	Text  string `json:"text"`
	Key   string `json:"key"`
	Value int64  `json:"value"`
}

// Size is what one source says of the model's size, and how far it is from the configuration.
type Size struct {
	Source      string `json:"source"` // config.json, safetensors headers, safetensors index, GGUF header, catalog
	Params      *int64 `json:"params,omitempty"`
	Bytes       *int64 `json:"bytes,omitempty"`
	Agrees      *bool  `json:"agrees,omitempty"`
	Explanation string `json:"explanation,omitempty"` // of the difference
}

// ServingPlan is how the model is served.
type ServingPlan struct {
	GPU           string  `json:"gpu"`
	GPUName       string  `json:"gpu_name"`
	GPUs          int     `json:"gpus"`
	Nodes         int     `json:"nodes"`
	Replicas      int     `json:"replicas,omitempty"` // of the whole plan behind a load balancer, spare ones included; gpus and nodes are of one
	Spare         int     `json:"spare_replicas,omitempty"`
	Tensor        int     `json:"tensor_parallel"`
	Pipeline      int     `json:"pipeline_parallel"`
	Expert        int     `json:"expert_parallel"`
	Data          int     `json:"data_parallel"`
	Engine        string  `json:"engine"`
	EngineVersion string  `json:"engine_version,omitempty"`
	Quantization  string  `json:"quantization"`
	Converted     bool    `json:"weights_converted,omitempty"` // the weights are published in another format and lose something in this one
	Utilization   float64 `json:"gpu_memory_utilization,omitempty"`
	MaxModelLen   int64   `json:"max_model_len"`
	MaxSeqs       int64   `json:"max_num_seqs,omitempty"`
	BatchedTokens int64   `json:"max_batched_tokens,omitempty"`
	KVType        string  `json:"kv_dtype"`
	GPULayers     *int    `json:"n_gpu_layers,omitempty"`
	CPUExperts    *int    `json:"n_cpu_moe,omitempty"`
}

// DeviceMemory is the account of the device that binds, in bytes; the parts add up to the capacity.
type DeviceMemory struct {
	Capacity   int64  `json:"capacity_bytes"`
	Budget     int64  `json:"budget_bytes"` // what the engine lets itself use
	Weights    int64  `json:"weights_bytes"`
	Activation int64  `json:"activation_bytes"`
	NonTorch   int64  `json:"non_torch_bytes"`
	Graphs     int64  `json:"graph_bytes"`
	KVCache    int64  `json:"kv_cache_bytes"`
	Reserved   int64  `json:"reserved_bytes"`
	Unused     int64  `json:"unused_bytes"` // negative where it does not fit
	Rank       string `json:"rank"`
}

// MarshalJSON leaves out what depends on the card where nothing is known of it.
func (m DeviceMemory) MarshalJSON() ([]byte, error) {
	if m.Capacity == 0 {
		return json.Marshal(struct {
			Weights int64  `json:"weights_bytes"`
			Rank    string `json:"rank"`
		}{m.Weights, m.Rank})
	}
	type plain DeviceMemory
	return json.Marshal(plain(m))
}

// Cache is the cache of keys and values on the device that binds. Where there are several replicas of attention, all but
// their number is of one of them.
type Cache struct {
	BytesPerToken   int64  `json:"bytes_per_token"`
	Replicas        int    `json:"replicas,omitempty"` // of attention, with a cache each, if there are several
	BytesPerRequest int64  `json:"bytes_per_request"`  // of max_model_len tokens, to the block, with its state
	StateBytes      int64  `json:"state_bytes,omitempty"`
	BlockTokens     int64  `json:"block_tokens,omitempty"`
	Blocks          *int64 `json:"blocks,omitempty"`
	MaxContext      *int64 `json:"max_context,omitempty"` // the longest single request that fits; absent where the card is not known
}

// AtContext is the same plan for requests of another length.
type AtContext struct {
	MaxModelLen    int64   `json:"max_model_len"`
	Verdict        string  `json:"verdict"`
	MaxConcurrency float64 `json:"max_concurrency"`
	MinGPUs        *int    `json:"min_gpus,omitempty"` // of this card, with the same settings
}

// Term is one line of the account.
type Term struct {
	Part    string `json:"part"` // weights, activation, non_torch, graphs, kv_cache, reserved, unused
	Name    string `json:"name"`
	Bytes   Range  `json:"bytes"`
	Formula string `json:"formula,omitempty"`
	Source  string `json:"source,omitempty"`
}

// Range is meant to hold the measured value in 80 % of cases; an exact value has one number three times.
type Range struct {
	Low  float64 `json:"low"`
	Mid  float64 `json:"mid"`
	High float64 `json:"high"`
}

// Mend is a change that makes a plan work.
type Mend struct {
	Text string `json:"text"` // "store the cache in fp8: --kv-dtype fp8"
	Flag string `json:"flag,omitempty"`
}

// Refused is a plan that is not possible.
type Refused struct {
	Plan string `json:"plan"` // "tensor parallel 3"
	Why  string `json:"why"`  // the rule it breaks
}

// Assumption is something that nobody said.
type Assumption struct {
	What  string `json:"what"`
	Value string `json:"value"`
	Why   string `json:"why"`
}
