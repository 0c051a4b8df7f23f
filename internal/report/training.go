package report

// Training is the answer to "what does it take to train it". Sizes are bytes, times seconds, rates of all devices
// together. What was asked of one plan stands in TrainingOutlook; Candidates are the other plans, best first, and
// Generations the same work on other cards.
type Training struct {
	Summary string        `json:"summary"` // one sentence: whether it fits, on what, how long, for how much
	Model   TrainingModel `json:"model"`
	Method  string        `json:"method"`
	Job     TrainingJob   `json:"job"`
	TrainingOutlook
	Data        *TrainingData     `json:"data,omitempty"`
	Found       *TrainingSearch   `json:"search,omitempty"` // where a plan was looked for
	Candidates  []TrainingOutlook `json:"candidates"`
	Generations []Generation      `json:"generations,omitempty"`
	Refused     []Refused         `json:"refused,omitempty"`
	Assumed     []Assumption      `json:"assumed"`
	Notes       []string          `json:"notes,omitempty"`
	Outside     string            `json:"outside_of_model,omitempty"` // why figures published of such a run are not what is computed here
	Defined     []Definition      `json:"definitions"`
}

// TrainingModel is what is trained.
type TrainingModel struct {
	Architecture string      `json:"architecture,omitempty"`
	Family       string      `json:"family,omitempty"`
	Total        int64       `json:"params_total"`
	Active       int64       `json:"params_active"`
	Trained      int64       `json:"params_trained"`
	Layers       int64       `json:"layers"`
	Hidden       int64       `json:"hidden"`
	Vocabulary   int64       `json:"vocabulary"`
	Derived      string      `json:"derived_config,omitempty"` // config.json of a model that does not exist yet
	Source       string      `json:"source,omitempty"`         // where the configuration is from
	Components   []Component `json:"components,omitempty"`
}

// TrainingJob is what is to be done, whatever the machines.
type TrainingJob struct {
	Framework string  `json:"framework"`
	Precision string  `json:"precision"`
	Optimizer string  `json:"optimizer"`
	Recompute string  `json:"recompute"`
	Loss      string  `json:"loss"`
	Sequence  int64   `json:"seq_len"`
	Global    int64   `json:"global_batch"`
	Tokens    float64 `json:"tokens,omitempty"`
	Rank      int64   `json:"lora_rank,omitempty"`
	Quantized string  `json:"frozen_weights,omitempty"` // format of the frozen weights of QLoRA
	Offload   string  `json:"offload,omitempty"`
}

// TrainingPlan is how the devices share the work.
type TrainingPlan struct {
	GPU      string `json:"gpu"`
	GPUName  string `json:"gpu_name"`
	GPUs     int    `json:"gpus"`
	Nodes    int    `json:"nodes"`
	Tensor   int    `json:"tensor_parallel"`
	Pipeline int    `json:"pipeline_parallel"`
	Context  int    `json:"context_parallel"`
	Expert   int    `json:"expert_parallel"`
	Data     int    `json:"data_parallel"`
	Virtual  int    `json:"virtual_stages,omitempty"`
	Schedule string `json:"schedule,omitempty"`
	Zero     int    `json:"zero"`
	Shard    int    `json:"shard_group,omitempty"`
	Micro    int64  `json:"micro_batch"`
	Micros   int64  `json:"micro_batches"` // of a step of one replica
	Fabric   Fabric `json:"fabric"`
}

// Fabric is how devices reach each other.
type Fabric struct {
	ID        string  `json:"id,omitempty"`
	Name      string  `json:"name"`
	Node      int     `json:"gpus_per_node"`
	Domain    int     `json:"gpus_joined"`
	Link      string  `json:"link"`
	LinkBytes float64 `json:"link_bytes_per_s,omitempty"` // of one device, one direction
	Net       string  `json:"network,omitempty"`
	NetGbit   float64 `json:"network_gbit_per_gpu,omitempty"`
	Source    string  `json:"source,omitempty"`
}

// TrainingOutlook is one plan and what comes of it.
type TrainingOutlook struct {
	Plan    *TrainingPlan `json:"plan,omitempty"`
	Fits    bool          `json:"fits"`
	Verdict string        `json:"verdict"` // fits, tight, does_not_fit, undetermined
	Why     string        `json:"why,omitempty"`

	Memory  *TrainingMemory `json:"memory_per_gpu,omitempty"`
	Terms   []Term          `json:"terms,omitempty"`
	Breaks  string          `json:"breaks,omitempty"`
	Changes []Mend          `json:"changes,omitempty"`

	FLOPs       *float64 `json:"flops,omitempty"` // model FLOPs of the whole run, as Counted says; of one step where no tokens are given
	PerToken    *float64 `json:"flops_per_token,omitempty"`
	Counted     string   `json:"flops_convention,omitempty"`
	Peak        *float64 `json:"peak_flops_per_gpu,omitempty"`
	PeakOf      string   `json:"peak_of,omitempty"`
	MFU         *Range   `json:"mfu,omitempty"` // share of the dense peak, from 0 to 1
	HFU         *Range   `json:"hfu,omitempty"`
	TFLOPS      *Range   `json:"model_tflops_per_gpu,omitempty"`
	TokensPerS  *Range   `json:"tokens_per_s,omitempty"`
	StepSeconds *Range   `json:"step_s,omitempty"`
	Steps       *float64 `json:"steps,omitempty"`

	Parts       []StepPart    `json:"step,omitempty"`
	Where       []TimeShare   `json:"gpu_time,omitempty"` // where the time of a device goes; shares add up to 1
	Traffic     []LinkTraffic `json:"traffic,omitempty"`
	BubbleShare *float64      `json:"bubble_share,omitempty"`
	IdleShare   *float64      `json:"idle_share,omitempty"`
	BoundBy     string        `json:"bound_by,omitempty"`
	Basis       string        `json:"basis,omitempty"`

	Time     *Range    `json:"time_s,omitempty"` // of the whole run, failures included
	GPUHours *Range    `json:"gpu_hours,omitempty"`
	Goodput  *Range    `json:"goodput,omitempty"`
	Failing  *Failures `json:"failures,omitempty"`

	Cost   *TrainingCost   `json:"cost,omitempty"`
	USD    *Range          `json:"cost_usd,omitempty"`
	Energy *TrainingEnergy `json:"energy,omitempty"`
	Wh     *Range          `json:"energy_wh,omitempty"` // at the meter of the data center: hosts and PUE included
	Grams  *Range          `json:"gco2e,omitempty"`

	Nearest []NearestTraining `json:"nearest,omitempty"`
	Reasons []string          `json:"reasons,omitempty"` // of a plan that was looked for: why it is where it is
}

// TrainingMemory is the account of the device that holds most, in bytes.
type TrainingMemory struct {
	Capacity    int64  `json:"capacity_bytes,omitempty"`
	Weights     int64  `json:"weights_bytes"`
	Gradients   int64  `json:"gradients_bytes"`
	Optimizer   int64  `json:"optimizer_bytes"`
	Activations int64  `json:"activations_bytes"`
	Logits      int64  `json:"logits_bytes"`
	OtherModels int64  `json:"other_models_bytes"`
	Overhead    int64  `json:"overhead_bytes"`
	Planned     *Range `json:"as_planned,omitempty"` // of the plan as it is, which the verdict is about; absent where it is total
	Total       Range  `json:"total"`                // with what nobody said chosen otherwise
	Rank        string `json:"rank"`
	Host        *Range `json:"host_bytes_per_gpu,omitempty"`
	Basis       string `json:"basis,omitempty"`
}

// TimeShare is a share of the time of a device over the whole run.
type TimeShare struct {
	What  string  `json:"what"` // compute, communication, bubble, recompute, imbalance, overhead, failures ...
	Share float64 `json:"share"`
}

// LinkTraffic is what one device sends in a step over one kind of link.
type LinkTraffic struct {
	What    string  `json:"what"`
	Link    string  `json:"link"`
	Bytes   float64 `json:"bytes"`
	Seconds float64 `json:"seconds"`
	Hidden  float64 `json:"hidden_share"`
}

// Failures are what a long run loses.
type Failures struct {
	MTBF       Range   `json:"mtbf_s"` // of the whole cluster
	Expected   Range   `json:"expected"`
	Checkpoint float64 `json:"checkpoint_every_s"`
	Save       float64 `json:"save_s"`
	Restart    float64 `json:"restart_s"`
	Source     string  `json:"source"`
}

// TrainingCost is what the run costs, without people.
type TrainingCost struct {
	Total    *Range      `json:"usd,omitempty"`
	PerHour  *Range      `json:"usd_per_hour,omitempty"`
	PerMTok  *Range      `json:"usd_per_million_tokens,omitempty"`
	Basis    string      `json:"basis"`
	Prices   []PriceUsed `json:"prices"`
	Bought   *Bought     `json:"bought,omitempty"`     // what owning costs a month
	BuyUSD   *Range      `json:"owned_usd,omitempty"`  // the share of owning that the run takes
	Buying   *Range      `json:"buying_usd,omitempty"` // all that has to be bought
	NotIn    string      `json:"not_included"`
	Why      string      `json:"why,omitempty"`
	PerGPUHr *Range      `json:"usd_per_gpu_hour,omitempty"`
}

// TrainingEnergy is the electricity of the run.
type TrainingEnergy struct {
	Watts       *Range     `json:"watts,omitempty"` // of the whole cluster with hosts, before PUE
	KWh         *Range     `json:"kwh,omitempty"`
	Kg          *Range     `json:"kgco2e,omitempty"`
	Electricity *Range     `json:"usd,omitempty"` // part of owning, included in renting
	Cooling     *Range     `json:"cooling_kwh,omitempty"`
	PUE         Range      `json:"pue"`
	Grid        Range      `json:"gco2e_per_kwh"`
	Place       string     `json:"place"`
	Parts       []CostPart `json:"parts"`
	Why         string     `json:"why,omitempty"`
}

// TrainingData holds the data that is needed against what is at hand.
type TrainingData struct {
	Tokens   float64     `json:"tokens"`
	PerParam float64     `json:"tokens_per_param"`
	Optimal  Range       `json:"compute_optimal_tokens,omitzero"`
	Usual    *Range      `json:"served_model_tokens,omitempty"` // what models of this size that are served were trained on
	Have     *float64    `json:"at_hand,omitempty"`
	Epochs   *float64    `json:"epochs,omitempty"`
	Verdict  string      `json:"verdict"` // under-trained, compute-optimal, over-trained; enough, repeats, short
	Why      string      `json:"why"`
	Sources  []string    `json:"sources"`
	Points   []DataPoint `json:"points,omitempty"` // the same model at other counts
}

// DataPoint is the run with another number of tokens.
type DataPoint struct {
	Tokens   float64 `json:"tokens"`
	What     string  `json:"what"` // "compute-optimal", "as asked", "10 x"
	GPUHours *Range  `json:"gpu_hours,omitempty"`
	Time     *Range  `json:"time_s,omitempty"`
	USD      *Range  `json:"cost_usd,omitempty"`
}

// TrainingSearch says what was looked for and what stopped it.
type TrainingSearch struct {
	Deadline float64 `json:"deadline_s,omitempty"`
	Looked   int     `json:"plans_looked_at"`
	Fitted   int     `json:"plans_that_fit"`
	Largest  int     `json:"largest_sensible_gpus,omitempty"`
	Stops    string  `json:"stops,omitempty"` // what makes a larger cluster senseless
	Why      string  `json:"why,omitempty"`   // no plan was found
}

// Generation is the same work on another card, against the plan of the answer.
type Generation struct {
	GPU     string           `json:"gpu"`
	Outlook *TrainingOutlook `json:"outlook,omitempty"`
	Time    *Range           `json:"time_ratio,omitempty"` // of the answer's; below 1 is less
	Hours   *Range           `json:"gpu_hours_ratio,omitempty"`
	Energy  *Range           `json:"energy_ratio,omitempty"`
	USD     *Range           `json:"cost_ratio,omitempty"`
	Why     string           `json:"why,omitempty"` // there is none
}

// NearestTraining is a published measurement close to what was asked.
type NearestTraining struct {
	What     string  `json:"what"`
	Metric   string  `json:"metric"`
	Value    float64 `json:"value"`
	Unit     string  `json:"unit"`
	Computed *Range  `json:"computed,omitempty"` // what llmcheck says for that very setting
	Differs  string  `json:"differs"`
	Source   string  `json:"source"`
}
