package train

import (
	"errors"
	"math"
	"math/rand"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/hardware"
)

func timed(t testing.TB, j Job, p Plan) *Figures {
	t.Helper()
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	f, err := c.Time(&j, &p)
	if err != nil {
		t.Fatalf("%+v: %v", p, err)
	}
	return f
}

// settings are jobs and plans of all kinds, by a fixed draw.
func settings(t testing.TB) ([]Job, []Plan) {
	t.Helper()
	d := rand.New(rand.NewSource(7))
	pick := func(list ...int) int { return list[d.Intn(len(list))] }
	cards := []string{"a100-80-sxm", "h100-sxm", "b200-sxm", "gb200", "mi300x", "rtx-4090", "l40s"}
	names := []string{"1b", "8b", "70b", "405b", "experts"}
	var jobs []Job
	var plans []Plan
	for range drawn {
		card := cardOf(t, cards[d.Intn(len(cards))])
		j := Job{
			Shape: shapeOf(t, names[d.Intn(len(names))]), Method: Methods()[d.Intn(len(Methods()))], Framework: Frameworks()[d.Intn(len(Frameworks()))],
			Precision: []Precision{BF16, FP8, NVFP4}[d.Intn(3)], Optimizer: Optimizers()[d.Intn(len(Optimizers()))],
			Recompute: []Recompute{None, Selective, Whole}[d.Intn(3)], Loss: Plain, Sequence: int64(pick(512, 2048, 8192, 32768)), Fill: 1, Rank: 0, Tokens: 1e11,
		}
		if j.Method == LoRA || j.Method == QLoRA {
			j.Rank = 16
		}
		p := Plan{
			GPU: card, Fabric: fabricOf(card), Tensor: pick(1, 1, 2, 8), Pipeline: pick(1, 1, 2, 8), Context: pick(1, 1, 2), Expert: 1, Data: pick(1, 4, 16, 128),
			Virtual: 1, Zero: pick(0, 1, 2, 3), Micro: int64(pick(1, 2, 4)),
		}
		if p.Pipeline > 1 {
			p.Schedule = []Schedule{OneFOneB, Interleaved, ZeroBubble}[d.Intn(3)]
			if p.Schedule == Interleaved {
				p.Virtual = 2
			}
		}
		if p.Data >= 4 && len(j.Shape.Blocks) == 48 {
			p.Expert = pick(1, 4)
		}
		p.GPUs = p.Tensor * p.Pipeline * p.Context * p.Data
		j.Global = int64(p.Data) * p.Micro * int64(pick(1, 4, 16))
		jobs, plans = append(jobs, j), append(plans, p)
	}
	return jobs, plans
}

const drawn = 400

// slower checks that a change never makes a step faster.
func slower(t *testing.T, what string, before, after float64) {
	t.Helper()
	if after < before*(1-1e-9) {
		t.Errorf("%s: %.6g s becomes %.6g s", what, before, after)
	}
}

func TestStepLaws(t *testing.T) {
	jobs, plans := settings(t)
	for i := range jobs {
		j, p := jobs[i], plans[i]
		f := timed(t, j, p)
		var sum float64
		for _, one := range f.Parts {
			sum += one.Seconds
			if !(one.Seconds >= 0) || one.Formula == "" || one.Name == "" {
				t.Errorf("part %+v", one)
			}
		}
		if off := sum/f.StepSeconds.Mid - 1; math.Abs(off) > 1e-9 {
			t.Errorf("parts of %+v are off the step by %g", p, off)
		}
		if !(f.MFU.Low > 0 && f.MFU.Low <= f.MFU.Mid && f.MFU.Mid <= f.MFU.High && f.MFU.Mid <= f.HFU.Mid*(1+1e-12)) {
			t.Errorf("MFU %+v, HFU %+v", f.MFU, f.HFU)
		}
		if !j.Framework.Counts().Full && f.HFU.Mid > 1 {
			t.Errorf("devices do %.2f of what they can", f.HFU.Mid)
		}
		if f.IdleShare < 0 || f.IdleShare > 1 || f.BubbleShare < 0 || f.BubbleShare >= 1 || f.Bound == "" {
			t.Errorf("idle %g, bubble %g, bound by %q", f.IdleShare, f.BubbleShare, f.Bound)
		}
		for _, one := range f.Traffic {
			if !(one.Bytes >= 0 && one.Seconds >= 0 && one.Hidden >= 0 && one.Hidden <= 1) || one.Link == "" {
				t.Errorf("traffic %+v", one)
			}
		}
		r := f.Run
		if !(r.Goodput.Low > 0 && r.Goodput.Mid <= 1 && r.Goodput.High <= 1 && r.Seconds.Low <= r.Seconds.Mid && r.Seconds.Mid <= r.Seconds.High) || r.Checkpoint <= 0 {
			t.Errorf("run %+v", r)
		}
	}
}

func TestFasterMachinesAreNeverSlower(t *testing.T) {
	jobs, plans := settings(t)
	for i := range jobs {
		j, p := jobs[i], plans[i]
		step := timed(t, j, p).StepSeconds.Mid
		worse := *p.Fabric
		worse.Net /= 3
		q := p
		q.Fabric = &worse
		slower(t, "a slower network", step, timed(t, j, q).StepSeconds.Mid)
		slow := *p.Fabric
		slow.DomainB /= 3
		q.Fabric = &slow
		slower(t, "a slower link", step, timed(t, j, q).StepSeconds.Mid)
		q = p
		card := *p.GPU
		card.DenseTFLOPS = map[string]float64{}
		for format, v := range p.GPU.DenseTFLOPS {
			card.DenseTFLOPS[format] = v / 2
		}
		card.MatmulBF16 /= 2
		q.GPU = &card
		slower(t, "a card with half of the peak", step, timed(t, j, q).StepSeconds.Mid)
		card = *p.GPU
		card.BandwidthGBs /= 2
		q.GPU = &card
		slower(t, "a card with half of the bandwidth", step, timed(t, j, q).StepSeconds.Mid)
	}
}

func TestMoreDevicesNeverMoreThanHalve(t *testing.T) {
	jobs, plans := settings(t)
	for i := range jobs {
		j, p := jobs[i], plans[i]
		if p.Zero >= 2 && p.Data == 1 {
			continue // one replica shares nothing, two do
		}
		before := timed(t, j, p)
		q := p
		q.Data, q.GPUs = 2*p.Data, 2*p.GPUs
		after := timed(t, j, q)
		slower(t, "twice the replicas at one global batch", before.StepSeconds.Mid/2, after.StepSeconds.Mid)
		if j.Method == PPO || j.Method == GRPO {
			continue // engines that write more answers at once waste less
		}
		more := j
		more.Global *= 2
		p.Zero, q.Zero = 0, 0 // where states are shared, each device has half to step: more than twice as fast may be true
		one, two := timed(t, j, p).TokensPerS.Mid, timed(t, more, q).TokensPerS.Mid
		if two > 2*one*(1+1e-9) {
			t.Errorf("twice the replicas and the batch: %.6g tokens/s become %.6g", one, two)
		}
	}
}

func TestMoreRecomputationNeverComputesLess(t *testing.T) {
	jobs, plans := settings(t)
	for i := range jobs {
		j, p := jobs[i], plans[i]
		var flops, step float64
		for _, r := range []Recompute{None, Selective, Whole} {
			j.Recompute = r
			f := timed(t, j, p)
			if f.Hardware < flops || f.PerToken > f.Hardware {
				t.Errorf("%s recomputation: %g FLOPs after %g, the model has %g", r, f.Hardware, flops, f.PerToken)
			}
			slower(t, string(r)+" recomputation", step, f.StepSeconds.Mid)
			flops, step = f.Hardware, f.StepSeconds.Mid
		}
	}
}

func TestBubbleShare(t *testing.T) {
	for _, tt := range []struct {
		schedule           Schedule
		stages, chunks     int
		micros             int64
		numerator, divisor float64
	}{
		{OneFOneB, 1, 1, 8, 0, 1},
		{OneFOneB, 4, 1, 8, 3, 11},
		{OneFOneB, 16, 1, 1, 15, 16},
		{OneFOneB, 8, 1, 64, 7, 71},
		{Interleaved, 8, 4, 64, 7, 4*64 + 7},
		{ZeroBubble, 8, 1, 64, 7, 3*64 + 7},
	} {
		p := Plan{Pipeline: tt.stages, Virtual: tt.chunks, Schedule: tt.schedule, Data: 1, Micro: 1}
		j := Job{Global: tt.micros}
		if got, want := p.BubbleShare(&j), tt.numerator/tt.divisor; math.Abs(got-want) > 1e-12 {
			t.Errorf("%s of %d stages, %d chunks, %d micro-batches: %g, want %g", tt.schedule, tt.stages, tt.chunks, tt.micros, got, want)
		}
	}
}

// The figures that frameworks print beside tokens a second tell how they count.
func TestFLOPsAsFrameworksCount(t *testing.T) {
	for _, tt := range []struct {
		name      string
		framework Framework
		shape     string
		method    Method
		sequence  int64
		want      float64 // FLOPs of a token
		source    string
	}{
		{"causal, without the embedding", Megatron, "8b", Pretrain, 8192, 1933e12 / 37556, "Megatron-Bridge, Llama 3 8B on GB300"},
		{"causal, large", Megatron, "405b", Pretrain, 8192, 822e12 / 326, "Megatron-Bridge, Llama 3.1 405B on H100"},
		{"in full", Foundry, "8b", Pretrain, 8192, 6*8.03e9 + 12*32*4096*8192, "llm-foundry, scripts/train/benchmarking"},
		{"causal, experts", Megatron, "experts", Pretrain, 4096, 203e12 / 8826, "Megatron-Bridge, Qwen3 30B-A3B on H100"},
	} {
		got, _ := FLOPs(&Job{Shape: shapeOf(t, tt.shape), Framework: tt.framework, Method: tt.method, Sequence: tt.sequence})
		if math.Abs(got/tt.want-1) > 0.006 {
			t.Errorf("%s: %.5g, want %.5g (%s)", tt.name, got, tt.want, tt.source)
		}
	}
}

// The fit of frozen weights has two thirds of the products: Megatron-Bridge prints 1731 TFLOPS at 6206 tokens/s for a LoRA of
// Llama 3 70B, whose packed texts are short.
func TestFrozenWeightsHaveNoGradients(t *testing.T) {
	got, _ := FLOPs(&Job{Shape: shapeOf(t, "70b"), Framework: Megatron, Method: LoRA, Rank: 16, Sequence: 200})
	if want := 1731e12 / 6206; math.Abs(got/want-1) > 0.02 {
		t.Errorf("%.5g FLOPs of a token, want %.5g", got, want)
	}
}

func TestHostileSizesAreRefusedOrTimed(t *testing.T) {
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	card := cardOf(t, "h100-sxm")
	sizes := []int64{math.MinInt64, -1, 0, 1, 7, math.MaxInt32, math.MaxInt64}
	d := rand.New(rand.NewSource(3))
	pick := func() int64 { return sizes[d.Intn(len(sizes))] }
	for range 20000 {
		j := Job{Shape: shapeOf(t, "1b"), Method: Methods()[d.Intn(7)], Sequence: pick(), Global: pick(), Tokens: float64(pick()), Rank: pick(), Prompt: pick(), Failing: float64(pick())}
		p := Plan{
			GPU: card, GPUs: int(pick()), Tensor: int(pick()), Pipeline: int(pick()), Context: int(pick()), Expert: int(pick()), Data: int(pick()), Virtual: int(pick()),
			Shard: int(pick()), Zero: int(pick()), Micro: pick(),
		}
		f, err := c.Time(&j, &p)
		if err != nil {
			if !errors.Is(err, ErrIllegal) && !errors.Is(err, ErrUnknown) {
				t.Fatalf("%v wraps neither", err)
			}
			continue
		}
		for _, v := range []float64{f.StepSeconds.Low, f.StepSeconds.High, f.TokensPerS.Mid, f.MFU.High, f.IdleShare, f.BubbleShare, f.PerToken, f.Hardware} {
			if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
				t.Fatalf("%v of %+v under %+v", v, f, p)
			}
		}
		if r := f.Run; r != nil {
			for _, v := range []float64{r.Seconds.High, r.GPUHours.Mid, r.Steps, r.Checkpoint, r.Goodput.Mid, r.Failures.High} {
				if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
					t.Fatalf("run %+v under %+v", r, p)
				}
			}
		}
	}
}

func TestUnknownIsSaid(t *testing.T) {
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	shape := shapeOf(t, "1b")
	for name, tt := range map[string]struct {
		job  Job
		plan Plan
		want string
	}{
		"no model":     {Job{Sequence: 1}, Plan{GPU: cardOf(t, "h100-sxm")}, "no model"},
		"no device":    {Job{Shape: shape, Sequence: 1}, Plan{}, "no device"},
		"no bandwidth": {Job{Shape: shape, Sequence: 1}, Plan{GPU: &hardware.Accelerator{Name: "thing"}}, "bandwidth"},
		"no sequence":  {Job{Shape: shape}, Plan{GPU: cardOf(t, "h100-sxm")}, "sequences"},
		"no network":   {Job{Shape: shape, Sequence: 1}, Plan{GPU: cardOf(t, "h100-sxm"), GPUs: 64, Data: 64, Fabric: &Fabric{Node: 8, Domain: 8}}, "network"},
	} {
		if _, err := c.Time(&tt.job, &tt.plan); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want something of %q", name, err, tt.want)
		}
	}
}

// Answers to learn from take longer with more of them, and pairs are scored by their reference.
func TestAligningAdds(t *testing.T) {
	card := cardOf(t, "h100-sxm")
	p := Plan{GPU: card, Fabric: fabricOf(card), GPUs: 8, Data: 8, Zero: 3, Micro: 1}
	j := Job{Shape: shapeOf(t, "8b"), Method: Full, Framework: HF, Precision: BF16, Sequence: 4096, Global: 64}
	plain := timed(t, j, p).StepSeconds.Mid
	for _, m := range []Method{DPO, PPO, GRPO} {
		j.Method = m
		f := timed(t, j, p)
		slower(t, string(m), plain, f.StepSeconds.Mid)
		longer := j
		longer.Global *= 2
		slower(t, string(m)+" of twice the answers", f.StepSeconds.Mid, timed(t, longer, p).StepSeconds.Mid)
		rollouts := 0.0
		for _, one := range f.Parts {
			if one.Cause == Rollouts {
				rollouts += one.Seconds
			}
		}
		if (rollouts > 0) != (m != DPO) {
			t.Errorf("%s spends %g s in answers", m, rollouts)
		}
	}
}

func BenchmarkTime(b *testing.B) {
	c, err := Default()
	if err != nil {
		b.Fatal(err)
	}
	card := cardOf(b, "h100-sxm")
	j := Job{Shape: shapeOf(b, "405b"), Method: Pretrain, Framework: Megatron, Precision: FP8, Sequence: 8192, Global: 1024, Tokens: 1e13}
	p := Plan{GPU: card, Fabric: fabricOf(card), GPUs: 1024, Tensor: 8, Pipeline: 8, Context: 2, Data: 8, Zero: 1, Micro: 1}
	for b.Loop() {
		if _, err := c.Time(&j, &p); err != nil {
			b.Fatal(err)
		}
	}
}
