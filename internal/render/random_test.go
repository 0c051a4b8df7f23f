package render_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/llmcheck/llmcheck/internal/render"
	"github.com/llmcheck/llmcheck/internal/report"
)

// FuzzRandomEstimate renders estimates with figures that no machine has and parts that are not there: nothing panics, and
// what is written keeps its format.
func FuzzRandomEstimate(f *testing.F) {
	for seed := range uint64(24) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		docs := []*report.Document{randomDocument(r)}
		if r.IntN(3) == 0 {
			docs = append(docs, randomDocument(r), everywhere("x"))
		}
		for _, v := range views {
			v.page.Width = []int{0, 1, 40, 47, 80, 140, 1000}[r.IntN(7)]
			report1(t, fmt.Sprintf("%s of seed %d", v.suffix, seed), scanners[v.suffix](write(t, v.format, docs, v.page)))
		}
	})
}

func randomDocument(r *rand.Rand) *report.Document {
	d := &report.Document{Schema: report.Schema, Subject: report.Subject{Ref: "acme/x", Origin: "hf"}, Estimate: &report.Estimate{}}
	fill(r, reflect.ValueOf(d.Estimate).Elem())
	return d
}

// fill sets every field to something odd, or leaves it out.
func fill(r *rand.Rand, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(r, field)
		}
	case reflect.Pointer:
		if r.IntN(4) > 0 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(r, v.Elem())
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), r.IntN(4), 4))
		for i := range v.Len() {
			fill(r, v.Index(i))
		}
	case reflect.String:
		words := append([]string{"fits", "tight", "does_not_fit", "weights", "kv_cache", "unused", "activation", "x y", ""}, poison...)
		v.SetString(words[r.IntN(len(words))])
	case reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case reflect.Int, reflect.Int64:
		v.SetInt([]int64{0, 1, -1, 7, 8192, 1 << 33, 80 << 30, r.Int64(), -r.Int64(), math.MaxInt64, math.MinInt64}[r.IntN(11)])
	case reflect.Float64:
		v.SetFloat([]float64{0, 1, -1, .5, 3.999, 1e9, 80 << 30, 1e300, -1e300, math.MaxFloat64, math.SmallestNonzeroFloat64}[r.IntN(11)])
	}
}

// TestNotANumber: figures that JSON cannot hold are told as not known elsewhere, and are an error in JSON.
func TestNotANumber(t *testing.T) {
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		d := everywhere("x")
		d.Estimate.MaxConcurrency = new(bad)
		d.Estimate.Terms[0].Bytes = report.Range{Low: bad, Mid: bad, High: bad}
		for _, v := range views {
			if v.format != "jsonl" {
				report1(t, v.suffix, scanners[v.suffix](write(t, v.format, []*report.Document{d}, v.page)))
			}
		}
		f, err := render.Find("json")
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Render(nothingness{}, []*report.Document{d}, render.Page{}); err == nil {
			t.Errorf("%v is written as JSON", bad)
		}
	}
}

type nothingness struct{}

func (nothingness) Write(b []byte) (int, error) { return len(b), nil }
