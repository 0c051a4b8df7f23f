package records

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Cells hands out the cells of a line of a table, parted by tabs, one by one, and keeps the first fault.
type Cells struct {
	rest string
	over bool // the last cell was handed out
	err  error
}

// CellsOf takes a line without its end.
func CellsOf(line string) *Cells { return &Cells{rest: line} }

// Text is the next cell.
func (c *Cells) Text() string {
	if c.over {
		c.fail(errors.New("too few columns"))
		return ""
	}
	cell, rest, more := strings.Cut(c.rest, "\t")
	c.rest, c.over = rest, !more
	return cell
}

// OneOf is the next cell, which has to be one of some words.
func (c *Cells) OneOf(key string, words ...string) string {
	cell := c.Text()
	if !slices.Contains(words, cell) {
		c.fail(fmt.Errorf("%s is %q, want one of %v", key, cell, words))
	}
	return cell
}

// Int is the next cell as a whole number of at most 32 bits.
func (c *Cells) Int(key string) int64 {
	n, err := strconv.ParseInt(c.Text(), 10, 32)
	if err != nil {
		c.fail(fmt.Errorf("%s: %w", key, err))
	}
	return n
}

// Float is the next cell as a number.
func (c *Cells) Float(key string) float64 {
	f, err := strconv.ParseFloat(c.Text(), 64)
	if err != nil {
		c.fail(fmt.Errorf("%s: %w", key, err))
	}
	return f
}

// End is the first fault, one that more or fewer than so many columns make included.
func (c *Cells) End(columns int) error {
	if !c.over || c.rest != "" {
		c.fail(fmt.Errorf("want %d columns", columns))
	}
	return c.err
}

func (c *Cells) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}
