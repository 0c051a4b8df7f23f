// Package evidence holds the words for who says something, where, and when it was checked. It has no opinion on what
// is said.
package evidence

import (
	"cmp"
	"fmt"
	"time"
)

// Date is a day, written 2026-11-24. The zero Date is "not known".
type Date struct{ Year, Month, Day int }

// ParseDate reads a day written as 2026-11-24 and refuses days that do not exist.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("date %q is not a day written like 2026-11-24", s)
	}
	return DateOf(t), nil
}

// DateOf is the day of t in t's own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, int(m), d}
}

// IsZero reports whether the day is not known.
func (d Date) IsZero() bool { return d == Date{} }

// Compare orders days; an unknown day is before all others.
func (d Date) Compare(e Date) int {
	return cmp.Or(cmp.Compare(d.Year, e.Year), cmp.Compare(d.Month, e.Month), cmp.Compare(d.Day, e.Day))
}

// DaysUntil counts the days from d to e; negative if e is earlier.
func (d Date) DaysUntil(e Date) int {
	const day = 24 * 60 * 60
	return int((e.time().Unix() - d.time().Unix()) / day) // a time.Duration ends at 292 years
}

func (d Date) time() time.Time {
	return time.Date(d.Year, time.Month(d.Month), d.Day, 0, 0, 0, 0, time.UTC)
}

// String writes the day as 2026-11-24, or nothing if it is not known.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// MarshalText writes the day for JSON and YAML.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Date) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*d = Date{}
		return nil
	}
	v, err := ParseDate(string(b))
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// Source says where a fact was read, so that a person can read it there too.
type Source struct {
	Title   string `yaml:"title"`             // repository and file, page title, or document name
	URL     string `yaml:"url,omitempty"`     // where it can be opened, if it has an address
	Checked Date   `yaml:"checked,omitempty"` // the day somebody last compared the fact with the source
}

// Clause points at the place of a license text that a statement rests on.
type Clause struct {
	Section string `yaml:"section" json:"section"`               // as the text numbers it: "1(b)(i)"; or "whole text"
	Says    string `yaml:"says,omitempty" json:"says,omitempty"` // in a few words of ours
}
