package serve_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/serve"
)

const (
	seventy = `{"architectures":["LlamaForCausalLM"],"hidden_size":8192,"num_hidden_layers":80,"num_attention_heads":64,"num_key_value_heads":8,
		"intermediate_size":28672,"vocab_size":128256,"max_position_embeddings":131072,"tie_word_embeddings":false}`
)

func engineOf(t testing.TB, kind serve.Kind) *serve.Engine {
	t.Helper()
	e, err := serve.FindEngine(string(kind), "")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// machine is a machine with cards of that memory.
func machine(gib float64, cards int) *hardware.Accelerator {
	c := card(gib)
	c.MaxPerNode = cards
	return c
}

func TestArrange(t *testing.T) {
	for _, tt := range []struct {
		name  string
		shape string
		kind  serve.Kind
		plan  serve.Plan
		want  [5]int // devices, tensor, pipeline, data, expert
		err   bool
	}{
		{"one device", "dense", serve.VLLM, serve.Plan{}, [5]int{1, 1, 1, 1, 1}, false},
		{"tensor parallel within a machine", "dense", serve.VLLM, serve.Plan{GPUs: 4}, [5]int{4, 4, 1, 1, 1}, false},
		{"stages across machines", "dense", serve.VLLM, serve.Plan{GPUs: 16}, [5]int{16, 8, 2, 1, 1}, false},
		{"stages where heads do not divide", "dense", serve.VLLM, serve.Plan{GPUs: 6}, [5]int{6, 2, 3, 1, 1}, false},
		{"what is given is kept", "dense", serve.VLLM, serve.Plan{GPUs: 4, Tensor: 2}, [5]int{4, 2, 2, 1, 1}, false},
		{"the number follows", "dense", serve.VLLM, serve.Plan{Tensor: 2, Pipeline: 2}, [5]int{4, 2, 2, 1, 1}, false},
		{"replicas", "dense", serve.VLLM, serve.Plan{GPUs: 8, Data: 2, Tensor: 4}, [5]int{8, 4, 1, 2, 1}, false},
		{"experts", "experts", serve.VLLM, serve.Plan{GPUs: 4, Expert: 4}, [5]int{4, 4, 1, 1, 4}, false},
		{"llama.cpp deals out layers", "dense", serve.LlamaCPP, serve.Plan{GPUs: 3}, [5]int{3, 1, 3, 1, 1}, false},
		{"llama.cpp is given stages", "dense", serve.LlamaCPP, serve.Plan{Pipeline: 3}, [5]int{3, 1, 3, 1, 1}, false},
		{"llama.cpp parts rows", "dense", serve.LlamaCPP, serve.Plan{GPUs: 3, Tensor: 3}, [5]int{3, 3, 1, 1, 1}, false},
		{"llama.cpp parts rows and leaves none out", "dense", serve.LlamaCPP, serve.Plan{GPUs: 4, Tensor: 3}, [5]int{}, true},
		{"llama.cpp parts rows or layers", "dense", serve.LlamaCPP, serve.Plan{Tensor: 2, Pipeline: 2}, [5]int{}, true},
		{"libraries deal out layers", "dense", serve.Transformers, serve.Plan{GPUs: 4}, [5]int{4, 1, 4, 1, 1}, false},
		{"libraries are given ranks", "dense", serve.Transformers, serve.Plan{GPUs: 4, Tensor: 4}, [5]int{4, 4, 1, 1, 1}, false},
		{"llama.cpp shares no experts out", "experts", serve.LlamaCPP, serve.Plan{Expert: 2}, [5]int{}, true},
		{"llama.cpp has no replicas", "dense", serve.LlamaCPP, serve.Plan{Data: 2}, [5]int{}, true},
		{"llama.cpp leaves no device out", "dense", serve.LlamaCPP, serve.Plan{GPUs: 4, Pipeline: 2}, [5]int{}, true},
		{"a product that is too large", "dense", serve.VLLM, serve.Plan{GPUs: 2, Tensor: 4}, [5]int{}, true},
		{"more stages than layers", "dense", serve.VLLM, serve.Plan{GPUs: 31 * 37}, [5]int{}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := tt.plan
			p.Engine, p.GPU, p.MaxModelLen = engineOf(t, tt.kind), machine(80, 8), 4096
			q, err := serve.Prepare(modelOf(t, shapes[tt.shape], "bf16")).Arrange(p)
			if errors.Is(err, serve.ErrIllegal) != tt.err || (err != nil) != tt.err {
				t.Fatalf("error %v", err)
			}
			if got := [5]int{q.GPUs, q.Tensor, q.Pipeline, q.Data, q.Expert}; !tt.err && got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestMinGPUsIsTheSmallest(t *testing.T) {
	for _, kind := range []serve.Kind{serve.VLLM, serve.SGLang, serve.TensorRT, serve.Transformers, serve.LlamaCPP} {
		for _, need := range []serve.Need{{}, {Concurrency: 24}} {
			m := serve.Prepare(modelOf(t, seventy, "bf16"))
			p := serve.Plan{Engine: engineOf(t, kind), GPU: machine(79.19, 8), MaxModelLen: 8192}
			q, memory, err := m.MinGPUs(p, need)
			if err != nil {
				t.Errorf("%s: %v", kind, err)
				continue
			}
			if !need.Met(memory) {
				t.Errorf("%s: %d devices do not meet the need", kind, q.GPUs)
			}
			for p.GPUs = 1; p.GPUs < q.GPUs; p.GPUs++ {
				if _, less, err := m.Settle(p); err == nil && need.Met(less) {
					t.Errorf("%s: %d are enough, %d were found", kind, p.GPUs, q.GPUs)
				}
			}
		}
	}
}

func TestMinGPUsFindsNone(t *testing.T) {
	m := serve.Prepare(modelOf(t, seventy, "bf16"))
	p := serve.Plan{Engine: engineOf(t, serve.VLLM), GPU: machine(9, 2), MaxModelLen: 8192}
	q, memory, err := m.MinGPUs(p, serve.Need{})
	if !errors.Is(err, serve.ErrNoCount) || memory == nil || q.GPUs != p.Most() {
		t.Errorf("%d devices, account %t, %v; want the account of %d", q.GPUs, memory != nil, err, p.Most())
	}
	p.GPU = machine(1, 2) // the weights alone are larger
	if _, memory, err = m.MinGPUs(p, serve.Need{}); !errors.Is(err, serve.ErrNoCount) || memory != nil {
		t.Errorf("account %t, %v; want none", memory != nil, err)
	}
}

// TestMinGPUsNamesTheRule: where no division is legal, nothing is said of room.
func TestMinGPUsNamesTheRule(t *testing.T) {
	m := serve.Prepare(modelOf(t, shapes["experts"], "bf16"))
	for _, tt := range []struct {
		kind serve.Kind
		plan serve.Plan
		says string
	}{
		{serve.VLLM, serve.Plan{KV: "q8_0"}, "keeps no cache in"},
		{serve.LlamaCPP, serve.Plan{Tensor: 2, Pipeline: 2}, "--split-mode row"},
		{serve.LlamaCPP, serve.Plan{Expert: 2}, "no expert parallelism"},
		{serve.LlamaCPP, serve.Plan{Data: 2}, "no data parallelism"},
	} {
		p := tt.plan
		p.Engine, p.GPU, p.MaxModelLen = engineOf(t, tt.kind), machine(80, 8), 4096
		_, memory, err := m.MinGPUs(p, serve.Need{})
		if !errors.Is(err, serve.ErrIllegal) || errors.Is(err, serve.ErrNoCount) || memory != nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s %+v: %v; want an illegal plan that says %q", tt.kind, tt.plan, err, tt.says)
		}
		_, ok := m.BestQuantization(p, serve.Need{})
		if ok {
			t.Errorf("%s %+v: some format makes it legal", tt.kind, tt.plan)
		}
	}
}

// TestMinGPUsWithHost: a model that lies in part in the memory of the host is given one device, and more of them are
// a change that is proposed.
func TestMinGPUsWithHost(t *testing.T) {
	for _, tt := range []struct {
		name, shape string
		options     serve.LlamaOptions
		want        int
	}{
		{"experts", "experts", serve.LlamaOptions{GPULayers: -1, CPUExperts: 48}, 1},
		{"nothing on the device", "seventy", serve.LlamaOptions{HostOnly: true}, 1},
		{"too many layers for one", "seventy", serve.LlamaOptions{GPULayers: 40}, 0},
		{"all layers", "seventy", serve.LlamaOptions{GPULayers: 81}, 6},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := shapes[tt.shape]
			if tt.shape == "seventy" {
				text = seventy
			}
			m := serve.Prepare(modelOf(t, text, "bf16"))
			p := serve.Plan{Engine: engineOf(t, serve.LlamaCPP), GPU: machine(23.6, 8), MaxModelLen: 4096, Llama: tt.options}
			q, _, err := m.MinGPUs(p, serve.Need{})
			if tt.want > 0 && (err != nil || q.GPUs != tt.want) || tt.want == 0 && !errors.Is(err, serve.ErrNoCount) {
				t.Errorf("%d devices, %v; want %d", q.GPUs, err, tt.want)
			}
			if tt.want == 0 && !slices.ContainsFunc(m.Mends(p, serve.Need{}), func(m serve.Mend) bool { return m.Flag == "--gpus 4" }) {
				t.Errorf("%v, want --gpus 4 among them", m.Mends(p, serve.Need{}))
			}
		})
	}
}

// TestMendsOfASplit: who asks for a division that no engine makes is told those nearby that it makes.
func TestMendsOfASplit(t *testing.T) {
	m := serve.Prepare(modelOf(t, seventy, "bf16"))
	p := serve.Plan{Engine: engineOf(t, serve.VLLM), GPU: machine(80, 8), MaxModelLen: 4096, Tensor: 7}
	var flags []string
	for _, mend := range m.Mends(p, serve.Need{}) {
		flags = append(flags, mend.Flag)
	}
	for _, want := range []string{"--tp 1 --pp 7", "--tp 4", "--tp 8"} {
		if !slices.Contains(flags, want) {
			t.Errorf("%q, want %s among them", flags, want)
		}
	}
	p = serve.Plan{Engine: engineOf(t, serve.LlamaCPP), GPU: machine(80, 8), MaxModelLen: 4096, Tensor: 2, Expert: 2}
	if got := m.Mends(p, serve.Need{}); len(got) == 0 || got[0].Flag != "--tp 1 --pp 2 --ep 1" {
		t.Errorf("%v, want --tp 1 --pp 2 --ep 1 first", got)
	}
}

func TestMaxContext(t *testing.T) {
	for name, text := range shapes {
		for _, kind := range []serve.Kind{serve.VLLM, serve.Transformers} {
			for _, need := range []serve.Need{{}, {Concurrency: 3}} {
				m := serve.Prepare(modelOf(t, text, "bf16"))
				p := serve.Plan{Engine: engineOf(t, kind), GPU: machine(79.19, 8), GPUs: 1, Tensor: 1, Pipeline: 1, Data: 1}
				const limit = 1 << 20
				n := m.MaxContext(p, need, limit)
				meets := func(n int64) bool {
					p.MaxModelLen = n
					memory, err := m.Fit(p)
					return err == nil && need.Met(memory)
				}
				if n > 0 && !meets(n) {
					t.Errorf("%s with %s for %v: %d tokens do not fit", name, kind, need, n)
				}
				if longer := n + n/100 + 64; n < limit && meets(longer) {
					t.Errorf("%s with %s for %v: %d tokens fit, and %d were found", name, kind, need, longer, n)
				}
			}
		}
	}
}

func TestBestQuantization(t *testing.T) {
	m := serve.Prepare(modelOf(t, seventy, "bf16"))
	for _, tt := range []struct {
		kind  serve.Kind
		gib   float64
		count int
		want  string
		ok    bool
	}{
		{serve.VLLM, 180, 1, "bf16", true},
		{serve.VLLM, 140, 1, "fp8", true},
		{serve.VLLM, 79, 1, "w4a16", true},
		{serve.VLLM, 79, 2, "fp8", true},
		{serve.VLLM, 24, 1, "w4a16", false},
		{serve.VLLM, 79, 0, "w4a16", true},
		{serve.LlamaCPP, 90, 1, "Q8_0", true},
		{serve.LlamaCPP, 48, 1, "Q4_K_M", true},
		{serve.LlamaCPP, 10, 1, "Q2_K", false},
	} {
		a, ok := m.BestQuantization(serve.Plan{Engine: engineOf(t, tt.kind), GPU: machine(tt.gib, 8), GPUs: tt.count, MaxModelLen: 8192}, serve.Need{})
		if ok != tt.ok || a.Model.Format() != tt.want || a.Memory == nil {
			t.Errorf("%s on %d × %g GiB: %s, %t; want %s, %t", tt.kind, tt.count, tt.gib, a.Model.Format(), ok, tt.want, tt.ok)
		}
	}
}

// TestMends: every change that is proposed, made as its flags say, meets the need; and two are proposed only together
// where neither does it alone.
func TestMends(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind serve.Kind
		gib  float64
		plan serve.Plan
		need serve.Need
		want []string // flags
	}{
		{"the cache is too small by little", serve.VLLM, 170, serve.Plan{GPUs: 1, MaxModelLen: 65536, Tensor: 1}, serve.Need{}, nil},
		{"many requests", serve.VLLM, 79.19, serve.Plan{GPUs: 2, MaxModelLen: 32768}, serve.Need{Concurrency: 8}, nil},
		{"weights too large", serve.VLLM, 79.19, serve.Plan{GPUs: 1, MaxModelLen: 8192}, serve.Need{}, []string{"--quant w4a16", "--gpus 3"}},
		{"two changes", serve.VLLM, 48, serve.Plan{GPUs: 1, MaxModelLen: 32768}, serve.Need{}, nil},
		{"an illegal division", serve.VLLM, 79.19, serve.Plan{Tensor: 3, MaxModelLen: 8192}, serve.Need{}, nil},
		{"a cache that the engine does not keep", serve.VLLM, 79.19, serve.Plan{GPUs: 4, MaxModelLen: 8192, KV: "q8_0"}, serve.Need{}, []string{"--kv-dtype auto"}},
		{"another engine", serve.SGLang, 79.19, serve.Plan{GPUs: 2, MaxModelLen: 65536}, serve.Need{Concurrency: 4}, nil},
		{"buffers by length", serve.Transformers, 79.19, serve.Plan{GPUs: 2, MaxModelLen: 131072}, serve.Need{}, nil},
		{"llama.cpp", serve.LlamaCPP, 48, serve.Plan{GPUs: 1, MaxModelLen: 65536}, serve.Need{}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := serve.Prepare(modelOf(t, seventy, "bf16"))
			p := tt.plan
			p.Engine, p.GPU = engineOf(t, tt.kind), machine(tt.gib, 8)
			if _, memory, err := m.Settle(p); err == nil && tt.need.Met(memory) {
				t.Fatal("there is nothing to mend")
			}
			mends := m.Mends(p, tt.need)
			if len(mends) == 0 {
				t.Fatal("nothing is proposed")
			}
			var flags []string
			for _, mend := range mends {
				flags = append(flags, mend.Flag)
				if !applied(t, m, p, tt.need, mend.Flag) {
					t.Errorf("%q (%s) does not mend it", mend.Text, mend.Flag)
				}
				singles := strings.Split(mend.Text, " and ")
				if strings.Contains(mend.Text, "keep the cache of keys and values") || strings.Contains(mend.Text, "tensor parallel") {
					continue
				}
				if len(singles) != 1 && len(mends) > 1 && slices.ContainsFunc(mends, func(o serve.Mend) bool { return o.Text == singles[0] || o.Text == singles[1] }) {
					t.Errorf("%q holds a change that does it alone", mend.Text)
				}
			}
			if tt.want != nil && !slices.Equal(flags, tt.want) {
				t.Errorf("%q, want %q", flags, tt.want)
			}
			t.Log(flags)
		})
	}
}

// applied makes the changes that flags say.
func applied(t *testing.T, m *serve.Prepared, p serve.Plan, need serve.Need, flags string) bool {
	t.Helper()
	words := strings.Fields(flags)
	for i := 0; i+1 < len(words); i += 2 {
		n, _ := strconv.Atoi(words[i+1])
		switch words[i] {
		case "--kv-dtype":
			p.KV = words[i+1]
		case "--gpu-memory-utilization":
			share, err := strconv.ParseFloat(words[i+1], 64)
			if err != nil {
				t.Fatal(err)
			}
			p.Utilization = share
		case "--max-model-len":
			p.MaxModelLen = int64(n)
		case "--max-num-seqs":
			p.MaxSeqs = int64(n)
		case "--gpus":
			p.GPUs = n
		case "--tp":
			p.Tensor = n
		case "--pp":
			p.Pipeline = n
		case "--dp":
			p.Data = n
		case "--quant":
			with := m.Model()
			scheme, err := quant.As(with.Shape, words[i+1])
			if err != nil {
				t.Fatal(err)
			}
			with.Weights = scheme
			m = serve.Prepare(with)
		default:
			t.Fatalf("flag %s", words[i])
		}
	}
	_, memory, err := m.Settle(p)
	return err == nil && need.Met(memory)
}

func TestMendsNothing(t *testing.T) {
	m := serve.Prepare(modelOf(t, seventy, "bf16"))
	p := serve.Plan{Engine: engineOf(t, serve.VLLM), GPU: machine(1.5, 1), GPUs: 1, MaxModelLen: 8192}
	if mends := m.Mends(p, serve.Need{}); len(mends) > 0 {
		t.Errorf("%v", mends)
	}
}

func BenchmarkMends(b *testing.B) {
	for _, kind := range []serve.Kind{serve.VLLM, serve.LlamaCPP} {
		b.Run(fmt.Sprint(kind), func(b *testing.B) {
			m := serve.Prepare(modelOf(b, seventy, "bf16"))
			p := serve.Plan{Engine: engineOf(b, kind), GPU: machine(1.5, 8), GPUs: 1, MaxModelLen: 8192}
			for b.Loop() {
				m.Mends(p, serve.Need{})
			}
		})
	}
}
