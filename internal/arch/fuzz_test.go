package arch_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// FuzzNumbers puts a number where another number or word stands in a real configuration. Whatever it is, the shape is refused
// or can be counted: nothing is negative, no more is visited than there is, and it takes little time and memory.
func FuzzNumbers(f *testing.F) {
	seeds := []string{deepseekV3 + `}`, gptOSS20B, qwen35, nemotronNano, gemma4E}
	if dir := corpus(); dir != "" {
		names, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil || len(names) == 0 {
			f.Fatalf("%d configurations, %v", len(names), err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) < 1<<14 && !strings.Contains(name, "hf_quant_config") {
				seeds = append(seeds, string(data))
			}
		}
	}
	for i, s := range seeds {
		for _, value := range []int64{0, -1, 1, 1 << 31, 1<<63 - 1} {
			f.Add(s, uint16(7*i), value, false)
		}
	}
	number := regexp.MustCompile(`-?\b\d[\d.eE+]*\b|"[a-z_]+"|null|true|false`)
	f.Fuzz(func(t *testing.T, config string, at uint16, value int64, drop bool) {
		if places := number.FindAllStringIndex(config, -1); len(places) > 0 {
			p := places[int(at)%len(places)]
			with := strconv.FormatInt(value, 10)
			if drop {
				with = "null"
			}
			config = config[:p[0]] + with + config[p[1]:]
		}
		v, err := strictjson.Parse(strings.NewReader(config), 0, "id2label", "label2id")
		if err != nil {
			return
		}
		start := time.Now()
		s, err := arch.Of(v)
		if err != nil {
			return
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
		countable(t, s)
	})
}

// countable checks what everybody who reads a shape relies on.
func countable(t *testing.T, s *arch.Shape) {
	t.Helper()
	for name, x := range s.Named() {
		if x.Rows.N <= 0 || x.Cols.N <= 0 || x.Copies.N <= 0 || x.Visited.N < 0 || x.Visited.N > x.Copies.N || x.Units < 0 {
			t.Fatalf("%s: %+v", name, *x)
		}
	}
	if p := s.Params(); p.Total <= 0 || p.Active < 0 || p.Active > p.Total {
		t.Fatalf("%+v", p)
	}
	for _, g := range s.Gaps {
		if g.Low > g.High || g.Low < -1e16 || g.High > 1e16 || g.What == "" || g.Why == "" {
			t.Fatalf("%+v", g)
		}
	}
	for i := range s.Blocks {
		m := s.Blocks[i].Mixer
		for _, n := range []int64{m.Heads, m.KVHeads, m.KeyWidth, m.ValueWidth, m.Window, m.Latent, m.Rope, m.Index, m.Ratio, m.Conv, m.ConvGroups, m.State, m.StateHeads} {
			if n < 0 || n > 1<<40 {
				t.Fatalf("layer %d: %+v", i, m)
			}
		}
		if m.SharesWith >= i || m.ConvGroups > m.Conv {
			t.Fatalf("layer %d: %+v", i, m)
		}
	}
}
