package report

// Speed is how fast a plan answers. Ranges are meant to hold the measured value in 80 % of cases. TTFT is the time from
// sending a request to its first token, queueing included; TPOT the mean time between the tokens of one answer after the
// first. A figure that is not known, or that no longer holds because requests arrive faster than they are answered, is
// absent.
type Speed struct {
	TTFT         *Range   `json:"ttft_s,omitempty"`
	TPOT         *Range   `json:"tpot_s,omitempty"`
	Single       *Range   `json:"single_stream_tokens_per_s,omitempty"` // decoding of one request alone
	Prompt       *Range   `json:"prompt_tokens_per_s,omitempty"`        // of one request alone
	Output       *Range   `json:"output_tokens_per_s,omitempty"`        // of all answers together, at Concurrency or RequestRate
	OutputPerGPU *Range   `json:"output_tokens_per_s_per_gpu,omitempty"`
	Requests     *Range   `json:"requests_per_s,omitempty"`
	MaxOutput    *Range   `json:"max_output_tokens_per_s,omitempty"` // with unlimited load
	MaxRequests  *Range   `json:"max_requests_per_s,omitempty"`
	Concurrency  *int64   `json:"concurrency,omitempty"`  // requests at once; of an open loop, what follows from its rate
	RequestRate  *float64 `json:"request_rate,omitempty"` // as asked
	InputTokens  int64    `json:"input_tokens"`
	OutputTokens int64    `json:"output_tokens"`
	BoundBy      string   `json:"bound_by"` // memory, compute, network, kv, overhead: what takes most of a decode step, or kv where room in the cache limits the batch
	PromptBound  string   `json:"prompt_bound_by,omitempty"`
	Saturated    bool     `json:"saturated"`
	Why          string   `json:"why,omitempty"` // of Saturated, or of figures that are absent

	Targets *Targets    `json:"targets,omitempty"`
	Tails   *Tails      `json:"percentiles,omitempty"` // of the simulation
	Curve   []LoadPoint `json:"curve,omitempty"`       // the same plan at other loads, lightest first
	Step    []StepPart  `json:"decode_step,omitempty"` // what one forward pass of decoding consists of
	Prefill []StepPart  `json:"prefill_step,omitempty"`

	Peak     []PeakUsed       `json:"peak"` // what the figures are held against
	Nearest  []NearestMeasure `json:"nearest,omitempty"`
	Basis    string           `json:"basis"`                // what the ranges rest on: measured on this engine and card, or on neither
	Narrowed string           `json:"calibrated,omitempty"` // the measurements of the user that narrowed the ranges
	Defined  []Definition     `json:"definitions"`
}

// Targets are limits that the answer is held against.
type Targets struct {
	TTFT *float64 `json:"ttft_s,omitempty"`
	TPOT *float64 `json:"tpot_s,omitempty"`
	Met  string   `json:"met"` // yes with the bad end of every range, no with the good end, else perhaps
	Why  string   `json:"why,omitempty"`
	// AtMost is how many requests at once the plan serves within the targets with the bad end of the ranges.
	AtMost     *int64   `json:"max_concurrency,omitempty"`
	AtMostRate *float64 `json:"max_requests_per_s,omitempty"`
}

// Tails are percentiles over requests, seconds, with the middle of every range.
type Tails struct {
	Requests int   `json:"requests"`
	Seed     int64 `json:"seed"`
	TTFT     Tail  `json:"ttft_s"`
	TPOT     Tail  `json:"tpot_s"`
	Total    Tail  `json:"total_s"`
	Waiting  Tail  `json:"waiting_s"`
}

// Tail is one figure over requests.
type Tail struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
}

// LoadPoint is one load of the same plan.
type LoadPoint struct {
	Concurrency int64 `json:"concurrency"`
	Output      Range `json:"output_tokens_per_s"`
	Requests    Range `json:"requests_per_s"`
	TTFT        Range `json:"ttft_s"`
	TPOT        Range `json:"tpot_s"`
	Met         *bool `json:"targets_met,omitempty"` // with the bad end of the ranges; absent where there are no targets
}

// StepPart is a cause of the time of a forward pass.
type StepPart struct {
	Cause   string  `json:"cause"` // weights, kv, compute, network, overhead, sampler ...
	Seconds float64 `json:"seconds"`
	Formula string  `json:"formula,omitempty"` // with --explain
	Source  string  `json:"source,omitempty"`  // of the constants in it
}

// PeakUsed is a figure of the card that speed is held against.
type PeakUsed struct {
	What  string  `json:"what"`  // "memory bandwidth", "fp8 matrix products, dense"
	Value float64 `json:"value"` // bytes a second or FLOP a second, of one device
	Unit  string  `json:"unit"`
	Note  string  `json:"note,omitempty"`
}

// NearestMeasure is a published measurement close to what was asked, so that a person can check the answer.
type NearestMeasure struct {
	What     string  `json:"what"` // "Llama-3.1-70B in fp8 on 4 x H100 SXM, TensorRT-LLM 1.0"
	Metric   string  `json:"metric"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit"`
	Computed *Range  `json:"computed,omitempty"` // what llmcheck says for that very setting
	Differs  string  `json:"differs"`            // in what it differs from the question; "" for the same
	Source   string  `json:"source"`
	Version  string  `json:"engine_version,omitempty"`
}

// Definition says what a word of the answer means.
type Definition struct {
	Term  string `json:"term"`
	Means string `json:"means"`
}

// Cost is what a plan costs while it is reserved, whether or not it is busy.
type Cost struct {
	PerHour    *Range      `json:"usd_per_hour,omitempty"`
	PerMonth   *Range      `json:"usd_per_month,omitempty"`
	PerMOutput *Range      `json:"usd_per_million_output_tokens,omitempty"` // at Utilization
	PerMTokens *Range      `json:"usd_per_million_tokens,omitempty"`        // of prompts and answers together
	Busy       Range       `json:"utilization"`                             // share of the capacity that is used, over the whole time
	BusyFrom   string      `json:"utilization_source"`
	Basis      string      `json:"basis"` // what the headline is of: "on demand at neoclouds", "own price", "bought"
	Prices     []PriceUsed `json:"prices"`
	Bought     *Bought     `json:"bought,omitempty"`
	Why        string      `json:"why,omitempty"` // figures are absent
}

// PriceUsed is what one kind of seller takes for the whole plan.
type PriceUsed struct {
	Seller     string `json:"seller"` // hyperscaler, neocloud, marketplace
	Terms      string `json:"terms"`  // on_demand, spot, reserved_1y, reserved_3y
	PerGPUHour Range  `json:"usd_per_gpu_hour"`
	PerHour    Range  `json:"usd_per_hour"`
	PerMonth   Range  `json:"usd_per_month"`
	PerMOutput *Range `json:"usd_per_million_output_tokens,omitempty"`
	Run        *Range `json:"usd_of_run,omitempty"` // of a training from start to end
	Offers     int    `json:"offers"`               // that the range is of
	From       string `json:"from"`                 // who sells it
	Oldest     string `json:"oldest"`               // date of the oldest price in it
	Newest     string `json:"newest"`
	Source     string `json:"source"`
	Note       string `json:"note,omitempty"`

	AcceleratorsAlone bool `json:"accelerators_alone,omitempty"` // processors and memory are billed on top
}

// Bought is the cost of owning what a plan runs on.
type Bought struct {
	Purchase Range      `json:"purchase_usd"`
	PerHour  Range      `json:"usd_per_hour"`
	PerMonth Range      `json:"usd_per_month"`
	PerMOut  *Range     `json:"usd_per_million_output_tokens,omitempty"`
	Parts    []CostPart `json:"parts"` // of a month
}

// CostPart is one cause of cost or energy, with where its figures are from.
type CostPart struct {
	What    string `json:"what"`
	Value   Range  `json:"value"`
	Unit    string `json:"unit"`
	Formula string `json:"formula"`
	Source  string `json:"source"`
}

// Energy is the electricity that a plan takes at the wall of the data center, and what its grid emits.
type Energy struct {
	Watts       *Range     `json:"watts,omitempty"`                        // of the whole plan with hosts, before PUE, at the load asked
	WhPerMOut   *Range     `json:"wh_per_million_output_tokens,omitempty"` // with PUE
	GramsPerM   *Range     `json:"gco2e_per_million_output_tokens,omitempty"`
	KWhMonth    *Range     `json:"kwh_per_month,omitempty"`
	KgMonth     *Range     `json:"kgco2e_per_month,omitempty"`
	Electricity *Range     `json:"usd_per_month,omitempty"` // of electricity alone; part of owning, included in renting
	PUE         Range      `json:"pue"`
	Grid        Range      `json:"gco2e_per_kwh"`
	Place       string     `json:"place"` // which grid
	Parts       []CostPart `json:"parts"`
	Why         string     `json:"why,omitempty"` // figures are absent
}

// Fleet is the answer to "what serves this load at the least cost".
type Fleet struct {
	RequestRate float64     `json:"request_rate,omitempty"`
	Users       int64       `json:"users,omitempty"`
	Spare       int         `json:"spare_replicas"`
	Looked      int         `json:"plans_looked_at"`
	Met         int         `json:"plans_that_meet_targets"`
	Front       []Choice    `json:"front"`    // no other plan is both cheaper and faster; cheapest first
	Rejected    []Rejection `json:"rejected"` // by card, with the reason of the plan that came nearest
}

// Choice is a plan with its replicas.
type Choice struct {
	Plan     ServingPlan `json:"plan"`
	Replicas int         `json:"replicas"` // spare ones included
	GPUs     int         `json:"gpus"`     // of all replicas
	TTFT     Range       `json:"ttft_s"`
	TPOT     Range       `json:"tpot_s"`
	PerHour  Range       `json:"usd_per_hour"`
	PerMOut  Range       `json:"usd_per_million_output_tokens"`
	Watts    *Range      `json:"watts,omitempty"`
	Busy     float64     `json:"utilization"`
}

// Rejection says why something is not among the answers.
type Rejection struct {
	What    string `json:"what"`
	Kind    string `json:"kind,omitempty"` // perhaps, no_price, too_many, too_slow, no_speed, no_memory, not_possible, no_profile
	Why     string `json:"why"`
	GPUs    int    `json:"gpus,omitempty"`         // of the plan that would serve, without a price or only perhaps
	PerHour *Range `json:"usd_per_hour,omitempty"` // of that plan
}
