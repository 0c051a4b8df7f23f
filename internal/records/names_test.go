package records

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNames(t *testing.T) {
	all := map[string][]string{"1": {"a", "b"}, "2": {"a"}, "3": {"a-b"}}
	table := NamesOf(all, func(names []string) []string { return names })
	if want := Names("a\t1\na\t2\na-b\t3\nb\t1\n"); table != want {
		t.Fatalf("table %q, want %q", table, want)
	}
	for name, want := range map[string][]string{
		"a": {"1", "2"}, "a-b": {"3"}, "b": {"1"}, "": nil, "0": nil, "aa": nil, "c": nil, "a\t1": nil,
	} {
		if diff := cmp.Diff(want, table.IDs(name)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", name, diff)
		}
	}
	if got := Names("").IDs("a"); got != nil {
		t.Errorf("an empty table has %q", got)
	}
}

// Law: every name of every record is found with all that bear it.
func TestNamesLaw(t *testing.T) {
	all := make(map[string][]string)
	bearers := make(map[string][]string)
	for i := range 200 {
		id := string(rune('A'+i/26)) + string(rune('a'+i%26))
		for n := i; n > 0; n /= 7 {
			if name := string(rune('a' + n%11)); !slices.Contains(all[id], name) {
				all[id] = append(all[id], name)
				bearers[name] = append(bearers[name], id)
			}
		}
	}
	table := NamesOf(all, func(names []string) []string { return names })
	for name, want := range bearers {
		slices.Sort(want)
		if diff := cmp.Diff(want, table.IDs(name)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", name, diff)
		}
	}
}
