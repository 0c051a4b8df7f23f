package arch

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// The largest sizes that are believed; each is far above any published model.
const (
	maxDim    = 1 << 27 // a width, a vocabulary
	maxCount  = 1 << 16 // layers, heads, experts
	maxLayers = 4096
	maxParams = 1e16
	maxTokens = 1 << 31 // of the longest context
)

// ErrUnknown is wrapped by the error for a class that no rule is known for.
var ErrUnknown = errors.New("architecture is not known")

// config reads the keys of a configuration. The first fault sticks, so that rules read as lists; what is absent is noted.
type config struct {
	values  strictjson.Value
	top     strictjson.Value // the whole file, where values is its text_config
	assumed []Assumption
	symbols []Symbol
	gaps    []Gap
	text    Dim     // where values is that of a tower: the width of the language model,
	around  *config // and the reader of the file as a whole
	err     error
}

func (c *config) fail(err error) {
	if c.err == nil && err != nil {
		c.err = err
	}
}

// keyError is a fault of one key, or of several that may stand for each other, of a configuration or a part of it.
type keyError struct {
	part string // text_config; "" for the whole
	keys []string
	text string
}

func (e *keyError) Error() string {
	names := make([]string, len(e.keys))
	for i, key := range e.keys {
		if names[i] = key; e.part != "" {
			names[i] = e.part + "." + key
		}
	}
	return strings.Join(names, " or ") + " " + e.text
}

// fault says what is wrong with a key, and in which part of the file it stands.
func (c *config) fault(text string, keys ...string) {
	c.fail(&keyError{part: c.values.Path(), keys: keys, text: text})
}

// int is the integer under the first of the keys that is present, or 0.
func (c *config) lookup(keys []string) (int64, string, bool) {
	for _, key := range keys {
		n, ok, err := c.values.Int(key)
		c.fail(err)
		if ok {
			return n, key, true
		}
	}
	return 0, keys[0], false
}

// dim is a size that must be there: a positive integer. symbol is its letter in formulas.
func (c *config) dim(symbol string, keys ...string) Dim {
	n, key, ok := c.lookup(keys)
	if !ok {
		c.fault("is missing, and the shape cannot be known without it", keys...)
	}
	return c.named(symbol, key, n, maxDim)
}

// dimOr is a size with the default of the class. why says where the default is from.
func (c *config) dimOr(symbol string, otherwise int64, why string, keys ...string) Dim {
	n, key, ok := c.lookup(keys)
	if !ok {
		n = otherwise
		c.assume(key, strconv.FormatInt(n, 10), why)
	}
	return c.named(symbol, key, n, maxDim)
}

// layersOr is a number of layers with the default of the class; more than any model has are refused rather than built.
func (c *config) layersOr(symbol string, otherwise int64, why string, keys ...string) Dim {
	n, key, ok := c.lookup(keys)
	if !ok {
		n = otherwise
		c.assume(key, strconv.FormatInt(n, 10), why)
	}
	return c.named(symbol, key, n, maxLayers)
}

// layers is a number of layers that must be there.
func (c *config) layers(keys ...string) Dim {
	n, key, ok := c.lookup(keys)
	if !ok {
		c.fault("is missing, and the shape cannot be known without it", keys...)
	}
	return c.named("L", key, n, maxLayers)
}

// classDefault is why a key may be absent: its configuration class in the published code has this value.
const classDefault = "the default of the class"

// countOr is a number of things, of which there may be none.
func (c *config) countOr(otherwise int64, why string, keys ...string) int64 {
	n, key, ok := c.lookup(keys)
	if !ok {
		n = otherwise
		c.assume(key, strconv.FormatInt(n, 10), why)
	}
	if n < 0 || n > maxCount {
		c.fault(fmt.Sprintf("is %d, want 0 to %d", n, maxCount), key)
		return 0
	}
	return n
}

// timesOr is a number that sizes are multiplied with, so there is at least one.
func (c *config) timesOr(otherwise int64, why string, keys ...string) int64 {
	n := c.countOr(otherwise, why, keys...)
	if n == 0 {
		c.fault(fmt.Sprintf("is 0, want 1 to %d", maxCount), keys[0])
		return 1
	}
	return n
}

// has reports whether a key is there and is not null.
func (c *config) has(key string) bool {
	v, ok := c.values.Get(key)
	return ok && v.Kind() != strictjson.Null
}

// flagOr is a boolean with the default of the class.
func (c *config) flagOr(otherwise bool, why string, keys ...string) bool {
	for _, key := range keys {
		b, ok, err := c.values.Bool(key)
		c.fail(err)
		if ok {
			return b
		}
	}
	c.assume(keys[0], strconv.FormatBool(otherwise), why)
	return otherwise
}

// wordOr is a string with the default of the class.
func (c *config) wordOr(otherwise string, keys ...string) string {
	for _, key := range keys {
		s, ok, err := c.values.String(key)
		c.fail(err)
		if ok {
			return s
		}
	}
	return otherwise
}

// assume notes a key that is absent, once, however often it is asked for. No reason is the default of the class.
func (c *config) assume(key, value, why string) {
	if a := (Assumption{key, value, cmp.Or(why, classDefault)}); !slices.Contains(c.assumed, a) {
		c.assumed = append(c.assumed, a)
	}
}

func (c *config) named(symbol, key string, n int64, most int64) Dim {
	if n <= 0 || n > most {
		c.fault(fmt.Sprintf("is %d, want 1 to %d", n, most), key)
		n = 1
	}
	for i := range c.symbols {
		if c.symbols[i].Text == symbol {
			return Dim{n, symbol}
		}
	}
	c.symbols = append(c.symbols, Symbol{symbol, key, n})
	return Dim{n, symbol}
}

// part is the configuration nested under a key, such as text_config or vision_config; ok is false where it is absent.
func (c *config) part(key string) (*config, bool) {
	v, ok, err := c.values.Object(key)
	c.fail(err)
	if !ok {
		return nil, false
	}
	return &config{values: v, top: c.top}, true
}

var errUneven = errors.New("hidden_size is no multiple of num_attention_heads and head_dim is absent, so the width of a head is not known")
