package records

import "testing"

func TestCells(t *testing.T) {
	c := CellsOf("a\t7\t2.5\tyes")
	if text, n, f, word := c.Text(), c.Int("n"), c.Float("f"), c.OneOf("w", "yes", "no"); text != "a" || n != 7 || f != 2.5 || word != "yes" {
		t.Errorf("got %q, %d, %v, %q", text, n, f, word)
	}
	if err := c.End(4); err != nil {
		t.Error(err)
	}
}

func TestCellsKeepTheFirstFault(t *testing.T) {
	for name, one := range map[string]struct {
		line, want string
		read       func(*Cells)
	}{
		"too few":      {"a", "too few columns", func(c *Cells) { c.Text(); c.Text(); c.Text() }},
		"too many":     {"a\tb", "want 1 columns", func(c *Cells) { c.Text() }},
		"no number":    {"x\ty", `gpus: strconv.ParseInt: parsing "x": invalid syntax`, func(c *Cells) { c.Int("gpus"); c.Float("value") }},
		"another word": {"perhaps", `asked is "perhaps", want one of [yes no]`, func(c *Cells) { c.OneOf("asked", "yes", "no") }},
	} {
		t.Run(name, func(t *testing.T) {
			c := CellsOf(one.line)
			one.read(c)
			if err := c.End(1); err == nil || err.Error() != one.want {
				t.Errorf("got %v, want %s", err, one.want)
			}
		})
	}
}
