package svg

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/llmcheck/llmcheck/internal/printable"
)

func sample(s string, width int) Stack {
	return Stack{
		ID: s, Title: s, Desc: s,
		Segments: []Segment{{s, width, s}, {"kv_cache", 60, "KV cache"}, {s, 1 << 40, s}, {s, -1, s}},
		Marks:    []Mark{{width, s, s, false}, {-5, "below", "x", true}, {1 << 40, s, s, true}},
		Over:     &Over{width, s},
		Legend:   []Entry{{s, s, s}, {"b", "b", "b"}, {"c", "c", "c"}, {"d", "d", "d"}, {"e", "e", "e"}},
	}
}

// check parses the drawing and returns its elements.
func check(t *testing.T, drawing string) []xml.StartElement {
	t.Helper()
	if !utf8.ValidString(drawing) || strings.ContainsFunc(drawing, printable.Hidden) {
		t.Errorf("hidden characters in %q", drawing)
	}
	var out []xml.StartElement
	dec := xml.NewDecoder(strings.NewReader(drawing))
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%v in %s", err, drawing)
		}
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		if !slices.Contains([]string{"svg", "title", "desc", "rect", "text", "path", "circle"}, e.Name.Local) {
			t.Errorf("element %s", e.Name.Local)
		}
		for _, a := range e.Attr {
			if !slices.Contains(strings.Fields("class viewBox role aria-labelledby id x y width height text-anchor d cx cy r"), a.Name.Local) {
				t.Errorf("attribute %s of %s", a.Name.Local, e.Name.Local)
			}
		}
		out = append(out, e)
	}
}

func number(t *testing.T, e xml.StartElement, name string) int {
	t.Helper()
	for _, a := range e.Attr {
		if a.Name.Local == name {
			n, err := strconv.Atoi(a.Value)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	return 0
}

func TestStack(t *testing.T) {
	got := Stack{
		ID: "a", Title: "Memory", Desc: "weights 1 GiB",
		Segments: []Segment{{"weights", 180, "weights"}, {"unused", 60, ""}},
		Marks:    []Mark{{240, "card", "end", false}},
	}.SVG()
	want := `<svg class="stack small" viewBox="0 0 720 44" role="img" aria-labelledby="a-t a-d">` +
		`<title id="a-t">Memory</title><desc id="a-d">weights 1 GiB</desc>` +
		`<rect class="weights" x="0" y="22" width="540" height="22"/>` +
		`<rect class="unused" x="540" y="22" width="180" height="22"/>` +
		`<rect class="mark end" x="718" y="16" width="2" height="28"/><text x="720" y="14" text-anchor="end">card</text></svg>`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestHostile: nothing that the data holds is markup, leaves the drawing, or makes a class or an id of two words.
func TestHostile(t *testing.T) {
	for _, s := range []string{
		"", `"><script>alert(1)</script>`, "</title></svg>", "]]>", "&amp;", "\x1b[31m\u202e\x00", "a b\" onload=\"x", "##[group]", "::error::",
		strings.Repeat("x", 9999), "\xff\xfe", "超" + strings.Repeat("\u0301", 99),
	} {
		for _, width := range []int{-1, 0, 1, 100, 240, 1 << 50} {
			inside(t, check(t, sample(s, width).SVG()))
		}
	}
}

var box = regexp.MustCompile(`^0 0 (\d+) (\d+)$`)

// inside reports shapes that reach out of the drawing.
func inside(t *testing.T, elements []xml.StartElement) {
	t.Helper()
	var w, h int
	for _, e := range elements {
		for _, a := range e.Attr {
			if m := box.FindStringSubmatch(a.Value); a.Name.Local == "viewBox" && m != nil {
				w, _ = strconv.Atoi(m[1])
				h, _ = strconv.Atoi(m[2])
			}
		}
		for _, a := range e.Attr {
			if a.Name.Local == "d" && !onPage(a.Value, w, h) {
				t.Errorf("%s reaches out of %d x %d", a.Value, w, h)
			}
		}
		if cx, cy, r := number(t, e, "cx"), number(t, e, "cy"), number(t, e, "r"); cx < r && cx+cy+r > 0 || cx+r > w || cy+r > h {
			t.Errorf("%v reaches out of %d x %d", e, w, h)
		}
		x, y := number(t, e, "x")+number(t, e, "width"), number(t, e, "y")+number(t, e, "height")
		if e.Name.Local != "svg" && (x > w || y > h || number(t, e, "x") < 0 || number(t, e, "y") < 0 || number(t, e, "width") < 0) {
			t.Errorf("%v reaches out of %d x %d", e, w, h)
		}
	}
}

var (
	pathParts = regexp.MustCompile(`([MLHVZ])([0-9 ]*)`)
	wholePath = regexp.MustCompile(`^([MLHVZ][0-9 ]*)+$`)
)

// onPage reports whether a path is one of ours and stays on the page.
func onPage(d string, w, h int) bool {
	if !wholePath.MatchString(d) {
		return false
	}
	for _, m := range pathParts.FindAllStringSubmatch(d, -1) {
		for i, f := range strings.Fields(m[2]) {
			n, err := strconv.Atoi(f)
			most := w
			if m[1] == "V" || i == 1 {
				most = h
			}
			if err != nil || n < 0 || n > most {
				return false
			}
		}
	}
	return true
}

func FuzzStack(f *testing.F) {
	for _, s := range []string{"", "a", "<b>", "\u202e", "&#x3c;", "##[x]"} {
		f.Add(s, 12)
	}
	f.Fuzz(func(t *testing.T, s string, width int) { inside(t, check(t, sample(s, width).SVG())) })
}
