package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// maxSpread is how many names a record may stand for in all.
const maxSpread = 100_000

var errSpread = errors.New("its names stand for more than 100,000 modules")

// spreader writes as JSON what YAML held. Lists of modules repeat a name for each layer: a record writes {0-59} or
// {3,7-9} for the number, which stands for as many names. Expressions (re:...) have braces of their own and are left
// alone.
type spreader struct {
	text []byte
	left int // names that may still be written
}

// value turns what YAML held into JSON, as the rules read it.
func value(name string, m map[string]any) (strictjson.Value, error) {
	s := spreader{left: maxSpread}
	if err := s.object(m, false); err != nil {
		return strictjson.Value{}, fmt.Errorf("%s: %w", name, err)
	}
	v, err := strictjson.Parse(strings.NewReader(string(s.text)), 0, "quantized_layers", "extra_config")
	if err != nil {
		return strictjson.Value{}, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

// spreads reports whether a key of a configuration speaks of quantization, so that names below it have braces.
func spreads(key string) bool {
	switch key {
	case "quantization_config", "quantization", "exclude_modules", "ignore", "quantized_layers":
		return true
	}
	return false
}

func (s *spreader) write(v any, named bool) error {
	switch v := v.(type) {
	case map[string]any:
		return s.object(v, named)
	case []any:
		return s.array(v, named)
	case int:
		s.text = strconv.AppendInt(s.text, int64(v), 10)
	case bool:
		s.text = strconv.AppendBool(s.text, v)
	case nil, string, float64, int64, uint64:
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("it holds %v, which JSON has no word for", v)
		}
		s.text = append(s.text, b...)
	default:
		return fmt.Errorf("it holds %v, which config.json cannot hold", v)
	}
	return nil
}

func (s *spreader) array(list []any, named bool) error {
	s.text = append(s.text, '[')
	for _, e := range list {
		text, ok := e.(string)
		if !ok || !named {
			if err := s.write(e, named); err != nil {
				return err
			}
			s.text = append(s.text, ',')
			continue
		}
		names, err := s.names(text)
		if err != nil {
			return err
		}
		for _, n := range names {
			s.name(n)
			s.text = append(s.text, ',')
		}
	}
	s.close(']')
	return nil
}

func (s *spreader) object(m map[string]any, named bool) error {
	s.text = append(s.text, '{')
	for _, key := range slices.Sorted(maps.Keys(m)) {
		names := []string{key}
		if named {
			var err error
			if names, err = s.names(key); err != nil {
				return err
			}
		}
		if err := s.member(names, m[key], named || spreads(key)); err != nil {
			return err
		}
	}
	s.close('}')
	return nil
}

// member writes a value under each of the names.
func (s *spreader) member(names []string, v any, named bool) error {
	s.name(names[0])
	s.text = append(s.text, ':')
	from := len(s.text)
	if err := s.write(v, named); err != nil {
		return err
	}
	to := len(s.text)
	s.text = append(s.text, ',')
	for _, n := range names[1:] {
		s.name(n)
		s.text = append(s.text, ':')
		s.text = append(append(s.text, s.text[from:to]...), ',')
		if len(s.text) > maxSpread*100 {
			return errSpread
		}
	}
	return nil
}

// name writes a string; names of modules have nothing that JSON escapes.
func (s *spreader) name(n string) {
	if strings.ContainsFunc(n, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }) {
		b, _ := json.Marshal(n) // a string has no fault
		s.text = append(s.text, b...)
		return
	}
	s.text = append(append(append(s.text, '"'), n...), '"')
}

// close ends a list with the comma that its last element left taken away.
func (s *spreader) close(bracket byte) {
	if n := len(s.text) - 1; s.text[n] == ',' {
		s.text = s.text[:n]
	}
	s.text = append(s.text, bracket)
}

// names are those that a name with braces stands for.
func (s *spreader) names(text string) ([]string, error) {
	head, rest, ok := strings.Cut(text, "{")
	if !ok || strings.HasPrefix(text, "re:") {
		s.left--
		return []string{text}, s.spent()
	}
	set, tail, closed := strings.Cut(rest, "}")
	if !closed {
		return nil, fmt.Errorf("%q: a brace is not closed", text)
	}
	numbers, err := s.numbers(set)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", text, err)
	}
	tails, err := s.names(tail)
	if err != nil {
		return nil, err
	}
	if s.left -= len(numbers) * len(tails); s.left < 0 {
		return nil, errSpread
	}
	out := make([]string, 0, len(numbers)*len(tails))
	for _, n := range numbers {
		for _, t := range tails {
			out = append(out, head+strconv.Itoa(n)+t)
		}
	}
	return out, nil
}

func (s *spreader) spent() error {
	if s.left < 0 {
		return errSpread
	}
	return nil
}

// numbers reads 3,7-9.
func (s *spreader) numbers(set string) ([]int, error) {
	var out []int
	for part := range strings.SplitSeq(set, ",") {
		first, last, isRange := strings.Cut(part, "-")
		a, ok := small(first)
		b := a
		if isRange {
			var fine bool
			b, fine = small(last)
			ok = ok && fine
		}
		if !ok || b < a {
			return nil, fmt.Errorf("{%s} is no list of numbers below 10,000, such as {3,7-9}", set)
		}
		if len(out)+b-a >= s.left {
			return nil, errSpread
		}
		for n := a; n <= b; n++ {
			out = append(out, n)
		}
	}
	return out, nil
}

func small(s string) (int, bool) {
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, s != "" && len(s) <= 4
}
