package html

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/report"
)

// TestContrast: text is readable in both themes (WCAG 2.2, 1.4.3: at least 4.5 to 1), and bars and boxes can be told from
// the paper (1.4.11: 3 to 1).
func TestContrast(t *testing.T) {
	light, rest, ok := strings.Cut(style, "@media screen and (prefers-color-scheme: dark)")
	if !ok {
		t.Fatal("no dark theme")
	}
	dark, _, _ := strings.Cut(rest, "} }")
	pairs := [][2]string{{"ink", "paper"}, {"soft", "paper"}, {"ink", "panel"}, {"soft", "panel"}}
	graphics := [][2]string{{"soft", "paper"}}
	for _, o := range []string{"allowed", "conditional", "undetermined", "prohibited"} {
		pairs = append(pairs, [2]string{o, o + "-bg"}, [2]string{o, "paper"}, [2]string{"ink", o + "-bg"})
		graphics = append(graphics, [2]string{o, "line"})
	}
	for _, part := range []string{"weights", "activation", "non-torch", "graphs", "kv-cache", "reserved", "teal", "olive"} {
		pairs = append(pairs, [2]string{"paper", part}) // its name is written into it
		graphics = append(graphics, [2]string{part, "paper"}, [2]string{part, "panel"})
	}
	for name, css := range map[string]string{"light": light, "dark": dark} {
		colors := variables(css)
		for _, p := range pairs {
			if c := contrast(t, colors, p); c < 4.5 {
				t.Errorf("%s: %s on %s has %.2f to 1", name, p[0], p[1], c)
			}
		}
		for _, p := range graphics {
			if c := contrast(t, colors, p); c < 3 {
				t.Errorf("%s: %s beside %s has %.2f to 1", name, p[0], p[1], c)
			}
		}
	}
}

func variables(css string) map[string]string {
	colors := make(map[string]string)
	for _, m := range regexp.MustCompile(`--([a-z-]+): #([0-9a-f]{6});`).FindAllStringSubmatch(css, -1) {
		colors[m[1]] = m[2]
	}
	return colors
}

func contrast(t *testing.T, colors map[string]string, pair [2]string) float64 {
	t.Helper()
	a, b := luminance(t, colors[pair[0]]), luminance(t, colors[pair[1]])
	return (math.Max(a, b) + .05) / (math.Min(a, b) + .05)
}

// luminance is the relative luminance of WCAG 2.2.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	n, err := strconv.ParseUint(hex, 16, 32)
	if err != nil {
		t.Fatalf("color %q: %v", hex, err)
	}
	linear := func(shift uint) float64 {
		c := float64(n>>shift&0xff) / 255
		if c <= .04045 {
			return c / 12.92
		}
		return math.Pow((c+.055)/1.055, 2.4)
	}
	return .2126*linear(16) + .7152*linear(8) + .0722*linear(0)
}

func TestBar(t *testing.T) {
	yes, no := true, false
	for _, tt := range []struct {
		name string
		in   report.Threshold
		want string
	}{
		{"nothing known", report.Threshold{Limit: 100}, "undetermined 0 not known how much of the limit is reached"},
		{"far below", report.Threshold{Limit: 100, Value: new(0.1), Crossed: &no}, "allowed 2 0 % of the limit"},
		{"just below is not all", report.Threshold{Limit: 7e8, Value: new(6.999e8), Crossed: &no}, "allowed 247 99 % of the limit"},
		{"beyond", report.Threshold{Limit: 100, Value: new(1000.0), Crossed: &yes}, "prohibited 300 1000 % of the limit"},
		{"no limit", report.Threshold{Value: new(5.0)}, "undetermined 0 not known how much of the limit is reached"},
		{"a bound only", report.Threshold{Limit: 100, Value: new(50.0)}, "undetermined 125 50 % of the limit"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := barOf(tt.in)
			if got := fmt.Sprintf("%s %d %s", b.Class, b.Width, b.Words); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestAccessible: every table has heads with a scope, and the page has a language and a title.
func TestAccessible(t *testing.T) {
	page := page + estimatePage + sectionPage
	if !strings.Contains(page, `<html lang="en">`) || !strings.Contains(page, "<title>") {
		t.Error("no language or no title")
	}
	if heads, scoped := strings.Count(page, "<th "), strings.Count(page, `<th scope="col"`); heads == 0 || heads != scoped || strings.Contains(page, "<th>") {
		t.Errorf("%d heads, %d with a scope", heads, scoped)
	}
	if tables, heads := strings.Count(page, "<table"), strings.Count(page, "<thead>"); tables != heads {
		t.Errorf("%d tables, %d with a head", tables, heads)
	}
}

// TestBarsHaveTheirOwnIDs: each drawing of a page is named by itself, and every part has a color.
func TestBarsHaveTheirOwnIDs(t *testing.T) {
	o := report.Outlook{Verdict: "does_not_fit", Memory: &report.DeviceMemory{
		Capacity: 10 << 30, Budget: 9 << 30, Weights: 9 << 30, Activation: 1 << 30, NonTorch: 1 << 30, Graphs: 1 << 30, KVCache: 3 << 30,
		Reserved: 1 << 30, Unused: -6 << 30,
	}}
	d := &report.Document{Estimate: &report.Estimate{Outlook: o, Candidates: []report.Outlook{o, o}}}
	var b strings.Builder
	if err := Render(&b, []*report.Document{d, d}); err != nil {
		t.Fatal(err)
	}
	seen := make(map[string]bool)
	for _, m := range regexp.MustCompile(`id="(bar[0-9]+-t)"`).FindAllStringSubmatch(b.String(), -1) {
		if seen[m[1]] {
			t.Errorf("%s is there twice", m[1])
		}
		seen[m[1]] = true
	}
	if len(seen) != 6 {
		t.Errorf("%d bars, want 6", len(seen))
	}
	for _, m := range regexp.MustCompile(`<rect class="([a-z_]+)"`).FindAllStringSubmatch(b.String(), -1) {
		if !strings.Contains(style, ".stack rect."+m[1]+" {") {
			t.Errorf("no color for %s", m[1])
		}
	}
	if !strings.Contains(b.String(), "6.00 GiB missing") {
		t.Error("what is missing is not written above the bar")
	}
}
