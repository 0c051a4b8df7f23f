package evidence

import (
	"encoding/json"
	"testing"
	"testing/quick"
	"time"
)

func TestParseDate(t *testing.T) {
	for _, s := range []string{"2026-11-24", "2024-02-29", "0001-01-01", "9999-12-31", "2000-02-29"} {
		d, err := ParseDate(s)
		if err != nil || d.String() != s {
			t.Errorf("ParseDate(%q) = %v, %v", s, d, err)
		}
	}
	for _, s := range []string{
		"", "2026", "2026-11", "2026-11-31", "2025-02-29", "1900-02-29", "2026-13-01", "2026-00-01", "2026-01-00", "24.11.2026", "11/24/2026",
		"2026-11-24T00:00:00Z", " 2026-11-24", "2026-1-2", "26-11-24", "12026-11-24", "today", "-001-01-01",
	} {
		if d, err := ParseDate(s); err == nil {
			t.Errorf("ParseDate(%q) = %v, want an error", s, d)
		}
	}
}

// A day is that of the clock's own place: in the evening in New York it is already tomorrow in London.
func TestDateOf(t *testing.T) {
	evening := time.Date(2026, 11, 24, 23, 0, 0, 0, time.FixedZone("", -5*3600))
	if got := DateOf(evening); got != (Date{2026, 11, 24}) {
		t.Errorf("got %v", got)
	}
	if got := DateOf(evening.UTC()); got != (Date{2026, 11, 25}) {
		t.Errorf("got %v", got)
	}
}

func TestDaysUntil(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		want     int
	}{
		{"2026-11-24", "2026-11-24", 0},
		{"2026-11-24", "2026-11-25", 1},
		{"2026-11-25", "2026-11-24", -1},
		{"2024-02-28", "2024-03-01", 2},
		{"2025-02-28", "2025-03-01", 1},
		{"2026-01-01", "2027-01-01", 365},
		{"2026-03-28", "2026-03-30", 2}, // summer time begins in between in some places
		{"0001-01-01", "2026-11-24", 739_943},
	} {
		from, err1 := ParseDate(tt.from)
		to, err2 := ParseDate(tt.to)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		if got := from.DaysUntil(to); got != tt.want {
			t.Errorf("from %s to %s are %d days, want %d", tt.from, tt.to, got, tt.want)
		}
	}
}

func day(n uint32) Date { return DateOf(time.Unix(int64(n%2_000_000)*24*3600, 0).UTC()) }

// Days are ordered as they follow each other, and counting forth is counting back.
func TestOrderOfDays(t *testing.T) {
	law := func(a, b uint32) bool {
		d, e := day(a), day(b)
		n := d.DaysUntil(e)
		return n == -e.DaysUntil(d) && (n > 0) == (d.Compare(e) < 0) && (n == 0) == (d == e) && d.Compare(e) == -e.Compare(d)
	}
	if err := quick.Check(law, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
}

func TestUnknownDay(t *testing.T) {
	var zero Date
	if !zero.IsZero() || zero.String() != "" || zero.Compare(Date{2026, 1, 1}) >= 0 {
		t.Error("the zero Date is not the unknown day")
	}
}

func TestDateText(t *testing.T) {
	law := func(n uint32) bool {
		d := day(n)
		b, err := json.Marshal(d)
		var back Date
		return err == nil && json.Unmarshal(b, &back) == nil && back == d
	}
	if err := quick.Check(law, nil); err != nil {
		t.Error(err)
	}
	d := Date{2026, 1, 1}
	if err := d.UnmarshalText(nil); err != nil || !d.IsZero() {
		t.Errorf("an empty text gives %v, %v", d, err)
	}
	d = Date{2026, 1, 1}
	if err := d.UnmarshalText([]byte("soon")); err == nil || d != (Date{2026, 1, 1}) {
		t.Errorf("a wrong text gives %v, %v", d, err)
	}
}
