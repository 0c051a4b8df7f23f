package svg

import (
	"fmt"
	"html"
	"math"
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func plotted(s string, vs [8]float64) Plot {
	at := func(i int) Extent { return Extent{vs[i%8], vs[(i+1)%8], vs[(i+2)%8]} }
	p := Plot{ID: s, Title: s, Desc: s, X: Scale{s, nil}, Y: Scale{s, nil}, Band: vs[0] > .5, Steps: vs[1] > .5}
	for i := range 9 {
		p.X.Ticks = append(p.X.Ticks, Tick{vs[i%8], s})
		p.Y.Ticks = append(p.Y.Ticks, Tick{vs[(i+3)%8], s + "1"})
		p.Spots = append(p.Spots, Spot{at(i), at(i + 1), s, fmt.Sprint(i, " ", s)})
	}
	p.Rules = []Rule{{vs[2], true, s}, {vs[3], false, s}, {vs[4], true, "target"}}
	return p
}

func TestPlot(t *testing.T) {
	got := Plot{
		ID: "a", Title: "Throughput", Desc: "rises",
		X: Scale{"requests at once", []Tick{{0, "1"}, {1, "8"}}}, Y: Scale{"tokens/s", []Tick{{0, "0"}, {1, "100"}}},
		Spots: []Spot{{Extent{0, 0, 0}, Extent{.1, .2, .3}, "met", ""}, {Extent{1, 1, 1}, Extent{.8, .9, 1}, "missed", ""}},
		Band:  true, Rules: []Rule{{.5, false, "within targets up to 3"}},
	}.SVG()
	want := `<svg class="plot" viewBox="0 0 720 340" role="img" aria-labelledby="a-t a-d">` +
		`<title id="a-t">Throughput</title><desc id="a-d">rises</desc>` +
		`<path class="net" d="M76 284H692"/><path class="net" d="M76 40H692"/>` +
		`<path class="net" d="M76 284V289"/><path class="net" d="M692 284V289"/><path class="base" d="M76 40V284H692"/>` +
		`<path class="band" d="M76 211L692 40L692 89L76 260Z"/>` +
		`<path class="rule" d="M384 36V284"/>` +
		`<path class="line" d="M76 235L692 64"/>` +
		`<circle class="met" cx="76" cy="235" r="5"/><circle class="missed" cx="692" cy="64" r="5"/>` +
		`<text class="axis" x="0" y="18">tokens/s</text><text class="axis" x="576" y="334">requests at once</text>` +
		`<text class="tick" x="56" y="288">0</text><text class="tick" x="42" y="44">100</text>` +
		`<text class="tick" x="72" y="303">1</text><text class="tick" x="688" y="303">8</text>` +
		`<text class="rule" x="305" y="30">within targets up to 3</text></svg>`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestPlotLaws: whatever the data, the drawing keeps its elements and its size, and no word lies over another.
func TestPlotLaws(t *testing.T) {
	words := []string{"", "a", "超超超超", "</text><script>", "\x1b\u202e", strings.Repeat("long ", 40), "3 · 2 x H100", "\xff"}
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 0, .25, .5, 1, 2, 1e300}
	r := rand.New(rand.NewPCG(1, 2))
	for range 600 {
		var vs [8]float64
		for i := range vs {
			vs[i] = r.Float64()
			if r.IntN(4) == 0 {
				vs[i] = odd[r.IntN(len(odd))]
			}
		}
		drawing := plotted(words[r.IntN(len(words))], vs).SVG()
		elements := check(t, drawing)
		inside(t, elements)
		apart(t, drawing)
	}
}

var written = regexp.MustCompile(`<text class="[a-z]+" x="(\d+)" y="(\d+)">([^<]*)</text>`)

func apart(t *testing.T, drawing string) {
	t.Helper()
	var words []area
	for _, m := range written.FindAllStringSubmatch(drawing, -1) {
		x, _ := strconv.Atoi(m[1])
		y, _ := strconv.Atoi(m[2])
		words = append(words, area{x, y - wordHeight + 4, 7 * len([]rune(html.UnescapeString(m[3]))), wordHeight})
	}
	for i, a := range words {
		for _, b := range words[:i] {
			if a.meets(b) {
				t.Fatalf("words at %v and %v lie over each other in %s", a, b, drawing)
			}
		}
	}
}

func FuzzPlot(f *testing.F) {
	f.Add("a", .1, .9)
	f.Add("<b>", math.NaN(), math.Inf(1))
	f.Fuzz(func(t *testing.T, s string, a, b float64) {
		inside(t, check(t, plotted(s, [8]float64{a, b, b - a, a * b, 1 - a, b / 2, a, b}).SVG()))
	})
}
